"""The courier: handshakes with notification endpoints and carries notices to them.

A notice waits in the bag until it is due, goes out in one POST with others for the same address, and comes back into
the bag with a growing delay until it is acknowledged or four hours old (Graph: receive notifications by webhooks).
Notices of a subscription whose access token has expired stay in the bag until it is reauthorized.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

import httpx2
import msgspec

from .endpoint_health import EndpointHealth
from .folders import Folder
from .mailbox import Item, Mailbox
from .subscription import Subscription

if TYPE_CHECKING:
    from .world import World


class ValidationFailed(Exception):
    """The handshake failed; the message is Graph's."""


@dataclass(slots=True)
class NoticeFaults:
    """What goes wrong on the way. Shares are 0..1, drawn from the world's seeded randomness."""

    drop: float = 0.0
    drop_next: int = 0
    duplicate: float = 0.0
    delay_seconds: float = 0.0
    reorder: bool = False
    echo: bool = False  # a new message is told twice: created, and updated right after
    hasty: bool = False  # a new subscription's first notice arrives before the answer that creates it
    per_body: int = 50  # notices that go out in one POST


@dataclass(slots=True, eq=False)
class Parcel:
    """One notice on its way."""

    url: str
    notice: dict[str, Any]
    subscription: Subscription | None
    due: float
    born: float
    tries: int = 0


@dataclass(slots=True)
class Timing:
    """Seconds, as documented; the first retry delay and the lead of reauthorization are not documented."""

    first_try: float = 3.0
    retry: float = 10.0
    handshake: float = 10.0
    first_delay: float = 5.0
    give_up: float = 4 * 3600.0
    reauthorize_lead: float = 300.0
    reauthorize_again: float = 600.0
    slow_delay: float = 600.0
    idle: float = 1.0


class Courier:
    """Watches the mailboxes for the subscriptions and delivers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.subscriptions: dict[str, Subscription] = {}
        self.faults = NoticeFaults()
        self.timing = Timing()
        self.transport: httpx2.AsyncBaseTransport | None = None  # tests may put the product itself here
        self.unreadable: dict[tuple[str, int], float] = {}
        self.delivered = 0
        self.dropped = 0
        self._arrived: deque[Parcel] = deque()  # filled by whatever thread writes into a mailbox
        self._bag: list[Parcel] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._trips: dict[tuple[str, bool], asyncio.Task[None]] = {}
        self._health: dict[str, EndpointHealth] = {}
        self._client: httpx2.AsyncClient | None = None
        self._trusted: ssl.SSLContext | None = None
        self._retired: list[httpx2.AsyncClient] = []  # of an earlier trust; closed at the end
        self._runner: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None

    # the watcher's side

    def before(self, box: Mailbox, item: Item) -> object:
        """Which filtered subscriptions the item meets before it changes."""
        return {
            s.id
            for s in list(self.subscriptions.values())
            if s.matches is not None and s.owner == box.owner_id and s.matches(box, item)
        }

    def after(self, box: Mailbox, kind: str, item: Item, folder: Folder, before: object) -> None:
        """Make the notices of one change."""
        if kind == "created" and self.world.switches.unreadable_seconds > 0:
            self.unreadable[box.owner_id, item.number] = (
                self.world.monotonic() + self.world.switches.unreadable_seconds
            )
        self._notices(box, kind, item, folder, before)
        if kind == "created" and self.faults.echo:
            self._notices(box, "updated", item, folder, self.before(box, item))

    def readable(self, box: Mailbox, item: Item) -> bool:
        """False while a new message is too new for a GET by its id."""
        due = self.unreadable.get((box.owner_id, item.number))
        return due is None or due <= self.world.monotonic()

    def _notices(self, box: Mailbox, kind: str, item: Item, folder: Folder, before: object) -> None:
        for sub in list(self.subscriptions.values()):
            if sub.owner != box.owner_id or sub.kind != "messages" or sub.folder not in (None, folder.number):
                continue
            seen = kind
            if sub.matches is not None:
                was = isinstance(before, set) and sub.id in before
                now = kind != "deleted" and sub.matches(box, item)
                if not was and not now:
                    continue
                seen = "updated" if was and now else "created" if now else "deleted"
            if seen in sub.change_types and not sub.silent:
                item_id = box.immutable_id(item) if sub.immutable else box.default_id(item)
                self.post(
                    sub.notification_url,
                    sub.change_notice(seen, item_id, box.names.change_key(item.change)),
                    sub,
                )

    def lifecycle(self, sub: Subscription, event: str) -> None:
        """Send a lifecycle notice to the address for it, if there is one; `subscriptionRemoved` removes, too."""
        if event == "subscriptionRemoved":
            self.subscriptions.pop(sub.id, None)
        if sub.lifecycle_url is not None:
            self.post(sub.lifecycle_url, sub.lifecycle_notice(event), None)

    async def hasten(self, sub: Subscription) -> None:
        """Tell a new subscription of the newest message of its mailbox, and wait until that is on its way no more."""
        box = self.world.mailboxes[sub.owner]
        item = next(reversed(box.everything.items()), None)
        if item is None or sub.kind != "messages":
            return
        item_id = box.immutable_id(item) if sub.immutable else box.default_id(item)
        notice = sub.change_notice("updated", item_id, box.names.change_key(item.change))
        load = [Parcel(sub.notification_url, notice, sub, self.world.monotonic(), self.world.monotonic())]
        await self._carry((sub.notification_url, False), load)

    def post(self, url: str, notice: dict[str, Any], sub: Subscription | None) -> None:
        """Put a notice into the bag, through the faults that are set."""
        faults, now = self.faults, self.world.monotonic()
        state = self._health_of(url).state(now)
        lost = faults.drop_next > 0 or self.world.random.random() < faults.drop
        faults.drop_next = max(0, faults.drop_next - 1)
        if lost or state == "drop":
            self.dropped += 1
            return
        due = now + faults.delay_seconds + (self.timing.slow_delay if state == "slow" else 0.0)
        if faults.reorder:
            due += self.world.random.random() * 0.3
        notice = {"id": uuid.UUID(int=self.world.random.getrandbits(128)).hex, **notice}
        copies = 2 if self.world.random.random() < faults.duplicate else 1
        self._arrived.extend(Parcel(url, notice, sub, due, now) for _ in range(copies))
        self.wake()

    def wake(self) -> None:
        """Look into the bag now; may be called from any thread."""
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    def waiting(self) -> dict[str, int]:
        """Notices to come, on their way, and held back because a token expired."""
        held = sum(1 for parcel in self._bag if self._held(parcel))
        return {
            "waiting": len(self._bag) + len(self._arrived) - held,
            "in_flight": len(self._trips),
            "held": held,
        }

    # the road

    async def start(self) -> None:
        """Begin to deliver."""
        if self._runner is None:
            self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
            self._runner = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop; what is in the bag stays there."""
        tasks = [t for t in (self._runner, *self._trips.values()) if t is not None]
        self._runner, self._wake, self._trips = None, None, {}
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        clients = [*self._retired, *([self._client] if self._client is not None else [])]
        self._client, self._retired = None, []
        for client in clients:
            await client.aclose()

    async def validate(self, url: str) -> None:
        """The handshake: the endpoint must answer with the token within ten seconds. Raises ValidationFailed."""
        token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid.uuid4()}"
        encoded = quote_plus(token)
        for upper in {encoded[at : at + 3] for at in range(len(encoded)) if encoded[at] == "%"}:
            encoded = encoded.replace(upper, upper.lower())
        target = f"{url}{'&' if urlsplit(url).query else '?'}validationToken={encoded}"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Accept": "text/plain"}
        try:
            async with asyncio.timeout(self.timing.handshake):
                answer = await self._http().post(target, headers=headers, content=b"")
        except TimeoutError as problem:
            raise ValidationFailed("Subscription validation request timed out.") from problem
        except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
            raise ValidationFailed(
                "Subscription validation request failed. Notification endpoint must respond with "
                "200 OK to validation request."
            ) from problem
        if answer.status_code != 200:
            raise ValidationFailed(
                "Subscription validation request failed. Notification endpoint must respond with "
                "200 OK to validation request."
            )
        plain = answer.headers.get("content-type", "").split(";")[0].strip().lower() == "text/plain"
        if not plain or answer.text != token:
            raise ValidationFailed(
                "Subscription validation request failed. Response must exactly match validationToken query parameter."
            )

    def _http(self) -> httpx2.AsyncClient:
        trusted = self.world.notify_tls
        if self._client is None or self._trusted is not trusted:
            if self._client is not None:
                self._retired.append(self._client)
            self._trusted = trusted
            self._client = httpx2.AsyncClient(
                verify=trusted or (self.transport is None and ssl.create_default_context()),
                trust_env=False,
                transport=self.transport,
                timeout=30.0,
            )
        return self._client

    async def _run(self) -> None:
        wake = self._wake
        assert wake is not None
        while self._wake is wake:
            wake.clear()
            self._look_after_subscriptions()
            self._send_due()
            rest = [p.due for p in self._bag if not self._held(p) and (p.url, p.tries > 0) not in self._trips]
            until = max(0.01, min(rest) - self.world.monotonic()) if rest else self.timing.idle
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(until, self.timing.idle)):
                    await wake.wait()

    def _look_after_subscriptions(self) -> None:
        now, timing = self.world.clock(), self.timing
        for sub in list(self.subscriptions.values()):
            if sub.expires_at <= now:
                self.subscriptions.pop(sub.id, None)
            elif sub.token_expires_at - now <= timedelta(seconds=timing.reauthorize_lead):
                asked = sub.reauthorize_asked_at
                if asked is None or now - asked >= timedelta(seconds=timing.reauthorize_again):
                    sub.reauthorize_asked_at = now
                    self.lifecycle(sub, "reauthorizationRequired")

    def _held(self, parcel: Parcel) -> bool:
        return parcel.subscription is not None and parcel.subscription.token_expires_at <= self.world.clock()

    def _collect(self) -> None:
        while self._arrived:
            self._bag.append(self._arrived.popleft())

    def _send_due(self) -> None:
        now = self.world.monotonic()
        self._collect()
        self._bag = [p for p in self._bag if now - p.born < self.timing.give_up]
        ready: dict[tuple[str, bool], list[Parcel]] = {}
        for parcel in sorted(self._bag, key=lambda p: p.due):
            key = (parcel.url, parcel.tries > 0)
            if parcel.due <= now and key not in self._trips and not self._held(parcel):
                ready.setdefault(key, []).append(parcel)
        for key, parcels in ready.items():
            load = parcels[: self.faults.per_body]
            taken = set(map(id, load))
            self._bag = [p for p in self._bag if id(p) not in taken]
            self._trips[key] = asyncio.create_task(self._carry(key, load))

    async def _carry(self, key: tuple[str, bool], load: list[Parcel]) -> None:
        url, again = key
        limit = self.timing.retry if again else self.timing.first_try
        body = msgspec.json.encode({"value": [parcel.notice for parcel in load]})
        began = self.world.monotonic()
        try:
            async with asyncio.timeout(limit):
                answer = await self._http().post(url, content=body, headers={"Content-Type": "application/json"})
            arrived = answer.is_success
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL):
            arrived = False
        except asyncio.CancelledError:
            self._bag += load
            raise
        finally:
            self._trips.pop(key, None)
            self.wake()
        now = self.world.monotonic()
        self._health_of(url).answered(now, now - began)
        if arrived:
            self.delivered += len(load)
            return
        for parcel in load:
            parcel.tries += 1
            parcel.due = now + self.timing.first_delay * 2 ** min(parcel.tries - 1, 10)
        self._bag += load

    def _health_of(self, url: str) -> EndpointHealth:
        return self._health.setdefault(urlsplit(url).netloc, EndpointHealth())
