"""`aimark`: parses the command line, runs one command, and turns whatever goes wrong into words and an exit code."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from aimark_daemon.cli.faults import CANCELLED
from aimark_daemon.cli.parser import build_parser, with_command
from aimark_daemon.cli.shell import Shell
from aimark_daemon.errors import Exit, as_fault

_PIPE_CLOSED = 128 + 13
"""Exit code of a program whose reader left, as shells report it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _prepare()
    shell = Shell(json="--json" in arguments, debug="--debug" in arguments)
    try:
        try:
            parsed = build_parser(shell.language).parse_args(with_command(arguments))
            shell.json = parsed.json
            module = importlib.import_module(f"aimark_daemon.cli.{parsed.command}")
            return int(module.run(shell, parsed))
        except BrokenPipeError:
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - users get words, not tracebacks
            if shell.debug:
                import traceback  # noqa: PLC0415 - rarely needed

                traceback.print_exc()
            return shell.fail(CANCELLED.fault() if isinstance(error, KeyboardInterrupt) else as_fault(error))
    except BrokenPipeError:
        # What is still buffered would fail again when Python closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except SystemExit as end:  # --help and --version
        return int(end.code or Exit.OK)


def _prepare() -> None:
    """Make the streams take any text, and Ctrl-C work also where a shell script started us in the background."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            plain = sys.platform == "win32" or stream.encoding.lower() in ("ascii", "ansi_x3.4-1968", "us-ascii")
            stream.reconfigure(encoding="utf-8" if plain else None, errors="replace")
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
