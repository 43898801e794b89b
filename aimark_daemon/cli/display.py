"""The screen: whether there is one, and the browser on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping


def has_display(environment: Mapping[str, str] | None = None) -> bool:
    """Whether there is a screen to open a browser on."""
    variables = os.environ if environment is None else environment
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(variables.get("DISPLAY") or variables.get("WAYLAND_DISPLAY"))


def open_page(address: str) -> bool:
    """Open the browser in a process of its own, which may take its time; False where there is no screen."""
    if not has_display():
        return False
    # The address comes through stdin: everyone on the machine can read arguments.
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys, webbrowser; webbrowser.open(sys.stdin.read())"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert child.stdin is not None
    child.stdin.write(address.encode())
    child.stdin.close()
    return True
