"""Which page a sign-in needs next: decided here, shown elsewhere.

pick -> password -> mfa -> consent -> done
          |          |        '-> needs_admin
          '-> blocked '-> (declined)
"""

from __future__ import annotations

from ..people import Person
from .problems import Problem
from .state import Flow, Identity


def choose_first(*, flow: Flow, identity: Identity) -> None:
    """Pick the account that the request or the browser's session already names."""
    request = flow.request
    if request.prompt == "select_account":
        return
    if request.login_hint:
        hinted = identity.directory.person(address=request.login_hint)
        if hinted and not request.audience.refuses(hinted):
            flow.person = hinted
        return
    fitting = [one.person for one in flow.session.people.values() if not request.audience.refuses(one.person)]
    if len(fitting) == 1 and request.prompt != "login":
        flow.person = fitting[0]


def next_step(*, flow: Flow, identity: Identity) -> str:
    """One of pick, password, blocked, mfa, needs_admin, consent, done."""
    person = flow.person
    if person is None:
        return "pick"
    account = flow.session.people.get(person.id)
    if account is None or (flow.request.prompt == "login" and not flow.fresh):
        return "password"
    if person.blocked:
        return "blocked"
    if _needs_second_factor(flow=flow, person=person, identity=identity, strong=account.strong):
        return "mfa"
    return _consent_step(flow=flow, person=person, identity=identity)


def silent_problem(step: str, *, flow: Flow) -> Problem | None:
    """What prompt=none answers when a page would be needed."""
    if step == "done":
        return None
    if step in ("pick", "password"):
        several = flow.person is None and len(flow.session.people) > 1
        return Problem(16000) if several else Problem(50058)
    if step == "mfa":
        return Problem(50076, error="interaction_required")
    if step == "blocked" and flow.person:
        return Problem(int(flow.person.blocked), error="interaction_required")
    app = flow.request.app
    return Problem(65001, {"client_id": app.client_id, "app": app.name}, error="interaction_required")


def _needs_second_factor(*, flow: Flow, person: Person, identity: Identity, strong: bool) -> bool:
    if flow.strong:
        return False
    challenged = identity.tokens.unmet(person=person, issued_at=flow.started_at, interactive=True)
    return bool(challenged) or (person.mfa and not strong)


def _consent_step(*, flow: Flow, person: Person, identity: Identity) -> str:
    request = flow.request
    if request.admin_consent:
        if not person.admin:
            return "needs_admin"
        return "done" if flow.consented else "consent"
    missing = identity.consents.missing(person=person, app_id=request.app.client_id, asked=request.scopes)
    if not missing and (request.prompt != "consent" or flow.consented):
        return "done"
    if identity.consents.needs_admin(person=person, names=missing):
        return "needs_admin"
    return "consent"
