"""The graphics card: what the driver tells."""
