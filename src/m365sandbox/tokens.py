"""Access and refresh tokens: what was issued to whom, for which scopes, until when, and what undoes it (SBX 1).

A token is a random text that nobody may parse: work accounts get three dotted parts that look like a JWT,
personal accounts one opaque run of letters. Using a refresh token never ends it; a new one comes beside it.
Tests call these verbs from another thread than the server's.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from .people import Person

REFRESH_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Access:
    """What a bearer may do. `problem` is None, "expired", or the JSON text of a claims challenge."""

    person: Person
    app_id: str
    scopes: frozenset[str]
    tenant_id: str
    expires_at: datetime
    issued_at: datetime
    challengeable: bool = False  # the client declared the capability cp1
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh token stands for. `ended` is the AADSTS number that using it meets, 0 while it is good."""

    person: Person
    app_id: str
    expires_at: datetime
    issued_at: datetime
    ended: int = 0


@dataclass(slots=True)
class Challenge:
    """Claims that a person's tokens lack. Tokens issued since `met_at` are good; None: nobody met it yet."""

    claims: str
    interactive: bool
    met_at: datetime | None = None


def utc_now() -> datetime:
    """The machine's time as an aware datetime in UTC."""
    return datetime.now(UTC)


class Tokens:
    """Every token that was issued. `minutes` fixes the life of access tokens; None means 60 to 90 at random."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, minutes: float | None = None) -> None:
        self.now = now
        self.minutes = minutes
        self.refreshes: Counter[str] = Counter()  # person id -> how often an access token was renewed
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Refresh] = {}
        self._challenges: dict[str, Challenge] = {}  # by person id

    def issue_access(
        self, *, person: Person, app_id: str, scopes: frozenset[str], challengeable: bool = False
    ) -> tuple[str, int]:
        """A new access token and its life in seconds."""
        now = self.now()
        minutes = self.minutes if self.minutes is not None else 60 + secrets.randbelow(1801) / 60
        life = max(1, int(minutes * 60))
        self._forget_expired(now)
        token = _opaque("EwB4A8l6BAAU", 900) if person.personal else _jwt_like()
        self._access[token] = Access(
            person=person,
            app_id=app_id,
            scopes=scopes,
            tenant_id=person.tenant.id,
            expires_at=now + timedelta(seconds=life),
            issued_at=now,
            challengeable=challengeable,
        )
        return token, life

    def issue_refresh(self, *, person: Person, app_id: str) -> str:
        """A new refresh token with 90 days to live; older ones of the same person stay good."""
        now = self.now()
        token = _opaque("M.C5_BAY.0.U." if person.personal else "1.AX0A", 700)
        self._refresh[token] = Refresh(person=person, app_id=app_id, expires_at=now + REFRESH_LIFE, issued_at=now)
        return token

    def check(self, bearer: str) -> Access | None:
        """The access behind a bearer, with its problem if it has one; None for a text never issued here."""
        access = self._access.get(bearer)
        if access is None:
            return None
        if access.expires_at <= self.now():
            return replace(access, problem="expired")
        claims = self.unmet(person=access.person, issued_at=access.issued_at)
        if claims and access.challengeable:
            return replace(access, problem=claims)
        return access

    def look_up_refresh(self, token: str) -> Refresh | None:
        """What a refresh token stands for, with 700082 in `ended` once its 90 days are over."""
        found = self._refresh.get(token)
        if found and not found.ended and found.expires_at <= self.now():
            return replace(found, ended=700082)
        return found

    def revoke(self, address: str, *, number: int = 50173) -> int:
        """End every refresh token of a person with an AADSTS number; how many ended. Access tokens live on."""
        wanted = address.casefold()
        ended = 0
        for token, found in list(self._refresh.items()):
            if found.person.address.casefold() == wanted and not found.ended:
                self._refresh[token] = replace(found, ended=number)
                ended += 1
        return ended

    def expire_access(self, address: str) -> int:
        """Let a person's access tokens expire now; how many did. Refresh tokens stay good."""
        now = self.now()
        wanted = address.casefold()
        ended = 0
        for token, access in list(self._access.items()):
            if access.person.address.casefold() == wanted and access.expires_at > now:
                self._access[token] = replace(access, expires_at=now)
                ended += 1
        return ended

    def challenge(self, *, person: Person, claims: str, interactive: bool = False) -> None:
        """Ask for claims on every token of a person until a request carries them.

        Graph then answers clients that declared cp1 with a challenge. With `interactive`, refreshing is
        refused as well (AADSTS50076): the person has to come in person.
        """
        self._challenges[person.id] = Challenge(claims=claims, interactive=interactive)

    def unmet(self, *, person: Person, issued_at: datetime, interactive: bool = False) -> str:
        """The claims JSON that a token of this age lacks, empty when none. `interactive`: only those."""
        asked = self._challenges.get(person.id)
        if asked is None or (interactive and not asked.interactive):
            return ""
        return asked.claims if asked.met_at is None or issued_at < asked.met_at else ""

    def meet_challenge(self, *, person: Person) -> None:
        """The person's client brought the claims: tokens from now on are good."""
        asked = self._challenges.get(person.id)
        if asked and asked.met_at is None:
            asked.met_at = self.now()

    def _forget_expired(self, now: datetime) -> None:
        if len(self._access) > 5000:
            horizon = now - timedelta(hours=6)
            self._access = {key: one for key, one in list(self._access.items()) if one.expires_at > horizon}


def _opaque(prefix: str, length: int) -> str:
    return prefix + secrets.token_urlsafe(length)[:length]


def _jwt_like() -> str:
    head = "eyJ0eXAiOiJKV1QiLCJub25jZSI6" + secrets.token_urlsafe(90)
    return f"{head}.eyJhdWQiOiI{secrets.token_urlsafe(900)}.{secrets.token_urlsafe(256)}"
