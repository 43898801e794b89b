"""What a command writes appears whole or not at all, and never in the place of something that is no file."""

import os
import stat
import sys
import threading

import pytest

from aimark_daemon.files import write_whole


def test_a_file_is_written_and_replaced_with_nothing_beside_it(tmp_path):
    file = tmp_path / "답.json"
    for data in (b"first", b"second, longer"):
        write_whole(file, data)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["", ".", "folder", "absent/a.json", "file/a.json"])
def test_what_cannot_be_a_file_is_refused_by_the_system_and_leaves_nothing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"as it was")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match=r"Is a directory|No such file|Not a directory"):
        write_whole(type(tmp_path)(name), b"data")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_bytes() == b"as it was"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are POSIX's")
def test_a_pipe_or_device_is_written_to_and_stays_what_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"data")
    reader.join()
    assert read == [b"data"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
