"""Start the feeder and the runners, wait for them, and end them by their own process id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.contract import Result

ROOT = Path(__file__).resolve().parent.parent
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    """A runner ended badly, or not in time; carries the end of what it wrote."""


@contextlib.contextmanager
def feeder(*, messages: int, arguments: list[str]) -> Iterator[str]:
    """A feeder on a free loopback port, ready to serve; yields its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "bench.feeder",
        "--port",
        str(port),
        "--messages",
        str(messages),
        *arguments,
    ]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line.startswith("ready"):
            raise Failed("the feeder did not start")
        print(line.strip(), file=sys.stderr, flush=True)
        origin = f"http://127.0.0.1:{port}"
        _wait(port=port)
        yield origin
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _wait(*, port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise Failed("the feeder does not listen")


def ask(*, url: str, method: str = "GET") -> dict[str, Any]:
    """JSON of a feeder control address."""
    with _DIRECT.open(urllib.request.Request(url, method=method), timeout=10) as answer:
        return msgspec.json.decode(answer.read())


def runner(
    *, module: str, feeder_url: str, database_url: str, page_size: int, messages: int, timeout: float
) -> Result:
    """Run one module by bench.child. Failed when it exits otherwise than 0 or takes over `timeout` s."""
    command = [
        *(sys.executable, "-m", "bench.child", module, "--feeder", feeder_url, "--database", database_url),
        *("--page-size", str(page_size), "--messages", str(messages)),
    ]
    environment = os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    child = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise Failed(f"{module}: longer than {timeout:.0f} s") from None
    if child.returncode:
        raise Failed(f"{module}: exit {child.returncode}\n{err[-3000:]}")
    return msgspec.json.decode(out.strip().splitlines()[-1], type=Result)
