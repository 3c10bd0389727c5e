"""Free ports are found, taken ones are passed over."""

from __future__ import annotations

import socket

import pytest

from workestra.project.cli import ports
from workestra.project.cli.problem import Problem


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert not ports.is_free(port=number)
        assert ports.next_free(start=number) > number
        with pytest.raises(Problem, match="--port"):
            ports.next_free(start=number, tries=1)


def test_a_port_that_somebody_else_was_promised_is_passed_over() -> None:
    first = ports.next_free(start=18000)
    assert ports.next_free(start=18000, taken=frozenset({first})) > first
