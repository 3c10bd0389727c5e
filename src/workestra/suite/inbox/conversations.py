"""Taking messages out into a conversation of their own, and merging two conversations (SYN 12)."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workestra.kit import clock
from workestra.mail.doors import conversations, queries
from workestra.suite.inbox.filters import MAX_ID, read_filter
from workestra.tenancy.models import Member
from workestra.tenancy.views import member_of, member_view


def _ids(values: list[str]) -> list[int]:
    """The ids among these texts; what is none is left out."""
    return [int(one) for one in values if one.isascii() and one.isdigit() and len(one) < 20 and int(one) <= MAX_ID]


def _shown(request: HttpRequest, member: Member, thread_id: int, words: str, kind: str = "ok") -> HttpResponseBase:
    """Lead to this thread and say this: by events where scripts run, else by a redirect."""
    chosen = read_filter(query=request.GET.dict(), mailboxes=queries.mailboxes(member=member))
    url = reverse("inbox:thread", args=[thread_id]) + chosen.query
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        opens = {"conversation": {"url": url}} if kind == "ok" else {}
        answer["HX-Trigger"] = json.dumps({**opens, "toast": {"text": words, "kind": kind}})
        return answer
    (messages.success if kind == "ok" else messages.error)(request, words)
    return redirect(url)


@require_POST
@member_view
def split(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """Take the chosen messages out."""
    member = member_of(request)
    chosen = _ids(request.POST.getlist("message"))
    try:
        new = conversations.split(member=member, thread_id=thread_id, message_ids=chosen, now=clock.now())
    except conversations.NothingToSplit:
        return _shown(request, member, thread_id, _("Choose some of the messages, but not all of them."), "err")
    if new is None:
        raise Http404
    return _shown(request, member, new, _("Moved to a conversation of its own"))


@require_POST
@member_view
def merge(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """Make this conversation part of the chosen one."""
    member = member_of(request)
    if queries.thread_row(member=member, thread_id=thread_id) is None:
        raise Http404
    chosen = _ids([request.POST.get("into", "")])
    if not chosen:
        return _shown(request, member, thread_id, _("Choose the conversation to merge into."), "err")
    target = conversations.merge(member=member, thread_id=thread_id, into=chosen[0], now=clock.now())
    if target is None:
        raise Http404
    return _shown(request, member, target, _("The conversations are one now"))


@never_cache
@require_safe
@member_view
def choices(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """Conversations that this one can be merged into, as the dialog lists them."""
    member = member_of(request)
    if queries.thread_row(member=member, thread_id=thread_id) is None:
        raise Http404
    found = conversations.choices(member=member, thread_id=thread_id, text=request.GET.get("q", ""))
    return render(request, "inbox/merge_choices.html", {"choices": found, "now": clock.now()})
