"""Plugins: the hooks they fill, the commands they bring, and the host that loads and isolates them."""
