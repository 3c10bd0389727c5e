"""One connection's page: how mail arrives, whether everything is here, and the sync log (HLT 3, BKF 8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from workestra.kit import clock
from workestra.mail.doors import logbook, queries
from workestra.suite.connections.views import card_or_404, row_context
from workestra.tenancy.models import Member
from workestra.tenancy.views import member_of, member_view

LARGEST = 2**63 - 1  # that the database has a number for


def _before(request: HttpRequest) -> int | None:
    wanted = request.GET.get("before", "")
    return min(int(wanted), LARGEST) if wanted.isascii() and wanted.isdigit() and len(wanted) < 30 else None


def _compared(*, member: Member, connection_id: int) -> dict[str, Any]:
    check = queries.last_check(member=member, connection_id=connection_id)
    return {
        "check": check,
        "check_busy": check is not None and check.run.state in ("queued", "running"),
        "sweeps": queries.sweeps_asked(member=member, connection_id=connection_id),
        "proofs": queries.proofs(member=member, connection_id=connection_id),
    }


@never_cache
@require_safe
@member_view
def one(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """The page. `?before=<run>`: older rows of the log."""
    member = member_of(request)
    card = card_or_404(member=member, connection_id=connection_id)
    before = _before(request)
    rows = queries.log(member=member, connection_id=connection_id, before=before, size=logbook.PAGE + 1)
    shown = rows[: logbook.PAGE]
    context = {
        **row_context(request=request, card=card),
        **_compared(member=member, connection_id=connection_id),
        "section": "settings",
        "rows": shown,
        "paged": before is not None,
        "older": shown[-1].id if len(rows) > len(shown) else None,
    }
    return render(request, "connections/one.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_view
def check(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Ask for a comparison with Outlook, or look how it is going. Safe to press twice."""
    member = member_of(request)
    card = card_or_404(member=member, connection_id=connection_id)
    fragment = bool(request.headers.get("HX-Request"))
    if request.method == "POST":
        repair = request.POST.get("repair") == "1"
        if repair and request.POST.get("agree") == "1":
            logbook.agree(member=member, connection_id=connection_id)
        run = logbook.ask_check(member=member, connection_id=connection_id, repair=repair, now=clock.now())
        if run is None and not card.is_mine:
            raise Http404
        if run is None and not fragment:
            messages.error(
                request, _("This mailbox does not sync now, so it cannot be compared. Reconnect it first.")
            )
    if not fragment:
        return redirect("connections:one", connection_id)
    context = {
        **row_context(request=request, card=card),
        **_compared(member=member, connection_id=connection_id),
    }
    return render(request, "connections/check.html", context)
