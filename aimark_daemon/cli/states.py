"""States of the daemon, its engines and its answers, and who speaks, in words for people."""

from __future__ import annotations

from typing import Final

from aimark_daemon.errors import Text

_STATES: Final = {
    "ready": Text("ready", "준비됨"),
    "busy": Text("at work", "작업 중"),
    "loading": Text("loading", "불러오는 중"),
    "spawning": Text("starting", "시작하는 중"),
    "starting": Text("starting", "시작하는 중"),
    "awaited": Text("waiting for its model", "모델을 기다리는 중"),
    "absent": Text("not there", "없음"),
    "failed": Text("failed", "실패"),
    "stopped": Text("stopped", "멈춤"),
    "asleep": Text("asleep", "쉬는 중"),
    "stopping": Text("stopping", "끝내는 중"),
    "streaming": Text("being written", "쓰는 중"),
    "cancelled": Text("cancelled", "취소됨"),
    "interrupted": Text("interrupted", "중단됨"),
    "degraded": Text("something does not work", "일부 기능을 쓸 수 없음"),
}


ROLES: Final = {
    "user": Text("You", "나"),
    "assistant": Text("Assistant", "어시스턴트"),
    "system": Text("Instructions", "지시"),
}


def in_words(state: str, language: str) -> str:
    """The state in the person's language; one that is not known as it is."""
    return _STATES.get(state, Text(state, state)).in_language(language)
