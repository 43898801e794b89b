"""The user's uv index reaches pip, unless pip has one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.models.index_settings import IndexSettings, pip_has_index, uv_settings, uv_toml_files


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"UV_INDEX_URL": "https://a/simple"}, {"PIP_INDEX_URL": "https://a/simple"}),
        (
            {"UV_DEFAULT_INDEX": "https://b/simple", "UV_INDEX_URL": "https://a/simple"},
            {"PIP_INDEX_URL": "https://b/simple"},
        ),
        ({"UV_DEFAULT_INDEX": "회사=https://b/simple"}, {"PIP_INDEX_URL": "https://b/simple"}),
        ({"UV_DEFAULT_INDEX": "https://b/simple?x=https://c"}, {"PIP_INDEX_URL": "https://b/simple?x=https://c"}),
        (
            {"UV_INDEX": "one=https://1/s https://2/s", "UV_EXTRA_INDEX_URL": "https://3/s"},
            {"PIP_EXTRA_INDEX_URL": "https://1/s https://2/s https://3/s"},
        ),
        ({"UV_FIND_LINKS": "/휠,/more"}, {"PIP_FIND_LINKS": "/휠 /more"}),
    ],
)
def test_uvs_variables_become_pips(environment, expected):
    assert uv_settings(environment).as_pip() == expected


def test_uv_toml_is_read_and_variables_go_before_it():
    text = """
        extra-index-url = ["https://extra/s"]
        [[index]]
        url = "https://more/s"
        [[index]]
        url = "https://hidden/s"
        explicit = true
        [[index]]
        url = "https://main/s"
        default = true
    """
    assert uv_settings({}, [text]) == IndexSettings("https://main/s", ("https://more/s", "https://extra/s"))
    assert uv_settings({"UV_INDEX_URL": "https://env/s"}, [text]).index == "https://env/s"
    assert uv_settings({}, ['index-url = "https://old/s"']).index == "https://old/s"


@given(st.text())
def test_any_uv_toml_is_survived(text):
    assert isinstance(uv_settings({}, [text]).as_pip(), dict)


def test_uv_toml_is_looked_for_where_uv_does():
    assert uv_toml_files({"UV_CONFIG_FILE": "/a/uv.toml", "HOME": "/h"}, "linux") == [Path("/a/uv.toml")]
    assert uv_toml_files({"UV_NO_CONFIG": "1", "HOME": "/h"}, "linux") == []
    assert uv_toml_files({"HOME": "/h"}, "linux")[0] == Path("/h/.config/uv/uv.toml")
    assert uv_toml_files({"XDG_CONFIG_HOME": "/c"}, "darwin")[0] == Path("/c/uv/uv.toml")
    assert len(uv_toml_files({"APPDATA": "A", "PROGRAMDATA": "P"}, "win32")) == 2


def test_pips_own_index_is_seen():
    assert pip_has_index("global.cert='/x'\nglobal.index-url='https://a/s'\n")
    assert pip_has_index(":env:.index-url='https://a/s'")
    assert not pip_has_index("global.extra-index-url='https://a/s'\n")
    assert not pip_has_index("")
