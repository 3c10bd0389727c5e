"""Free ports on this machine."""

from __future__ import annotations

import socket

from workestra.project.cli.problem import Problem


def is_free(*, port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as some:
        some.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            some.bind((host, port))
        except OSError:
            return False
    return True


def next_free(*, start: int, taken: frozenset[int] = frozenset(), tries: int = 200) -> int:
    """The first free port from `start` on. Raises Problem when there is none among `tries`."""
    for port in range(start, min(start + tries, 65536)):
        if port not in taken and is_free(port=port):
            return port
    raise Problem(f"No free port between {start} and {start + tries - 1}. Choose another with --port.")
