"""Everything that exists in one sandbox, and the switches by which it can be made to behave badly."""

from __future__ import annotations

import asyncio
import hashlib
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from .delta import Cursors
from .faults import Faults
from .mailbox import Mailbox
from .notify import Courier
from .people import Directory, Person
from .requests_log import RequestLog
from .throttle import Throttle


class Access(Protocol):
    """What one bearer token opens. `problem` is "expired", "malformed", the JSON of a claims challenge, or None."""

    @property
    def person(self) -> Person: ...
    @property
    def app_id(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def tenant_id(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def problem(self) -> str | None: ...


class Tokens(Protocol):
    """Who judges bearer tokens: the identity half."""

    def check(self, bearer: str) -> Access | None:
        """None when the token is none of ours."""


class NoTokens:
    """Refuses every token; stands until the identity half is plugged in."""

    def check(self, bearer: str) -> Access | None:
        """Always None."""
        return None


@dataclass(slots=True)
class Switches:
    """Behaviours in which the real service was seen to differ, or which a test wants."""

    immutable_id_gap: bool = False  # moved out and back between two rounds: removed, and never seen again
    delta_empty_pages: bool = False  # every round starts with an empty page that has a nextLink
    delta_duplicates: bool = False  # each page repeats the last entry of the one before
    list_duplicates: bool = False  # each page of a list repeats its first entry
    delta_ghosts: bool = False  # a first round also removes an id that nobody knows
    shared_denied: str = "403"  # no right on a mailbox: 403 | 404 | mix
    shared_subscription: str = "403"  # delegated subscription on a shared mailbox: 403 | silent
    flip_no_mailbox: bool = False  # no mailbox: the two errors in turn
    unreadable_seconds: float = 0.0  # a new message is told of, and GET by its id finds it only so much later
    counts: str = "right"  # @odata.count: right | missing | null | zero | page (of the page alone) | refused
    subscriptions_per_mailbox: int = 1_000  # over all apps
    first_page_limit: int = 5_000  # what a delta round with $filter stops at


class World:
    """Directory, mailboxes, subscriptions, request log, limits and faults of one sandbox."""

    def __init__(self, directory: Directory, clock: Callable[[], datetime], seed: int, life: int = 0) -> None:
        self.directory = directory
        self.clock = clock
        self.seed = seed
        self.random = random.Random(seed)
        self.mailboxes: dict[str, Mailbox] = {}
        self.tokens: Tokens = NoTokens()
        self.requests = RequestLog()
        self.throttle = Throttle(lambda: self.clock())
        self.faults = Faults(lambda: self.random.random())
        self.switches = Switches()
        self.cursors = Cursors(hashlib.sha256(f"delta:{seed}:{life}".encode()).digest())
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self.elapsed: Callable[[], float] = time.monotonic  # seconds, for delays and retries; never goes back
        self.allow_loopback_http = True
        self.notify_tls: ssl.SSLContext | None = None
        self.public_url = ""  # scheme://host[:port] of links; empty: as the request came in
        self.ms_per_request = 0.0
        self.ms_per_message = 0.0
        self.courier = Courier(self)
        self.subscriptions = self.courier.subscriptions
        self._flips = 0
        self._skipped = 0.0

    def add_mailbox(self, owner_id: str) -> Mailbox:
        """A mailbox with the well-known folders for a person or a shared mailbox."""
        box = Mailbox(owner_id=owner_id, seed=self.seed, clock=lambda: self.clock())
        box.watcher = self.courier
        self.mailboxes[owner_id] = box
        return box

    def mailbox_of(self, address: str) -> Mailbox | None:
        """By the address, user principal name, alias or id of its owner."""
        owner = self.owner_id(address)
        return self.mailboxes.get(owner) if owner else None

    def owner_id(self, reference: str) -> str | None:
        """The id of the person or shared mailbox that `reference` names (id, address, UPN or alias; any case)."""
        wanted = reference.casefold()
        for one in self.directory.people.values():
            if wanted in (one.id.casefold(), one.address.casefold(), one.upn.casefold() or None):
                return one.id
        for box in self.directory.shared.values():
            if wanted in (
                box.id.casefold(),
                box.address.casefold(),
                *(alias.casefold() for alias in box.aliases),
            ):
                return box.id
        return None

    def latency(self, ms_per_request: float = 0.0, ms_per_message: float = 0.0) -> None:
        """Make every Graph request take this long, plus this much for each message of its answer."""
        self.ms_per_request, self.ms_per_message = ms_per_request, ms_per_message

    def trust(self, ca_file: str) -> None:
        """Verify notification endpoints against the certificates of this file."""
        self.notify_tls = ssl.create_default_context(cafile=ca_file)

    def jump(self, seconds: float) -> None:
        """Put the clock forward, or back, for everything in this world. Forward, what was due meanwhile is due."""
        before, step = self.clock, timedelta(seconds=seconds)
        self.clock = lambda: before() + step
        self._skipped += max(0.0, seconds)
        self.courier.wake()

    def monotonic(self) -> float:
        """Seconds that passed here: those of the machine, and those that were skipped."""
        return self.elapsed() + self._skipped

    def flip(self) -> bool:
        """False, True, False, ...: for answers that come in turn."""
        self._flips += 1
        return self._flips % 2 == 0

    async def start(self) -> None:
        """Begin to deliver notifications."""
        await self.courier.start()

    async def stop(self) -> None:
        """Stop delivering."""
        await self.courier.stop()
