"""The generator: JSON Schema, TypeScript types and the reference page, made from the message types.

`python -m aimark_daemon.protocol.generate` writes them; with `--check` it writes nothing and exits with 1 if one of
the committed files is not what would be written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from aimark_daemon.protocol import messages
from aimark_daemon.protocol.generate_markdown import markdown
from aimark_daemon.protocol.generate_typescript import typescript

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_PATH = Path("docs/reference/protocol.schema.json")
TYPESCRIPT_PATH = Path("web_client/src/protocol.ts")
MARKDOWN_PATH = Path("docs/reference/protocol.md")


def schema() -> dict[str, Any]:
    """The wire as JSON Schema 2020-12: every type in `$defs`, each direction as `ClientMessage` or `ServerMessage`."""
    (client, server), components = msgspec.json.schema_components(
        [messages.ClientMessage, messages.ServerMessage], ref_template="#/$defs/{name}"
    )
    definitions: dict[str, Any] = {"ClientMessage": client, "ServerMessage": server, **components}
    for definition in definitions.values():
        definition.pop("title", None)
        if "description" in definition:
            definition["description"] = " ".join(definition["description"].split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AI MARK protocol",
        "version": messages.PROTOCOL_VERSION,
        "anyOf": [{"$ref": "#/$defs/ClientMessage"}, {"$ref": "#/$defs/ServerMessage"}],
        "$defs": definitions,
    }


def generated() -> dict[Path, str]:
    """The text of every generated file, by its path from the repository's root."""
    wire = schema()
    return {
        SCHEMA_PATH: json.dumps(wire, ensure_ascii=False, indent=2) + "\n",
        TYPESCRIPT_PATH: typescript(wire),
        MARKDOWN_PATH: markdown(wire),
    }


def stale(root: Path = ROOT) -> list[Path]:
    """The generated files under `root` that are missing or not current."""
    return [
        path
        for path, text in generated().items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def write(root: Path = ROOT) -> None:
    """Write every generated file under `root`."""
    for path, text in generated().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m aimark_daemon.protocol.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is not current")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    old = stale()
    for path in old:
        sys.stderr.write(f"{path} is not current: run `python -m aimark_daemon.protocol.generate`\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
