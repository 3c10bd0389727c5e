"""Keeping the embedded server up for as long as this process lives.

runs --> gone (killed, out of memory, disk full) --> a pause that doubles with each failure --> join --> runs
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from workestra.project import embedded
from workestra.project.cli.supervise import GOOD_LIFE, pause_after

LOOK = 0.5  # seconds between looks


class Keeper:
    """Starts the server again whenever it died, in a thread. `say` is told what happens, a sentence at a time."""

    def __init__(self, *, home: Path, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="database-keeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no longer. Returns once no start is under way."""
        self._end.set()
        self._thread.join()

    def _keep(self) -> None:
        failures, since = 0, time.monotonic()
        while not self._end.wait(LOOK):
            if embedded.running(home=self._home):
                continue
            failures = 0 if time.monotonic() - since > GOOD_LIFE else failures + 1
            pause = pause_after(failures=failures)
            self._say(f"PostgreSQL ended; it starts again in {pause:.0f} s")
            if self._end.wait(pause):
                return
            since = time.monotonic()
            try:
                embedded.join(home=self._home)
            except embedded.NoServer as problem:
                self._say(f"PostgreSQL does not start: {problem} {embedded.last_words(home=self._home)}".rstrip())
            else:
                self._say("PostgreSQL runs again")
