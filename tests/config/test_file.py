"""The configuration: what is read, refused, warned of and changed."""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.config import changes, load_config, restart_keys, set_value
from aimark_daemon.config.schema import SCHEMA_FILE, config_schema, schema_text
from aimark_daemon.config.types import Config, SystemPrompt, keep_alive_s, system_prompt_in
from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.paths import shipped_config

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, text: str) -> Path:
    path = folder / "config.json"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> Fault:
    with pytest.raises(AimarkError) as caught:
        load_config(path)
    return caught.value.fault


def test_a_missing_file_means_defaults(tmp_path):
    loaded = load_config(tmp_path / "none" / "config.json")
    assert loaded.config == Config()
    assert loaded.warnings == ()
    assert not (tmp_path / "none").exists()


def test_the_shipped_file_is_complete_and_holds_the_defaults():
    loaded = load_config(shipped_config())
    assert loaded.warnings == ()
    given_defaults = msgspec.structs.replace(
        Config(), llm=msgspec.structs.replace(Config().llm, system_prompt=SystemPrompt())
    )
    assert loaded.config == given_defaults
    values = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    assert list(values) == ["$schema", *Config.__struct_fields__]
    for name, section in values.items():
        if isinstance(section, dict):
            assert list(section) == list(getattr(Config(), name).__struct_fields__)
    assert (ROOT / values["$schema"]).is_file()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ('"10m"', 600),
        ('"1h30m"', 5400),
        ('"1h2m3s500ms"', 3723.5),
        ('"250ms"', 0.25),
        ('"90"', 90),
        ("90", 90),
        ("0", 0),
        ('"0"', 0),
        ('"0s"', 0),
        ("-1", None),
        ('"-1"', None),
    ],
)
def test_how_long_an_unused_model_stays_is_seconds_or_a_text(tmp_path, value, seconds):
    loaded = load_config(written(tmp_path, f'{{"llm": {{"keep_alive": {value}}}}}'))
    assert keep_alive_s(loaded.config.llm) == seconds


@pytest.mark.parametrize("value", ['""', '"m"', '"10"x', '"10 m"', '"-5m"', '"٣m"', "1.5", "null", '"10m\n"'])
def test_what_is_no_length_of_time_is_refused(tmp_path, value):
    path = written(tmp_path, f'{{"llm": {{"keep_alive": {value}}}}}')
    assert refused(path).code in ("config_invalid", "config_broken")


def test_the_schema_in_the_docs_is_the_one_of_the_code():
    assert (ROOT / SCHEMA_FILE).read_text(encoding="utf-8") == schema_text()


def test_every_setting_is_described_in_the_schema():
    schema = config_schema()
    for section in (schema, *schema["$defs"].values()):
        assert section["description"]
        for name, setting in section["properties"].items():
            described = setting.get("description") or setting.get("$ref") or section is schema["$defs"]["SystemPrompt"]
            assert described, name


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed", "line"),
    [
        ('{\n "server": {\n  "port": 70000}}', "server.port", "70000", "from 0 to 65535", 3),
        ('{"server": {"port": true}}', "server.port", "true", "a whole number", 1),
        ('{"llm": {"temperature": "hot"}}', "llm.temperature", '"hot"', "a number from 0 to 5", 1),
        ('{"llm": {\n"top_p": 0}}', "llm.top_p", "0", "above 0 and up to 1", 2),
        ('{"llm": {"gpu_layers": "all"}}', "llm.gpu_layers", '"all"', '"auto" or a whole number', 1),
        ('{"llm": {"threads": 0}}', "llm.threads", "0", "from 1 to 1024 or null", 1),
        ('{"llm": {"history_turns": 1001}}', "llm.history_turns", "1001", "from 0 to 1000", 1),
        ('{"llm": {"keep_alive": "잠깐"}}', "llm.keep_alive", '"잠깐"', 'or a time as "10m"', 1),
        ('{"llm": {"keep_alive": -2}}', "llm.keep_alive", "-2", "from -1 to 31536000", 1),
        ('{"llm": {"stop": ["", "끝"]}}', "llm.stop", '["", "끝"]', "a list [ ]", 1),
        ('{"llm": {"system_prompt": {"ko": 5}}}', "llm.system_prompt.ko", "5", "a text", 1),
        ('{"language": "한국어"}', "language", '"한국어"', '"auto" or "en" or "ko"', 1),
        ('{"stt": []}', "stt", "[]", "an object { }", 1),
        ('{"paths": {"models": ""}}', "paths.models", '""', "not empty", 1),
        ('{"plugins": {"settings": {"날씨": 3}}}', "plugins.settings", '{"날씨": 3}', "an object { }", 1),
        ('{"telemetry": {"interval_s": 1e999}}', "telemetry.interval_s", "Infinity", "from 0.1 to 3600", 1),
    ],
)
def test_a_wrong_value_names_key_value_place_and_what_is_allowed(tmp_path, text, key, value, allowed, line):
    path = written(tmp_path, text)
    fault = refused(path)
    assert fault.code == "config_invalid"
    assert fault.exit_code == 3
    assert f"{path}:{line}: {key} is {value}," in fault.message.en
    assert allowed in fault.message.en
    assert f"{path}:{line}: {key} 값이 {value}입니다" in fault.message.ko
    assert key in fault.hint.en


def test_all_wrong_values_are_told_at_once(tmp_path):
    fault = refused(written(tmp_path, '{"server": {"port": -1},\n "log": {"level": "loud"}}'))
    assert "server.port" in fault.message.en
    assert ':2: log.level is "loud"' in fault.detail


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ":1:1"),
        ('{\n  "llm": {,}\n}', ":2:11"),
        ('{"llm": NaN}', ""),
        ("[1]", ":1"),
        ('{"a": ' * 100_000, ""),
        ('{"server": {"port": ' + "9" * 5000 + "}}", ""),
        ('{"llm":\n {"model": "\\uD83D"}}', ":2"),
        ('{\n"\\udc00": 1}', ":2"),
    ],
)
def test_broken_json_names_its_place(tmp_path, text, place):
    path = written(tmp_path, text)
    fault = refused(path)
    assert fault.code == "config_broken"
    assert f"{path}{place} " in fault.message.en


def test_a_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + '{"llm": {"system_prompt": "친절하게"}}'.encode())
    config = load_config(path).config
    assert system_prompt_in(config.llm, "ko") == system_prompt_in(config.llm, "en") == "친절하게"


def test_another_encoding_is_told_with_its_line(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b'{"llm": {\n"system_prompt": "' + "안녕".encode("cp949") + b'"}}')
    fault = refused(path)
    assert fault.code == "config_encoding"
    assert f"{path}:2 " in fault.message.en
    path.write_bytes('{"language": "ko"}'.encode("utf-16"))
    assert refused(path).code == "config_encoding"


def test_a_folder_in_its_place_is_told(tmp_path):
    assert refused(tmp_path).code == "config_unreadable"


def test_unknown_and_doubled_keys_are_warnings_that_name_the_nearest(tmp_path):
    path = written(
        tmp_path, '{"llm": {\n"temprature": 1,\n"top_k": 1,\n"top_k": 2}, "port": 1, "$schema": "x", "서버": {}}'
    )
    loaded = load_config(path)
    told = [(warning.code, warning.message.en, warning.hint.en) for warning in loaded.warnings]
    assert (
        "config_key_ignored",
        f"{path}:2: the key llm.temprature is unknown and ignored.",
        "The nearest known key is llm.temperature.",
    ) in told
    assert any("the key port is" in message and "server.port" in hint for _, message, hint in told)
    assert any(code == "config_key_doubled" and f"{path}:4: the key llm.top_k" in message for code, message, _ in told)
    assert len(told) == 4
    assert loaded.config.llm.top_k == 2


def test_the_system_prompt_may_differ_by_language(tmp_path):
    config = load_config(written(tmp_path, '{"llm": {"system_prompt": {"ko": "짧게 답하세요."}}}')).config
    assert system_prompt_in(config.llm, "ko") == "짧게 답하세요."
    assert system_prompt_in(config.llm, "en") == ""


def test_changing_a_value_keeps_unknown_keys_and_their_order(tmp_path):
    path = written(tmp_path, '{"tts": {"speed": 1.5, "메모": "빠르게"}, "mine": [1], "llm": {"top_k": 5}}')
    changed = set_value(load_config(path), "llm.temperature", 0.2)
    assert changed.config.llm.temperature == 0.2
    assert (
        path.read_text(encoding="utf-8")
        == json.dumps(
            {"tts": {"speed": 1.5, "메모": "빠르게"}, "mine": [1], "llm": {"top_k": 5, "temperature": 0.2}},
            ensure_ascii=False,
            indent=2,
        )
        + "\n"
    )
    assert load_config(path).config == changed.config
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]


def test_an_edit_made_meanwhile_is_kept(tmp_path):
    path = written(tmp_path, "{}")
    loaded = load_config(path)
    written(tmp_path, '{"server": {"port": 9000}}')
    changed = set_value(loaded, "tts.enabled", False)
    assert (changed.config.server.port, changed.config.tts.enabled) == (9000, False)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("llm.temperature", "뜨겁게", "config_invalid"),
        ("llm.temperature", float("nan"), "config_invalid"),
        ("llm.stop", ["a"] * 17, "config_invalid"),
        ("plugins.settings.weather.limit", float("inf"), "config_invalid"),
        ("llm", None, "config_invalid"),
        ("llm.temprature", 1, "config_key_unknown"),
        ("llm.temperature.x", 1, "config_key_unknown"),
        ("", 1, "config_key_unknown"),
        ("$schema", "x", "config_key_unknown"),
        ("plugins.settings..x", 1, "config_key_unknown"),
    ],
)
def test_a_refused_change_leaves_the_file_as_it_was(tmp_path, key, value, code):
    path = written(tmp_path, '{"llm": {"top_k": 7}}')
    before = path.read_bytes()
    with pytest.raises(AimarkError) as caught:
        set_value(load_config(path), key, value)
    assert caught.value.fault.code == code
    assert path.read_bytes() == before


def test_the_first_change_writes_the_shipped_file_with_it(tmp_path):
    path = tmp_path / "새 폴더" / "config.json"
    set_value(load_config(path), "server.port", 0)
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values["server"]["port"] == 0
    schema = Path(url2pathname(urlsplit(values.pop("$schema")).path))
    assert json.loads(schema.read_text(encoding="utf-8"))["title"]
    assert list(values) == list(Config.__struct_fields__)


def test_plugin_settings_are_made_on_the_way(tmp_path):
    path = written(tmp_path, "{}")
    changed = set_value(load_config(path), "plugins.settings.날씨.city", "서울")
    assert changed.config.plugins.settings == {"날씨": {"city": "서울"}}
    assert set_value(changed, "llm.system_prompt.ko", "짧게").config.llm.system_prompt == SystemPrompt(ko="짧게")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_linked_file_stays_a_link_and_keeps_its_mode(tmp_path):
    real = written(tmp_path, "{}").rename(tmp_path / "real.json")
    real.chmod(0o640)
    link = tmp_path / "config.json"
    link.symlink_to(real)
    set_value(load_config(link), "log.level", "debug")
    assert link.is_symlink()
    assert json.loads(real.read_text())["log"]["level"] == "debug"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_file_that_cannot_be_replaced_is_told_and_stays_whole(tmp_path, monkeypatch):
    path = written(tmp_path, "{}")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AimarkError) as caught:
        set_value(load_config(path), "log.level", "debug")
    assert caught.value.fault.code == "config_unwritable"
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("config.json", "{}")]


def test_changes_say_what_is_live_and_what_needs_a_restart():
    old = Config()
    new = msgspec.convert(
        {"server": {"port": 1}, "llm": {"top_k": 1, "context": 512}, "paths": {"data": "d"}, "tts": {"model": "x"}},
        Config,
    )
    found = changes(old, new)
    assert found.live == ("llm.top_k",)
    assert found.reload == ("llm.context", "tts.model")
    assert found.engines == {"llm", "tts"}
    assert found.restart == restart_keys(old, new) == ("server.port", "paths.data")
    assert changes(old, old).live == changes(old, old).reload == restart_keys(old, old) == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from(["server", "port", "llm", "temperature", "stop", "system_prompt", "ko", "plugins", "settings"])


@settings(deadline=None)
@given(data=st.dictionaries(names | st.text(max_size=5), json_values | st.dictionaries(names, json_values)))
def test_any_json_is_read_or_refused_as_a_fault(tmp_path_factory, data):
    path = written(tmp_path_factory.mktemp("config"), json.dumps(data, indent=1))
    try:
        loaded = load_config(path)
    except AimarkError as error:
        assert error.fault.code == "config_invalid"
    else:
        assert msgspec.convert(msgspec.to_builtins(loaded.config), Config) == loaded.config


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_as_a_fault(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_bytes(data)
    try:
        load_config(path)
    except AimarkError as error:
        assert error.fault.code in {"config_broken", "config_encoding"}
    else:
        assert isinstance(json.loads(data), dict)
