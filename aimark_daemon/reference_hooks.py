"""The reference page of hooks, made from their declarations: arguments, purpose and example of each."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Final

from aimark_daemon.plugins.hookspecs import API_VERSION, Hooks

_HEAD: Final = """\
# Hooks

{note}

A hook is a function of this name, with `@hookimpl`, in a plugin. It takes those of the arguments that it needs. Where
the page says *may wait*, it can be `async def`. This is plugin interface {version}; `AIMARK_API = {version}` in a
plugin says that it was made for it.

Plugins are asked one after another, the last one loaded first; `@hookimpl(tryfirst=True)` and `trylast=True` change
that. `aimark_build_context` is asked of all at the same time. What raises, returns something else or is late is left
out and counted; three failures in ten minutes turn the plugin off until it is enabled again.
"""


def hooks() -> dict[str, Callable[..., Any]]:
    """Every hook by its name, in the order of their declarations."""
    return {name: function for name, function in vars(Hooks).items() if name.startswith("aimark_")}


def purpose(hook: Callable[..., Any]) -> str:
    """The line that says what a hook is for."""
    return (inspect.getdoc(hook) or "").split("\n", 1)[0]


def example(hook: Callable[..., Any]) -> str:
    """The example in a hook's docstring; empty if it has none."""
    return textwrap.dedent((inspect.getdoc(hook) or "").partition("Example:\n")[2]).strip() + "\n"


def hooks_page(note: str) -> str:
    """The reference page of hooks."""
    parts = [_HEAD.format(note=note, version=API_VERSION)]
    for name, hook in hooks().items():
        signature = inspect.signature(hook)
        arguments = [f"{one.name}: {one.annotation}" for one in signature.parameters.values() if one.name != "self"]
        kind = "may wait" if inspect.iscoroutinefunction(hook) else "returns at once"
        parts.append(f"## `{name}({', '.join(arguments)})`\n\n{purpose(hook)}\n")
        parts.append(f"*{kind}*, returns `{signature.return_annotation}`\n\n```python\n{example(hook)}```\n")
    return "\n".join(parts)
