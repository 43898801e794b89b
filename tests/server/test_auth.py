"""The token file, codes, cookies and throttling."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimark_daemon.errors import AimarkError
from aimark_daemon.server.auth import CODE_SECONDS, COOKIE_SECONDS, Auth
from aimark_daemon.server.faults import TOKEN_MISSING, TOKEN_UNSAFE
from aimark_daemon.server.guards import Verdict
from aimark_daemon.server.token import load_or_create_token, read_token, replace_token
from tests.server.harness import Clock

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no POSIX file modes")
TOKEN = "A" * 43


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def wall():
    return Clock(1_800_000_000.0)


@pytest.fixture
def auth(tmp_path, clock, wall):
    return Auth(tmp_path / "token", clock=clock, wall=wall)


def refused(path):
    with pytest.raises(AimarkError) as caught:
        read_token(path)
    return caught.value


@posix
def test_a_new_token_is_256_bits_in_a_file_that_only_its_owner_reads(tmp_path):
    path = tmp_path / "run" / "token"
    old = os.umask(0)
    try:
        token = load_or_create_token(path)
    finally:
        os.umask(old)
    assert len(token) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["token"]
    assert load_or_create_token(path) == token


def test_programs_that_start_at_once_get_the_same_token(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: load_or_create_token(tmp_path / "token"), range(32)))
    assert len(set(tokens)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["token"]


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o601])
def test_a_token_that_others_can_reach_is_refused_and_the_mode_is_said(tmp_path, mode):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(mode)
    error = refused(path)
    assert TOKEN_UNSAFE.caught_in(error)
    assert f"{mode:04o}" in error.fault.detail
    assert str(path) in error.fault.message.ko


@posix
def test_a_token_behind_a_link_is_refused_and_never_written_through(tmp_path):
    real = tmp_path / "real"
    real.write_text(TOKEN)
    real.chmod(0o600)
    link = tmp_path / "token"
    link.symlink_to(real)
    assert TOKEN_UNSAFE.caught_in(refused(link))
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AimarkError) as caught:
        load_or_create_token(dangling)
    assert TOKEN_UNSAFE.caught_in(caught.value)
    assert not (tmp_path / "elsewhere").exists()
    token = replace_token(link)
    assert real.read_text() == TOKEN
    assert read_token(link) == token


@posix
def test_a_pipe_or_a_folder_in_the_tokens_place_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir()
    assert TOKEN_UNSAFE.caught_in(refused(tmp_path / "pipe"))
    assert TOKEN_UNSAFE.caught_in(refused(tmp_path / "folder"))


@posix
def test_another_owners_token_is_refused(tmp_path, monkeypatch):
    load_or_create_token(tmp_path / "token")
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert TOKEN_UNSAFE.caught_in(refused(tmp_path / "token"))


@pytest.mark.parametrize("content", [b"", b"short", b"A" * 44, b"A" * 42 + b"!", "가".encode() * 15, b"A" * 5000])
def test_a_file_without_a_token_is_refused(tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    assert TOKEN_UNSAFE.caught_in(refused(path))


def test_a_missing_token_is_said_with_its_place(tmp_path):
    error = refused(tmp_path / "token")
    assert TOKEN_MISSING.caught_in(error)
    assert "token" in error.fault.message.en


def test_a_code_works_once(auth):
    code = auth.new_code()
    assert auth.redeem(code) is Verdict.GOOD
    assert auth.redeem(code) is Verdict.WRONG


@pytest.mark.parametrize(("age", "verdict"), [(CODE_SECONDS - 0.1, Verdict.GOOD), (CODE_SECONDS, Verdict.WRONG)])
def test_a_code_works_for_a_minute(auth, clock, age, verdict):
    code = auth.new_code()
    clock.now += age
    assert auth.redeem(code) is verdict


def test_only_the_newest_sixteen_codes_are_kept(auth):
    codes = [auth.new_code() for _ in range(17)]
    assert auth.redeem(codes[0]) is Verdict.WRONG
    assert [auth.redeem(code) for code in codes[1:]] == [Verdict.GOOD] * 16


def test_a_cookie_is_good_for_its_port_until_it_is_thirty_days_old(auth, wall):
    value = auth.cookie_value(8765)
    assert auth.cookie((value,), 8765) is Verdict.GOOD
    assert auth.cookie((value,), 8766) is Verdict.WRONG
    wall.now += COOKIE_SECONDS
    assert auth.cookie((value,), 8765) is Verdict.GOOD
    wall.now += 1
    assert auth.cookie((value,), 8765) is Verdict.WRONG


def test_a_clock_set_back_by_a_day_keeps_cookies_good(auth, wall):
    value = auth.cookie_value(8765)
    wall.now -= 86_400
    assert auth.cookie((value,), 8765) is Verdict.GOOD


def test_a_cookie_survives_a_restart_but_not_a_rotation(auth, tmp_path, clock, wall):
    value = auth.cookie_value(8765)
    again = Auth(tmp_path / "token", clock=clock, wall=wall)
    assert again.cookie((value,), 8765) is Verdict.GOOD
    token, code = read_token(tmp_path / "token"), again.new_code()
    again.rotate()
    assert again.cookie((value,), 8765) is Verdict.WRONG
    assert again.bearer(token) is Verdict.WRONG
    assert again.redeem(code) is Verdict.WRONG
    assert again.bearer(read_token(tmp_path / "token")) is Verdict.GOOD


def test_one_good_cookie_among_planted_ones_is_enough(auth):
    assert auth.cookie(("x", "1.2.3", auth.cookie_value(1)), 1) is Verdict.GOOD


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_made_up_secret_is_good(tmp_path_factory, text):
    auth = Auth(tmp_path_factory.mktemp("auth") / "token", clock=Clock(), wall=Clock(1.8e9))
    assert auth.bearer(text) is Verdict.WRONG
    assert auth.redeem(text) is Verdict.WRONG
    assert auth.cookie((text,), 1) is Verdict.WRONG


@settings(deadline=None)
@given(st.integers(0, 200), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_cookie_with_one_changed_character_is_wrong(tmp_path_factory, place, character):
    auth = Auth(tmp_path_factory.mktemp("auth") / "token", clock=Clock(), wall=Clock(1.8e9))
    value = auth.cookie_value(1)
    place %= len(value)
    changed = value[:place] + character + value[place + 1 :]
    assert auth.cookie((changed,), 1) is (Verdict.GOOD if changed == value else Verdict.WRONG)


def test_after_many_wrong_codes_even_a_right_one_has_to_wait(auth, clock):
    right = auth.new_code()
    assert [auth.redeem("x") for _ in range(10)] == [Verdict.WRONG] * 10
    assert auth.redeem(right) is Verdict.THROTTLED
    clock.now += 6.0
    assert auth.redeem(right) is Verdict.GOOD


def test_wrong_tokens_are_throttled_but_never_lock_the_right_one_out(auth, clock, tmp_path):
    right = read_token(tmp_path / "token")
    assert [auth.bearer("x") for _ in range(20)] == [Verdict.WRONG] * 20
    assert auth.bearer("x") is Verdict.THROTTLED
    assert auth.bearer(right) is Verdict.GOOD
    clock.now += 1.0
    assert auth.bearer("x") is Verdict.WRONG


def test_wrong_codes_do_not_keep_programs_out_nor_wrong_tokens_log_ins(auth, tmp_path):
    for _ in range(30):
        auth.redeem("x")
    assert auth.bearer(read_token(tmp_path / "token")) is Verdict.GOOD


def test_a_page_that_tries_an_old_cookie_again_and_again_keeps_no_other_page_out(auth):
    for _ in range(100):
        assert auth.cookie(("old",), 1) is Verdict.WRONG
    assert auth.cookie((auth.cookie_value(1),), 1) is Verdict.GOOD
