"""One daemon per folder: the lock, the address file, and starts that race."""

import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.runtime import (
    DaemonAddress,
    Instance,
    answers,
    find_daemon,
    is_running,
    read_address,
    start_daemon_detached,
)
from tests.server.harness import in_loop, open_door

STAND_IN = textwrap.dedent(
    """
    import sys, threading, http.server, pathlib
    from aimark_daemon.errors import AimarkError
    from aimark_daemon.runtime import Instance

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.end_headers(); self.wfile.write(b'{"status":"ok","version":"0"}')
        def do_DELETE(self):
            self.send_response(200); self.end_headers()
            threading.Thread(target=self.server.shutdown).start()

    try:
        instance = Instance.acquire(pathlib.Path(sys.argv[1]))
    except AimarkError:
        sys.exit(0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
    print("started", flush=True)
    instance.publish(server.server_port, "0")
    server.serve_forever(poll_interval=0.02)
    instance.release()
    """
)
"""A daemon as far as the runtime folder is concerned; DELETE ends it."""


def stop_stand_in(address):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=5)
    connection.request("DELETE", "/")
    connection.getresponse().read()
    connection.close()


def stand_in(folder):
    return [sys.executable, "-c", STAND_IN, str(folder)]


def test_there_is_one_instance_per_folder_and_the_next_one_learns_where_it_is(tmp_path):
    first = Instance.acquire(tmp_path / "run")
    address = first.publish(8765, "0.1.0")
    with pytest.raises(AimarkError) as caught:
        Instance.acquire(tmp_path / "run")
    assert caught.value.fault.code == "already_running"
    assert caught.value.fault.exit_code == 0
    assert f"port 8765, process {os.getpid()}" in caught.value.fault.detail
    Instance.acquire(tmp_path / "other").release()
    first.release()
    first.release()
    assert address.pid == os.getpid()
    second = Instance.acquire(tmp_path / "run")
    second.release()


def test_the_address_is_there_from_publishing_to_release(tmp_path):
    instance = Instance.acquire(tmp_path)
    assert read_address(tmp_path) is None
    address = instance.publish(8765, "0.1.0")
    assert read_address(tmp_path) == address
    assert set(json.loads((tmp_path / "daemon.json").read_bytes())) == {"port", "pid", "version", "started"}
    assert address.started.endswith("Z")
    assert is_running(tmp_path)
    instance.release()
    assert read_address(tmp_path) is None
    assert not is_running(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"port":"x"}', b"\xff\xfe", b'{"port":1}'])
def test_a_broken_address_file_is_no_daemon_and_no_obstacle(tmp_path, content):
    (tmp_path / "daemon.json").write_bytes(content)
    assert read_address(tmp_path) is None
    assert find_daemon(tmp_path) is None
    Instance.acquire(tmp_path).release()


@in_loop
async def test_a_dead_daemons_address_is_not_trusted_even_if_a_stranger_answers_there(tmp_path):
    import asyncio

    async with open_door(tmp_path) as door:
        stale = DaemonAddress(port=door.port, pid=1, version="0", started="")
        (tmp_path / "daemon.json").write_text(json.dumps({"port": door.port, "pid": 1, "version": "0", "started": ""}))
        assert read_address(tmp_path) == stale
        assert await asyncio.to_thread(answers, door.port)
        assert await asyncio.to_thread(find_daemon, tmp_path) is None
        instance = Instance.acquire(tmp_path)
        address = instance.publish(door.port, "0")
        assert await asyncio.to_thread(find_daemon, tmp_path) == address
        instance.release()


def test_a_held_lock_without_an_answer_is_no_daemon_to_talk_to(tmp_path):
    instance = Instance.acquire(tmp_path)
    assert find_daemon(tmp_path) is None
    instance.publish(1, "0")
    assert find_daemon(tmp_path) is None
    instance.release()


def test_a_killed_daemon_frees_the_folder_at_once(tmp_path):
    daemon = subprocess.Popen(stand_in(tmp_path), stdout=subprocess.PIPE)
    assert daemon.stdout.readline() == b"started\n"
    assert is_running(tmp_path)
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()
    assert not is_running(tmp_path)
    instance = Instance.acquire(tmp_path)
    assert read_address(tmp_path) is None
    instance.release()


def test_starts_that_race_make_one_daemon_and_all_find_it(tmp_path):
    log = tmp_path / "logs" / "daemon.log"
    with ThreadPoolExecutor(4) as pool:
        starts = [
            pool.submit(start_daemon_detached, tmp_path, log, command=stand_in(tmp_path), timeout_s=60.0)
            for _ in range(4)
        ]
        addresses = {start.result() for start in starts}
    (address,) = addresses
    assert log.read_text().count("started") == 1
    assert start_daemon_detached(tmp_path, log, command=["must-not-run"]) == address
    racers = [child for child in psutil.Process().children() if str(tmp_path) in child.cmdline()]
    assert [child.pid for child in racers] == [address.pid], "a loser would be the next daemon"
    stop_stand_in(address)
    psutil.wait_procs(racers, 20)


def test_a_daemon_that_dies_at_its_start_is_told_with_its_last_words_and_the_log(tmp_path):
    log = tmp_path / "daemon.log"
    words = "import sys; sys.stderr.buffer.write('설정이 잘못되었습니다'.encode()); sys.exit(3)"
    with pytest.raises(AimarkError) as caught:
        start_daemon_detached(tmp_path, log, command=[sys.executable, "-c", words])
    fault = caught.value.fault
    assert fault.code == "daemon_start_failed"
    assert "exit code 3" in fault.detail
    assert "설정이 잘못되었습니다" in fault.detail
    assert str(log) in fault.hint.ko


def test_a_daemon_that_never_answers_is_given_up(tmp_path):
    log = tmp_path / "daemon.log"
    instance = Instance.acquire(tmp_path)
    with pytest.raises(AimarkError) as caught:
        start_daemon_detached(tmp_path, log, command=["must-not-run"], timeout_s=0.1)
    assert "did not answer" in caught.value.fault.detail
    instance.release()
