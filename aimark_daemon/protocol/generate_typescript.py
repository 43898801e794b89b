"""TypeScript types of the wire, from its JSON Schema. Pure."""

from __future__ import annotations

import json
from typing import Any

HEADER = """\
// The wire's types, generated from aimark_daemon/protocol/messages.py. Change them there, then run
// `python -m aimark_daemon.protocol.generate`.
"""
WIDTH = 120
SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def typescript(wire: dict[str, Any]) -> str:
    """The module that declares every definition of `wire`, the schema of `generate.schema`."""
    parts = [HEADER, f"export const PROTOCOL_VERSION = {wire['version']};\n"]
    for name, definition in wire["$defs"].items():
        if "anyOf" in definition:
            members = "".join(f"\n  | {type_of(member)}" for member in definition["anyOf"])
            parts.append(f"export type {name} ={members};\n")
        else:
            parts.append(_interface(name, definition))
    return "\n".join(parts)


def type_of(schema: dict[str, Any]) -> str:  # noqa: PLR0911 - one return for each kind of schema
    """The TypeScript type of one schema.

    Raises:
        ValueError: a kind of schema that no message has used so far.
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(type_of(member) for member in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    match schema.get("type"):
        case None:
            return "unknown"
        case "array":
            item = type_of(schema["items"])
            return f"({item})[]" if " " in item else f"{item}[]"
        case "object":
            values = schema.get("additionalProperties", {})
            return f"Record<string, {type_of(values)}>"
        case str(name) if name in SCALARS:
            return SCALARS[name]
    raise ValueError(f"no TypeScript for {schema!r}")


def _interface(name: str, definition: dict[str, Any]) -> str:
    required = set(definition.get("required", ()))
    lines = _comment(definition.get("description", ""))
    lines.append(f"export interface {name} {{")
    for field, schema in definition["properties"].items():
        optional = "" if field in required else "?"
        lines.append(f"  {field}{optional}: {type_of(schema)};")
    lines.append("}\n")
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    if not text:
        return []
    lines = [""]
    for word in text.replace("*/", "").split():
        if len(lines[-1]) + len(word) > WIDTH - 4:
            lines.append("")
        lines[-1] += f" {word}"
    if len(lines) == 1:
        return [f"/**{lines[0]} */"]
    return ["/**", *(f" *{line}" for line in lines), " */"]
