"""Faults on demand: what goes wrong with the next requests whose "METHOD path" matches (SBX 5)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal[
    "status",  # answer with `status`, `headers`, `body`
    "throttle",  # 429; `retry_after` as it goes out, "date:30" for the date in 30 seconds, "" for none
    "challenge",  # 401 with a claims challenge
    "latency",  # wait `seconds`, then answer as usual
    "drop",  # the line closes before the first byte
    "cut",  # the line breaks within the answer
    "stall",  # the answer begins, nothing comes for `seconds`, then the line breaks
    "malformed",  # truncated JSON
    "html",  # a proxy's page with status `status`
    "empty",  # a page with nothing on it, whose nextLink leads to this very page
    "repeat",  # the page comes twice: its nextLink leads to itself, once
    "double",  # the page names its first entry again at its end
    "ghost",  # the page also removes an id that nobody knows
    "foreign",  # the page's nextLink leads to another host
]
PAGES = ("empty", "repeat", "double", "ghost", "foreign")


@dataclass(slots=True)
class Fault:
    """One fault. `after` says that the request takes effect first; `times` None means for ever.

    `probability` is drawn from the world's seed for each request that matches; only those that are hit count in
    `times`. `batched`: only requests within a $batch (True), or only those outside (False).
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
    probability: float = 1.0
    retry_after: str = ""
    batched: bool | None = None
    id: int = 0
    hits: int = 0
    _pattern: re.Pattern[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault of kind {self.kind}; there are {', '.join(get_args(Kind))}")
        if not 0.0 < self.probability <= 1.0:
            raise ValueError("probability is above 0 and at most 1")
        try:
            self._pattern = re.compile(self.match, re.IGNORECASE)
        except re.error as problem:
            raise ValueError(f"match is no pattern: {problem}") from None

    def meets(self, line: str, *, batched: bool) -> bool:
        """Whether "METHOD path?query" is meant."""
        hit = self._pattern is not None and self._pattern.search(line) is not None
        return hit and self.batched in (None, batched)


HTML_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>"
    "<body><h1>The service is unavailable.</h1></body></html>\n"
)


class Faults:
    """The faults that are set, in order; a request meets the first that matches."""

    def __init__(self, luck: Callable[[], float] = random.random) -> None:
        self._luck = luck
        self._set: list[Fault] = []
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        """Set a fault."""
        self._last += 1
        fault.id = self._last
        self._set.append(fault)
        return fault

    def take(self, method: str, path: str, *, batched: bool = False) -> Fault | None:
        """The fault that this request meets; it is used up by one."""
        for fault in self._set:
            if not fault.meets(f"{method} {path}", batched=batched):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability < 1.0 and self._luck() >= fault.probability:
                continue
            fault.hits += 1
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
