"""Faults on demand: what goes wrong with the next requests whose "METHOD path" matches (SBX 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "latency", "cut", "malformed", "html"]


@dataclass(slots=True)
class Fault:
    """One fault. `after` says that the request takes effect first; `times` None means for ever.

    status: answer with `status`, `headers`, `body`. latency: wait `seconds`, then answer as usual. cut: the line
    breaks in the middle of the answer. malformed: truncated JSON. html: a proxy's page with status `status`.
    """

    match: str
    kind: Kind
    times: int | None = 1
    skip: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    seconds: float = 0.0
    after: bool = False
    id: int = 0
    _pattern: re.Pattern[str] | None = None

    def meets(self, line: str) -> bool:
        """Whether "METHOD path?query" is meant."""
        if self._pattern is None:
            self._pattern = re.compile(self.match, re.IGNORECASE)
        return self._pattern.search(line) is not None


HTML_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>"
    "<body><h1>The service is unavailable.</h1></body></html>\n"
)


class Faults:
    """The faults that are set, in order; a request meets the first that matches."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        """Set a fault. Raises re.error when its pattern is none."""
        fault._pattern = re.compile(fault.match, re.IGNORECASE)
        self._last += 1
        fault.id = self._last
        self._set.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets; it is used up by one."""
        for fault in self._set:
            if not fault.meets(f"{method} {path}"):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._set.remove(fault)
            return fault
        return None

    def pending(self) -> list[Fault]:
        """Those still set."""
        return list(self._set)

    def clear(self, fault_id: int | None = None) -> None:
        """Lift one fault, or all."""
        self._set = [] if fault_id is None else [f for f in self._set if f.id != fault_id]
