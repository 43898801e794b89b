"""The generator: JSON Schema, TypeScript types and the reference page, made from the message types.

`python -m aimark_daemon.protocol.generate` writes them; with `--check` it writes nothing and exits with 1 if one of
the committed files is not what would be written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from aimark_daemon.generated import Generated
from aimark_daemon.protocol import messages
from aimark_daemon.protocol.generate_markdown import markdown
from aimark_daemon.protocol.generate_typescript import typescript

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


FILES: Final = Generated("aimark_daemon.protocol.generate", generated)


if __name__ == "__main__":
    sys.exit(FILES.main())
