"""Hooks: where plugins are asked. One function a hook: what it is for, what it may take, and an example that runs.

Hooks that may wait are `async def`, or plain functions that return at once. None of them can fail a turn: what raises
or is too late is left out, and counted against its plugin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec
import pluggy

if TYPE_CHECKING:
    from aimark_daemon.plugins.commands import Command
    from aimark_daemon.protocol.messages import Event

PROJECT: Final = "aimark"
API_VERSION: Final = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class ContextBlock(msgspec.Struct, frozen=True):
    """Something the model should know for one question: `text`, from `source`.

    Blocks of a higher `priority` come first and are kept when there is too much. `untrusted` text was written by
    others, as a page of the web was: the model is told not to obey it.
    """

    text: str
    source: str = ""
    priority: int = 0
    untrusted: bool = False


class Hooks:
    """Everything a plugin may implement."""

    @hookspec
    def aimark_register_commands(self) -> Iterable[Command]:  # type: ignore[empty-body]
        """Bring slash commands. Asked once, when the plugin is loaded.

        Example:
            @command("greet", names={"ko": ["인사"]}, help={"en": "Greet", "ko": "인사합니다"})
            async def greet(ctx, name: str = "Mark"):
                yield ctx.text(Text(en=f"Hello, {name}.", ko=f"{name}님, 안녕하세요."))


            @hookimpl
            def aimark_register_commands():
                return [greet]
        """

    @hookspec
    async def aimark_startup(self, settings: object) -> None:
        """Begin, once the plugin is loaded. `settings` are the plugin's own. Within ten seconds.

        Example:
            opened = []


            @hookimpl
            async def aimark_startup(settings):
                opened.append(settings)
        """

    @hookspec
    async def aimark_shutdown(self) -> None:
        """End, when the plugin is unloaded or the daemon stops. Within five seconds.

        Example:
            opened = ["a file"]


            @hookimpl
            async def aimark_shutdown():
                opened.clear()
        """

    @hookspec
    async def aimark_transform_input(self, text: str, language: str) -> str | None:
        """Change what was typed or heard, before anything else sees it; None leaves it. Within half a second.

        Example:
            @hookimpl
            async def aimark_transform_input(text, language):
                return text.replace("ㅇㅋ", "네")
        """

    @hookspec
    async def aimark_build_context(self, text: str, session: str, language: str) -> Iterable[ContextBlock] | None:
        """Tell the model something for this question. All plugins together have 0.8 seconds and 1500 characters.

        Example:
            @hookimpl
            async def aimark_build_context(text):
                if "시" in text or "time" in text:
                    return [ContextBlock("It is 14:05.", source="clock")]
        """

    @hookspec
    async def aimark_transform_speech(self, text: str, language: str) -> str | None:
        """Change a clause before it is spoken; what is shown stays. None leaves it. Within 50 milliseconds.

        Example:
            @hookimpl
            def aimark_transform_speech(text, language):
                return text.replace("AI MARK", "에이아이 마크")
        """

    @hookspec
    async def aimark_on_event(self, event: Event) -> None:
        """Watch what clients are told, except pieces of answers, progress and telemetry. Within five seconds.

        Example:
            seen = []


            @hookimpl
            def aimark_on_event(event):
                seen.append(type(event).__name__)
        """

    @hookspec
    async def aimark_on_idle(self) -> None:
        """Work while nobody needs the assistant; cancelled as soon as somebody does, and begun again later.

        Example:
            tidied = []


            @hookimpl
            async def aimark_on_idle():
                tidied.append("index")
        """
