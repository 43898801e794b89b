"""Chat templates: the model's own Jinja template, rendered in a sandbox, with the contents kept apart.

The template never sees what people wrote. It is rendered with a placeholder for each content, and the result is cut
at them: the template's parts may hold control tokens, the contents may not, whatever they say.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox
import msgspec

from aimark_daemon.engines.base import ChatMessage

logger = logging.getLogger("aimark.llama")

CHATML: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_PLACEHOLDER: Final = re.compile("(\t?)\ue000([0-9]+)\ue001(\t?)")
"""A content's place. The tabs around it show whether the template strips white space there."""


class Part(msgspec.Struct, frozen=True):
    """A piece of the prompt: the template's own text (`special`), or what somebody wrote.

    Contents are in NFC: models hardly know Hangul in separate letters (NFD), as it comes from some systems.
    """

    text: str
    special: bool


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` marks, for training, what the assistant says; here it is transparent."""

    tags = {"generation"}  # noqa: RUF012 - declared so by jinja2

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(value: Any, indent: int | None = None, **_options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _strftime_now(pattern: str) -> str:
    return dt.datetime.now().astimezone().strftime(pattern)


class ChatTemplate:
    """Renders conversations; falls back to ChatML when the file has no template or a broken one."""

    def __init__(self, source: str, bos: str = "", eos: str = "") -> None:
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        environment.filters["tojson"] = _to_json
        environment.globals.update(raise_exception=_raise, strftime_now=_strftime_now, bos_token=bos, eos_token=eos)
        self._chatml = environment.from_string(CHATML)
        self._template = self._chatml
        self.present = bool(source)
        """Whether the model brought a template that could be read."""
        if source:
            try:
                self._template = environment.from_string(source)
            except jinja2.TemplateError as error:
                logger.warning("the model's chat template is broken, ChatML is used: %s", error)
                self.present = False

    def render(self, messages: Sequence[ChatMessage]) -> list[Part]:
        """The prompt of the conversation up to where the assistant's answer begins.

        Templates that refuse a system message or two messages of one role in a row get them merged.
        """
        plain = [_Place(message.role, [i]) for i, message in enumerate(messages)]
        for template, places in ((self._template, plain), (self._template, _merged(plain)), (self._chatml, plain)):
            try:
                text = template.render(
                    messages=[{"role": place.role, "content": place.placeholder} for place in places],
                    add_generation_prompt=True,
                    enable_thinking=False,
                    tools=None,
                )
            except Exception as error:  # noqa: BLE001 - a template is a program somebody else wrote
                logger.debug("chat template: %s", error)
                continue
            if not places or f"\ue000{places[-1].indices[-1]}\ue001" in text:
                return _cut(text, messages)
        raise AssertionError("ChatML always renders")


class _Place(msgspec.Struct):
    role: str
    indices: list[int]

    @property
    def placeholder(self) -> str:
        return "\n\n".join(f"\t\ue000{i}\ue001\t" for i in self.indices)


def _merged(places: Sequence[_Place]) -> list[_Place]:
    """System messages put into the user message that follows, and neighbours of one role into one."""
    merged: list[_Place] = []
    for place in places:
        role = "user" if place.role == "system" else place.role
        if merged and merged[-1].role == role:
            merged[-1].indices.extend(place.indices)
        else:
            merged.append(_Place(role, list(place.indices)))
    return merged


def _cut(text: str, messages: Sequence[ChatMessage]) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        if match.start() > at:
            parts.append(Part(text[at : match.start()], special=True))
        content = unicodedata.normalize("NFC", messages[int(match[2])].content)
        content = content if match[1] else content.lstrip()
        content = content if match[3] else content.rstrip()
        if content:
            parts.append(Part(content, special=False))
        at = match.end()
    if at < len(text):
        parts.append(Part(text[at:], special=True))
    return parts
