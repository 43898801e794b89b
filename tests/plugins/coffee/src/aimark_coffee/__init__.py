"""A third party's package; its plugin is in a module of its own."""
