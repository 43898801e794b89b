"""AI MARK: a local voice assistant in Korean and English that keeps running.

Plugins import everything they need from here.
"""

from aimark_daemon.errors import AimarkError, Text, fault_kind
from aimark_daemon.plugins.commands import Command, command
from aimark_daemon.plugins.context import Context
from aimark_daemon.plugins.hookspecs import ContextBlock, hookimpl

__version__ = "0.1.0"

__all__ = [
    "AimarkError",
    "Command",
    "Context",
    "ContextBlock",
    "Text",
    "__version__",
    "command",
    "fault_kind",
    "hookimpl",
]
