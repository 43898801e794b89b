"""The assistant: conducts turns - hear, route, think, speak - over whatever engines there are."""

from aimark_daemon.assistant.conductor import Assistant
from aimark_daemon.assistant.listener import Listener

__all__ = ["Assistant", "Listener"]
