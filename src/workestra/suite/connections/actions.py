"""What the buttons of a connection do: sync now, pull history, steer it. Each is safe to press twice."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Protocol

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workestra.activity.words import words
from workestra.kit import clock
from workestra.mail.doors import connections
from workestra.suite.connections.ranges import CHOICES
from workestra.suite.connections.views import card_or_404, row_context
from workestra.tenancy.models import Member
from workestra.tenancy.views import member_of, member_view


class Steering(Protocol):
    """A verb of the doors that moves a backfill."""

    def __call__(self, *, member: Member, backfill_id: int, now: datetime) -> object: ...


def _steering(verb: str) -> Steering:
    verbs: dict[str, Steering] = {
        "pause": connections.pause_backfill,
        "resume": connections.resume_backfill,
        "cancel": connections.cancel_backfill,
        "dismiss": connections.dismiss_backfill,
    }
    if verb not in verbs:
        raise Http404
    return verbs[verb]


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _back(connection_id: int) -> HttpResponseBase:
    return redirect(f"{reverse('connections:outlook')}#connection-{connection_id}")


@require_POST
@member_view
def start_history(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Start pulling history over the range chosen in the dialog."""
    member = member_of(request)
    card_or_404(member=member, connection_id=connection_id)
    choice = request.POST.get("choice", "")
    if choice not in CHOICES:
        messages.error(request, _("Choose how much mail to sync, then press Start."))
        return redirect(f"{reverse('connections:outlook')}?choose_range={connection_id}")
    now = clock.now()
    begun = connections.start_backfill(member=member, connection_id=connection_id, choice=choice, now=now)
    if begun is not None and begun.created_at != now:
        running = begun.state not in ("done", "cancelled")
        messages.info(
            request,
            _("This range is on its way already: the history that is being pulled reaches back as far.")
            if running
            else _("This range is here already: nothing had to be pulled."),
        )
    return _back(connection_id)


@require_POST
@member_view
def skip_history(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """The range dialog was closed without a choice: only new mail from now on."""
    member = member_of(request)
    card_or_404(member=member, connection_id=connection_id)
    connections.skip_range(member=member, connection_id=connection_id)
    return HttpResponse(status=204) if _is_fragment(request) else _back(connection_id)


@require_POST
@member_view
def steer(request: HttpRequest, connection_id: int, backfill_id: int, verb: str) -> HttpResponseBase:
    """Pause, resume, cancel or dismiss; answers the progress card as it then is."""
    member = member_of(request)
    card = card_or_404(member=member, connection_id=connection_id)
    act = _steering(verb)
    if card.backfill is not None and card.backfill.id == backfill_id:  # an older one is no longer on any page
        act(member=member, backfill_id=backfill_id, now=clock.now())
    if not _is_fragment(request):
        return _back(connection_id)
    fresh = card_or_404(member=member, connection_id=connection_id)
    return render(request, "connections/backfill.html", row_context(request=request, card=fresh))


@require_POST
@member_view
def sync_now(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """Start a sync and answer at once: the busy row, and a watcher that ends in a toast."""
    member = member_of(request)
    card_or_404(member=member, connection_id=connection_id)
    run_id = connections.sync_now(member=member, connection_id=connection_id, now=clock.now())
    if run_id is None:
        raise Http404
    if not _is_fragment(request):
        return _back(connection_id)
    card = card_or_404(member=member, connection_id=connection_id)
    context = {**row_context(request=request, card=card), "run_id": run_id, "out_of_band": True}
    return render(request, "connections/synced.html", context)


def _outcome(run: connections.RunView, address: str) -> dict[str, str]:
    """The toast of a finished run."""
    if run.state == "failed":
        found = words(code=run.error_code or "unknown", detail=run.error_detail)
        return {"text": f"{address}: {found.title}. {found.sentence}", "kind": "err"}
    if not run.added:
        return {"text": _("%(address)s is already up to date") % {"address": address}, "kind": "ok"}
    text = ngettext("%(n)d new email in %(address)s", "%(n)d new emails in %(address)s", run.added)
    return {"text": text % {"n": run.added, "address": address}, "kind": "ok"}


@never_cache
@require_safe
@member_view
def run(request: HttpRequest, connection_id: int, run_id: int) -> HttpResponseBase:
    """The watcher of a run: itself again while the run goes on, then empty with the toast."""
    member = member_of(request)
    card = card_or_404(member=member, connection_id=connection_id)
    found = connections.sync_run(member=member, run_id=run_id)
    if found is None or found.connection_id != connection_id:
        raise Http404
    if found.state in ("queued", "running"):
        return HttpResponse(status=204)
    answer = render(request, "connections/watcher.html", {"card": card, "run_id": None})
    answer["HX-Trigger"] = json.dumps({"toast": _outcome(found, card.address)})
    return answer
