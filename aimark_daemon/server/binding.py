"""Binding: the loopback sockets of one port, on IPv4 and, where there is IPv6, on both."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from typing import Final

from aimark_daemon.server.faults import PORT_REFUSED, PORT_TAKEN

_TAKEN: Final = frozenset({errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)})
_ATTEMPTS: Final = 20
_BACKLOG: Final = 64


def bind_loopback(port: int) -> list[socket.socket]:
    """Listening-ready sockets of 127.0.0.1 and, if the machine has it, ::1, all on one port; 0 takes a free one.

    Raises:
        AimarkError: `port_taken`, `port_refused`.
    """
    for _ in range(_ATTEMPTS):
        first = _bound(socket.AF_INET, "127.0.0.1", port)
        chosen = int(first.getsockname()[1])
        try:
            second = _bound(socket.AF_INET6, "::1", chosen)
        except OSError as error:
            if error.errno not in _TAKEN:
                return [first]  # no IPv6 here
            first.close()
        except BaseException:
            first.close()
            raise
        else:
            return [first, second]
        if port:
            break
    # Whoever holds ::1 would answer for "localhost" in our place.
    raise PORT_TAKEN(detail="::1 is used by another program", port=port)


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    """One bound socket. IPv4 raises a fault, as it is needed; IPv6 raises OSError."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        # Listening at once shows a second listener that SO_REUSEADDR let bind.
        sock.listen(_BACKLOG)
    except OSError as error:
        with contextlib.suppress(OSError):
            sock.close()
        if family == socket.AF_INET6:
            raise
        if error.errno in _TAKEN:
            raise PORT_TAKEN(detail=str(error), port=port) from error
        raise PORT_REFUSED(detail=str(error), port=port) from error
    return sock
