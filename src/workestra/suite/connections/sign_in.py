"""To Microsoft's sign-in and back. Every ending is the settings page, with words of its own (CON 10).

An administrator who approves for the organisation comes back by the same address; one who was sent the link and
has no seat here ends on a page that says the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from workestra.activity.words import words
from workestra.mail.flows import connect
from workestra.mail.flows.connect import Refusal
from workestra.suite.connections import approval
from workestra.suite.connections.approval import Whose
from workestra.suite.connections.problems import GRANTED, SESSION_KEY
from workestra.tenancy.views import async_member_view, member_of

log = structlog.get_logger("workestra.connect")


def _settings_page(**query: str) -> HttpResponseRedirect:
    target = reverse("connections:outlook")
    return HttpResponseRedirect(f"{target}?{urlencode(query)}" if query else target)


async def _told(request: HttpRequest, problem: Refusal, *, connection: int | None = None) -> HttpResponseRedirect:
    """The settings page with the panel of this problem. Names and addresses go by the session, not the address."""
    log.info("connect.ended", code=problem.code, **problem.detail)
    kept = {"code": problem.code, "detail": {**problem.detail, **problem.values}, "connection": connection}
    await request.session.aset(SESSION_KEY, kept)
    more = {"ref": str(problem.detail["request_id"])} if problem.detail.get("request_id") else {}
    return _settings_page(problem=problem.code, **more)


def approval_link(*, request: HttpRequest) -> str:
    """The link with which an administrator approves for the organisation; its return is this session's (ENT 2)."""
    return connect.approval_url(state=approval.state_of(request=request))


async def _session(request: HttpRequest) -> str:
    if not request.session.session_key:
        await request.session.acreate()
    return request.session.session_key or ""


@require_POST
@async_member_view
async def begin(request: HttpRequest) -> HttpResponseBase:
    """Off to Microsoft; with `connection_id`, to renew that connection."""
    wanted = request.POST.get("connection_id", "")
    connection = int(wanted) if wanted.isascii() and wanted.isdigit() else None
    try:
        url = await connect.begin(member=member_of(request), session=await _session(request), connection=connection)
    except Refusal as problem:
        return await _told(request, problem, connection=connection)
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = url
        return answer
    return HttpResponseRedirect(url)


@require_GET
async def callback(request: HttpRequest) -> HttpResponseBase:
    """Back from Microsoft."""
    query = {key: values[0] for key, values in dict(request.GET.lists()).items() if values}
    whose = await approval.take(request=request, state=query.get("state", ""))
    if whose is Whose.SENT or (whose is Whose.MINE and request.user.is_authenticated):
        return await _approval(request, query, whose)
    return await _connected(request, query)


async def _approval(request: HttpRequest, query: Mapping[str, str], whose: Whose) -> HttpResponseBase:
    """Back from Microsoft's page for administrators. `tenant` in the query proves nothing, and is not read."""
    outcome = Refusal(GRANTED)
    try:
        connect.approval(query=query)
    except Refusal as problem:
        outcome = problem
    if whose is Whose.MINE:
        return await _told(request, outcome)
    log.info("connect.approval_elsewhere", code=outcome.code, **outcome.detail)
    context = {"granted": outcome.code == GRANTED, "words": words(code=outcome.code, detail=outcome.detail)}
    return render(request, "connections/approval.html", context)


@async_member_view
async def _connected(request: HttpRequest, query: Mapping[str, str]) -> HttpResponseBase:
    try:
        connection, asks = await connect.finish(
            member=member_of(request), session=await _session(request), query=query
        )
    except Refusal as problem:
        return await _told(request, problem, connection=problem.connection)
    return _settings_page(choose_range=str(connection)) if asks else _settings_page(connected=str(connection))
