"""The wire: typed messages, audio frames and their versions. Pure: no sockets, no clock."""
