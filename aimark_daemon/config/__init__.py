"""Configuration: config.json as typed settings, read, checked and changed."""

from aimark_daemon.config.file import Changes, Loaded, changes, load_config, restart_keys, set_value
from aimark_daemon.config.types import Config

__all__ = ["Changes", "Config", "Loaded", "changes", "load_config", "restart_keys", "set_value"]
