"""AI MARK: a local voice assistant in Korean and English that keeps running."""

__version__ = "0.1.0"
