"""Ports of this machine: free, taken, or not ours to take."""

from __future__ import annotations

import errno
import socket

from workestra.project.cli.problem import Code, Problem

LOCAL = "127.0.0.1"


def must_be_free(*, host: str, port: int) -> None:
    """Refuse an address at which no server can listen, before anything is started.

    Raises:
        Problem: naming the port or the host, and what to choose instead.
    """
    try:
        _listen(host, port)
    except socket.gaierror:
        raise Problem(
            f"{host} is no address of this machine. Choose another --host, for example 127.0.0.1", code=Code.USAGE
        ) from None
    except OSError as problem:
        raise _words(problem, host, port) from None


def is_free(*, port: int, host: str = LOCAL) -> bool:
    """Whether a server could listen there now."""
    try:
        _listen(host, port)
    except OSError:
        return False
    return True


def next_free(*, start: int, taken: frozenset[int] = frozenset(), tries: int = 200) -> int:
    """The first free port from `start` on. Raises Problem when there is none among `tries`."""
    for port in range(start, min(start + tries, 65536)):
        if port not in taken and is_free(port=port):
            return port
    raise Problem(f"No free port between {start} and {start + tries - 1}. Choose another with --port.")


def _listen(host: str, port: int) -> None:
    """Listen and let go. A server that shares its ports (SO_REUSEPORT) would let a second one in silently."""
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:1]:
        with socket.socket(family, kind, protocol) as some:
            some.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            some.bind(address)
            some.listen(1)


def _words(problem: OSError, host: str, port: int) -> Problem:
    if problem.errno == errno.EADDRINUSE:
        free = next((one for one in range(port + 1, min(port + 200, 65536)) if is_free(port=one, host=host)), port)
        return Problem(
            f"Port {port} of {host} is taken by another program. End that, or choose another: --port {free} "
            "(and WORKESTRA_PUBLIC_URL, where it names the port)."
        )
    if problem.errno == errno.EACCES:
        return Problem(f"Port {port} is open to administrators alone. Choose one above 1023: --port 8000")
    if problem.errno == errno.EADDRNOTAVAIL:
        return Problem(
            f"{host} is no address of this machine. Choose another --host, for example 127.0.0.1", code=Code.USAGE
        )
    return Problem(
        f"Nobody can listen on port {port} of {host}: {problem.strerror or problem}. Choose another --port."
    )
