"""Names for people of what the engines do; programs know them as llm, stt and tts."""

from __future__ import annotations

from typing import Final

from aimark_daemon.errors import Text

JOB_NAMES: Final = {
    "llm": Text("thinking", "생각"),
    "stt": Text("hearing", "듣기"),
    "tts": Text("speaking", "말하기"),
}


def named(job: str) -> Text:
    """The name of a job, or of a worker that does it; one that is not known keeps its own."""
    return JOB_NAMES.get(job, Text(job, job))
