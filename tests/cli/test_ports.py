"""Free ports are found, taken ones are passed over."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.cli.terminal import clean_environment, workestra

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


@pytest.mark.parametrize(("command", "port"), [("sandbox", "65536"), ("web", "-1"), ("serve", "http"), ("demo", "0")])
def test_a_port_that_cannot_be_is_a_wrong_use(tmp_path: Path, command: str, port: str) -> None:
    done = workestra(command, "--port", port, env=clean_environment(home=tmp_path))
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
