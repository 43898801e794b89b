"""Command line: one module a command; all but `run` and `doctor` are clients of the daemon."""
