"""JSON Schema of config.json, for editors and for the client's settings page.

`python -m aimark_daemon.config.schema` writes docs/reference/config.schema.json of the source checkout.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from aimark_daemon.config.types import Config

SCHEMA_FILE: Final = Path("docs") / "reference" / "config.schema.json"


def config_schema() -> dict[str, Any]:
    """The schema (draft 2020-12). Unknown keys are flagged, as the daemon warns of them."""
    _, definitions = msgspec.json.schema_components([Config])
    top = definitions.pop("Config")
    for section in (top, *definitions.values()):
        section["additionalProperties"] = False
        section.pop("required", None)
        section.pop("title", None)
    top["properties"] = {"$schema": {"type": "string", "description": "Where this schema is."}, **top["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AI MARK configuration",
        **top,
        "$defs": definitions,
    }


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(config_schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    target = Path(__file__).resolve().parent.parent.parent / SCHEMA_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(schema_text(), encoding="utf-8")
