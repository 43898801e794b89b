"""The port: taken, forbidden, free."""

import errno
import socket

import pytest

from aimark_daemon.errors import AimarkError
from aimark_daemon.server.binding import bind_loopback
from aimark_daemon.server.faults import PORT_REFUSED, PORT_TAKEN
from tests.server.harness import in_loop, open_door


def listening(family, host, port=0):
    other = socket.socket(family, socket.SOCK_STREAM)
    other.bind((host, port))
    other.listen()
    return other


def test_a_taken_port_is_named_with_what_to_do():
    with listening(socket.AF_INET, "127.0.0.1") as other:
        port = other.getsockname()[1]
        with pytest.raises(AimarkError) as caught:
            bind_loopback(port)
    fault = caught.value.fault
    assert PORT_TAKEN.caught_in(caught.value)
    assert str(port) in fault.message.en
    assert str(port) in fault.message.ko
    assert "--port" in fault.hint.ko
    assert fault.exit_code == 3


class FailingSocket(socket.socket):
    """Cannot be bound to one kind of address."""

    family_that_fails = socket.AF_INET
    code = errno.EACCES

    def bind(self, address):
        if self.family == self.family_that_fails:
            raise OSError(self.code, "as the test wants")
        super().bind(address)


def test_a_port_taken_on_ipv6_only_is_taken_as_its_owner_would_answer_for_localhost(monkeypatch):
    try:
        other = listening(socket.AF_INET6, "::1")
    except OSError:  # no IPv6 on this machine
        monkeypatch.setattr(FailingSocket, "family_that_fails", socket.AF_INET6)
        monkeypatch.setattr(FailingSocket, "code", errno.EADDRINUSE)
        monkeypatch.setattr(socket, "socket", FailingSocket)
        other = listening(socket.AF_INET, "127.0.0.1")
        port = 0
    else:
        port = other.getsockname()[1]
    with other, pytest.raises(AimarkError) as caught:
        bind_loopback(port)
    assert PORT_TAKEN.caught_in(caught.value)


def test_a_forbidden_port_is_said(monkeypatch):
    monkeypatch.setattr(socket, "socket", FailingSocket)
    with pytest.raises(AimarkError) as caught:
        bind_loopback(0)
    assert PORT_REFUSED.caught_in(caught.value)


def test_a_machine_without_ipv6_is_served_on_ipv4(monkeypatch):
    monkeypatch.setattr(FailingSocket, "family_that_fails", socket.AF_INET6)
    monkeypatch.setattr(FailingSocket, "code", errno.EADDRNOTAVAIL)
    monkeypatch.setattr(socket, "socket", FailingSocket)
    (only,) = bind_loopback(0)
    with only:
        assert only.getsockname()[0] == "127.0.0.1"


@in_loop
async def test_a_server_on_a_taken_port_does_not_start_and_can_try_again(tmp_path):
    async with open_door(tmp_path) as first, open_door(tmp_path) as second:
        taken = first.port
        second.server.port, free = taken, second.port
        with pytest.raises(AimarkError) as caught:
            await second.server.start()
        assert PORT_TAKEN.caught_in(caught.value)
        second.server.port = free


@in_loop
async def test_a_port_is_free_again_as_soon_as_the_server_stopped(tmp_path):
    async with open_door(tmp_path) as door, door.greeted():
        port = door.port
        await door.server.stop()
        for sock in bind_loopback(port):
            sock.close()
