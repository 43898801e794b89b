"""Instructions: the system message in force. It hardly ever changes within a session, so its evaluation is kept."""

from collections.abc import Iterable

from aimark_daemon.config.types import Config, system_prompt_in
from aimark_daemon.conversation.language import language_of
from aimark_daemon.conversation.prompt import system_prompt


def instructions(config: Config, said: Iterable[str] = ()) -> str:
    """The user's own instructions to the model, or the built-in ones, in the language of most of what was `said`.

    A small model answers in the language of its instructions, whatever they say. The configured language stands in
    where nothing was said yet.
    """
    language = language_of(" ".join(said), "ko" if config.language == "ko" else "en")
    return system_prompt_in(config.llm, language) or system_prompt(language)
