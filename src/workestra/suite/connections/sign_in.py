"""To Microsoft's sign-in and back. Every ending is the settings page, with words of its own (CON 10)."""

from __future__ import annotations

from urllib.parse import urlencode

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from workestra.mail.flows import connect
from workestra.mail.flows.connect import NotConfigured, Refusal
from workestra.tenancy.views import async_member_view, member_of

log = structlog.get_logger("workestra.connect")


def _settings_page(**query: str) -> HttpResponseRedirect:
    target = reverse("connections:outlook")
    return HttpResponseRedirect(f"{target}?{urlencode(query)}" if query else target)


def _told(problem: Refusal) -> HttpResponseRedirect:
    log.info("connect.refused", code=problem.code, **problem.detail)
    more = {"ref": str(problem.detail["request_id"])} if problem.detail.get("request_id") else {}
    return _settings_page(problem=problem.code, **more, **problem.values)


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
    except NotConfigured:
        return _settings_page(problem="not_configured")
    except Refusal as problem:
        return _told(problem)
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        answer["HX-Redirect"] = url
        return answer
    return HttpResponseRedirect(url)


@require_GET
@async_member_view
async def callback(request: HttpRequest) -> HttpResponseBase:
    """Back from Microsoft."""
    query = {key: values[0] for key, values in dict(request.GET.lists()).items() if values}
    try:
        connection, asks = await connect.finish(
            member=member_of(request), session=await _session(request), query=query
        )
    except Refusal as problem:
        return _told(problem)
    return _settings_page(choose_range=str(connection)) if asks else _settings_page(connected=str(connection))
