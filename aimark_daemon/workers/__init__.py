"""Workers: child processes that hold one engine each, and the supervisor that keeps them alive."""
