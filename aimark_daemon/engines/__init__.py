"""Engines: what hears, thinks and speaks; each lives in a worker process."""
