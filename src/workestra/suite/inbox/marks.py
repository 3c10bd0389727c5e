"""Marking a thread as read or unread; and why Outlook did not take the last mark (SYN 11)."""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workestra.activity.words import words
from workestra.kit import clock
from workestra.mail.doors import conversations, queries, readstate
from workestra.suite.inbox.filters import read_filter
from workestra.tenancy.views import member_of, member_view


@require_POST
@member_view
def read(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """Mark as read, or with `read=0` as unread. The page itself follows by its live topics."""
    member = member_of(request)
    is_read = request.POST.get("read") != "0"
    if readstate.mark(member=member, thread_id=thread_id, is_read=is_read, now=clock.now()) is None:
        target = conversations.merged_into(thread_id=thread_id)  # just now, perhaps, by the same person
        if (
            target is None
            or readstate.mark(member=member, thread_id=target, is_read=is_read, now=clock.now()) is None
        ):
            raise Http404
        thread_id = target
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    chosen = read_filter(query=request.GET.dict(), mailboxes=queries.mailboxes(member=member))
    return redirect(reverse("inbox:thread", args=[thread_id]) + chosen.query if is_read else chosen.url)


@never_cache
@require_safe
@member_view
def refusal(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """A toast with the reason why the member's last mark in this thread was undone; nothing where it was not."""
    member = member_of(request)
    if queries.thread_row(member=member, thread_id=thread_id) is None:
        raise Http404
    code = readstate.refusal(member=member, thread_id=thread_id)
    answer = HttpResponse()
    if code:
        said = words(code=code)
        answer["HX-Trigger"] = json.dumps({"toast": {"text": f"{said.title}. {said.sentence}", "kind": "err"}})
    return answer
