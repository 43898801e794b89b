"""The generated files are current, and the generator can tell."""

import json
import re

import pytest

from aimark_daemon.protocol import generate
from aimark_daemon.protocol.generate_typescript import type_of
from tests.protocol.strategies import CLIENT, SERVER


def test_the_committed_files_are_the_generated_ones():
    assert generate.FILES.stale() == []


def test_a_changed_or_missing_file_is_named(tmp_path):
    generate.FILES.write(tmp_path)
    assert generate.FILES.stale(tmp_path) == []
    (tmp_path / generate.TYPESCRIPT_PATH).write_text("// 손댄 파일", encoding="utf-8")
    (tmp_path / generate.MARKDOWN_PATH).unlink()
    assert set(generate.FILES.stale(tmp_path)) == {generate.TYPESCRIPT_PATH, generate.MARKDOWN_PATH}


def test_every_reference_of_the_schema_leads_somewhere():
    wire = generate.schema()
    references = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(wire)))
    assert references <= set(wire["$defs"])


@pytest.mark.parametrize("kind", CLIENT + SERVER, ids=lambda kind: kind.__name__)
def test_every_message_is_documented_and_has_a_type(kind):
    files = generate.generated()
    tag = kind.__struct_config__.tag
    assert f"\n### `{tag}`\n" in files[generate.MARKDOWN_PATH]
    assert f'export interface {kind.__name__} {{\n  type: "{tag}";' in files[generate.TYPESCRIPT_PATH]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array", "items": {"enum": ["ko", "en"]}}, '("ko" | "en")[]'),
        ({"anyOf": [{"$ref": "#/$defs/Fault"}, {"type": "null"}]}, "Fault | null"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({}, "unknown"),
    ],
)
def test_a_schema_becomes_its_typescript_type(schema, expected):
    assert type_of(schema) == expected


def test_a_schema_without_a_typescript_type_is_refused():
    with pytest.raises(ValueError, match="no TypeScript"):
        type_of({"type": "string_of_the_future"})
