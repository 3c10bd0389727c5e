"""The sign-in itself: the authorize address, and the one address to which every page's form posts."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from . import answers, asking, pages, scopes, steps
from .asking import ReturnToApp
from .problems import Problem
from .state import Flow, Identity, Request, SignedIn

COOKIE = "ESTSAUTH"


def begin(http: HttpRequest, *, request: Request, identity: Identity, base_url: str) -> Response:
    """The first page of a sign-in, or at once its end where session and consent suffice."""
    session = identity.session(http.cookies.get(COOKIE))
    flow = identity.begin(request=request, session=session)
    steps.choose_first(flow=flow, identity=identity)
    if request.prompt == "none":
        problem = steps.silent_problem(steps.next_step(flow=flow, identity=identity), flow=flow)
        if problem:
            return _refuse(problem, flow=flow, identity=identity, base_url=base_url)
    return _show(flow=flow, identity=identity, base_url=base_url, http=http)


def go_on(http: HttpRequest, *, values: Mapping[str, str], identity: Identity, base_url: str) -> Response:
    """What a person pressed on a page."""
    flow = identity.flow(values.get("flow", ""))
    if flow is None or http.cookies.get(COOKIE) not in (None, flow.session.id):
        return pages.problem_page(Problem(50089), now=identity.now())
    action = values.get("action", "")
    if action in ("cancel", "return"):
        return _refuse(_declined(flow=flow, identity=identity), flow=flow, identity=identity, base_url=base_url)
    complaint = _ACTIONS.get(action, _nothing)(flow, values, identity)
    return _show(flow=flow, identity=identity, base_url=base_url, http=http, complaint=complaint)


def _pick(flow: Flow, values: Mapping[str, str], identity: Identity) -> Problem | None:
    address = values.get("account", "").strip() or values.get("address", "").strip()
    person = identity.directory.person(address=address) if address else None
    if person is None:
        return Problem(50034, {"address": address})
    problem = flow.request.audience.refuses(person)
    if problem:
        return problem
    flow.person = person
    flow.fresh = flow.strong = flow.consented = False
    return None


def _password(flow: Flow, values: Mapping[str, str], identity: Identity) -> Problem | None:
    person = flow.person
    if person is None:
        return None
    if values.get("password", "") != person.password:
        return Problem(50126)
    flow.fresh = True
    known = flow.session.people.get(person.id)
    strong = known.strong if known else False
    flow.session.people[person.id] = SignedIn(person=person, at=identity.now(), strong=strong)
    return None


def _approve(flow: Flow, values: Mapping[str, str], identity: Identity) -> Problem | None:
    account = flow.session.people.get(flow.person.id) if flow.person else None
    if account:
        flow.strong = account.strong = True
    return None


def _accept(flow: Flow, values: Mapping[str, str], identity: Identity) -> Problem | None:
    person, request = flow.person, flow.request
    if person is None or steps.next_step(flow=flow, identity=identity) != "consent":
        return None
    flow.consented = True
    app_id = request.app.client_id
    if person.admin and (request.admin_consent or values.get("organisation") == "yes"):
        identity.consents.grant_for_tenant(tenant=person.tenant, app_id=app_id, names=request.scopes)
    else:
        identity.consents.grant(person=person, app_id=app_id, names=request.scopes)
    return None


def _another(flow: Flow, values: Mapping[str, str], identity: Identity) -> Problem | None:
    flow.person = None
    return None


def _nothing(flow: Flow, values: Mapping[str, str], identity: Identity) -> Problem | None:
    return None


_ACTIONS = {
    "pick": _pick,
    "password": _password,
    "approve": _approve,
    "accept": _accept,
    "another": _another,
}


def _declined(*, flow: Flow, identity: Identity) -> Problem:
    step = steps.next_step(flow=flow, identity=identity)
    person = flow.person
    if step == "needs_admin" and person:
        return Problem(90094, {"tenant": person.tenant.name, "app": flow.request.app.name})
    if step == "mfa":
        return Problem(50074, error="access_denied")
    if step == "blocked" and person:
        return Problem(int(person.blocked), error="access_denied")
    return Problem(65004)


def _refuse(problem: Problem, *, flow: Flow, identity: Identity, base_url: str) -> Response:
    request = flow.request
    identity.finish(flow)
    back = ReturnToApp(problem, request.redirect_uri, request.response_mode, request.state, request.admin_consent)
    return answers.refusal(back, now=identity.now(), base_url=base_url)


def _show(
    *, flow: Flow, identity: Identity, base_url: str, http: HttpRequest, complaint: Problem | None = None
) -> Response:
    step = steps.next_step(flow=flow, identity=identity)
    if step == "done" and flow.person:
        response = answers.success(flow=flow, person=flow.person, identity=identity)
    else:
        asked = flow.request.scopes
        if flow.person and flow.person.personal:
            asked = scopes.for_personal(asked)
        response = pages.step_page(
            step, flow=flow, people=tuple(identity.directory.people.values()), asked=asked, complaint=complaint
        )
    response.set_cookie(
        COOKIE, flow.session.id, httponly=True, samesite="lax", secure=http.url.scheme == "https", path="/"
    )
    return response


def authorize(http: HttpRequest, *, values: Mapping[str, str], identity: Identity, base_url: str) -> Response:
    """GET or POST /{tenant}/oauth2/v2.0/authorize."""
    return _checked(http, asking.authorize, values=values, identity=identity, base_url=base_url)


def admin_consent(http: HttpRequest, *, values: Mapping[str, str], identity: Identity, base_url: str) -> Response:
    """GET /{tenant}/v2.0/adminconsent."""
    return _checked(http, asking.admin_consent, values=values, identity=identity, base_url=base_url)


def _checked(
    http: HttpRequest, check: asking.Check, *, values: Mapping[str, str], identity: Identity, base_url: str
) -> Response:
    try:
        request = check(values, segment=http.path_params["tenant"], identity=identity, base_url=base_url)
    except ReturnToApp as back:
        return answers.refusal(back, now=identity.now(), base_url=base_url)
    except Problem as problem:
        return pages.problem_page(problem, now=identity.now())
    return begin(http, request=request, identity=identity, base_url=base_url)
