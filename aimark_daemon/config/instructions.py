"""Instructions: the system message in force. It never changes within a session, so its evaluation is kept."""

from aimark_daemon.config.types import Config, system_prompt_in
from aimark_daemon.conversation.prompt import system_prompt


def instructions(config: Config) -> str:
    """The user's own instructions to the model, or the built-in ones."""
    return system_prompt_in(config.llm, config.language) or system_prompt(config.language)
