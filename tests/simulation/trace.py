"""What happened, line by line, with the virtual time: the same seed has to write the same lines."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable

MACHINERY = ("asked", "job", "notice")


class Trace:
    """Keeps the last lines, those of the story apart from those of the machinery, and a digest of all."""

    def __init__(self, *, time: Callable[[], float], keep: int = 400) -> None:
        self._time = time
        self._digest = hashlib.sha256()
        self.tail: deque[str] = deque(maxlen=keep)
        self.story: deque[str] = deque(maxlen=keep)
        self.counts: Counter[str] = Counter()
        self.lines = 0

    def __call__(self, kind: str, text: str = "") -> None:
        """One line."""
        line = f"{self._time():12.3f} {kind:8} {text}"
        self.counts[kind] += 1
        self.lines += 1
        self._digest.update(line.encode() + b"\n")
        self.tail.append(line)
        if kind not in MACHINERY:
            self.story.append(line)

    @property
    def digest(self) -> str:
        """Of every line so far."""
        return self._digest.hexdigest()[:16]
