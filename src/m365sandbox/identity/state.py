"""What the identity server remembers: sign-ins under way, browser sessions, codes, consents, keys (SBX 1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ..people import App, Directory, Person
from ..tokens import Tokens
from .claims_request import ClaimsRequest
from .consents import Consents
from .keys import KeyRing
from .problems import Problem
from .tenants import Audience

FLOW_LIFE = timedelta(minutes=10)
CODE_LIFE = timedelta(minutes=10)


@dataclass(slots=True)
class SignedIn:
    """One account of a browser session. `strong`: a second factor was given."""

    person: Person
    at: datetime
    strong: bool = False


@dataclass(slots=True)
class Session:
    """One browser. `people` are its signed-in accounts by id."""

    id: str
    people: dict[str, SignedIn] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A checked authorize request."""

    audience: Audience
    app: App
    redirect_uri: str
    scopes: frozenset[str]
    response_mode: str
    state: str | None
    nonce: str | None
    prompt: str
    login_hint: str
    challenge: str
    challenge_method: str
    claims: ClaimsRequest
    wants_client_info: bool
    admin_consent: bool = False  # the admin consent endpoint: ends without a code


@dataclass(slots=True)
class Flow:
    """One sign-in under way: what was asked, and how far the person got."""

    id: str
    request: Request
    session: Session
    started_at: datetime
    person: Person | None = None
    fresh: bool = False  # the password was given in this flow
    strong: bool = False  # and the second factor
    consented: bool = False
    number: int = 0  # shown on the number-match page


@dataclass(slots=True)
class Code:
    """An authorization code, single use."""

    request: Request
    person: Person
    issued_at: datetime
    auth_time: datetime
    session_id: str
    redeemed: bool = False


class Identity:
    """The whole state of the identity server. `issuer_url` fixes its address; else each request's host counts."""

    def __init__(
        self, *, directory: Directory, tokens: Tokens, now: Callable[[], datetime], issuer_url: str = ""
    ) -> None:
        self.directory = directory
        self.tokens = tokens
        self.now = now
        self.issuer_url = issuer_url.rstrip("/")
        self.keys = KeyRing()
        self.consents = Consents()
        self.refuse_personal_refresh_on_common = False  # seen in the wild: AADSTS70000 unless /consumers is used
        self.next_token_problems: list[Problem] = []  # faults: each answers one token request
        self._flows: dict[str, Flow] = {}
        self._sessions: dict[str, Session] = {}
        self._codes: dict[str, Code] = {}

    def app(self, client_id: str) -> App:
        """The app registration. Raises Problem 700016."""
        found = self.directory.apps.get(client_id.casefold()) or self.directory.apps.get(client_id)
        if found is None:
            raise Problem(700016, {"client_id": client_id})
        return found

    def session(self, session_id: str | None) -> Session:
        """The browser's session, a new one when it has none."""
        found = self._sessions.get(session_id or "")
        if found is None:
            found = Session(id=secrets.token_urlsafe(24))
            self._sessions[found.id] = found
        return found

    def end_session(self, session_id: str | None) -> None:
        """Sign every account of a browser out."""
        self._sessions.pop(session_id or "", None)

    def begin(self, *, request: Request, session: Session) -> Flow:
        """Start a sign-in; ten minutes to finish it."""
        now = self.now()
        self._flows = {key: one for key, one in self._flows.items() if now - one.started_at < FLOW_LIFE}
        flow = Flow(id=secrets.token_urlsafe(24), request=request, session=session, started_at=now)
        flow.number = 10 + secrets.randbelow(90)
        self._flows[flow.id] = flow
        return flow

    def flow(self, flow_id: str) -> Flow | None:
        """A sign-in under way, None when it is unknown or too old."""
        found = self._flows.get(flow_id)
        return found if found and self.now() - found.started_at < FLOW_LIFE else None

    def finish(self, flow: Flow) -> None:
        """The sign-in ended, one way or the other."""
        self._flows.pop(flow.id, None)

    def issue_code(self, *, flow: Flow, person: Person) -> str:
        """A code for the redirect."""
        now = self.now()
        self._codes = {key: one for key, one in self._codes.items() if now - one.issued_at < 6 * CODE_LIFE}
        prefix = "M.C5_BL2.2.U." if person.personal else "1.AX0A"
        text = prefix + secrets.token_urlsafe(200)
        account = flow.session.people.get(person.id)
        self._codes[text] = Code(
            request=flow.request,
            person=person,
            issued_at=now,
            auth_time=account.at if account else now,
            session_id=flow.session.id,
        )
        return text

    def code(self, text: str) -> Code | None:
        """A code that was issued, whatever became of it."""
        return self._codes.get(text)


def redirect_is_registered(*, app: App, uri: str) -> bool:
    """Whether a redirect URI is one of the app's, letter for letter, or an allowed loopback one."""
    if uri in app.redirect_uris:
        return True
    if not app.any_loopback_redirect:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in ("localhost", "127.0.0.1", "::1")
