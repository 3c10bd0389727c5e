"""The Inbox: one list of threads and a reader beside it. Every view answers a page or, to htmx, its fragment.

Both have one address, and both hold mail: no cache may keep either of them.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workestra.activity.words import words
from workestra.kit import clock
from workestra.mail.doors import conversations, queries
from workestra.suite.inbox.days import by_day
from workestra.suite.inbox.filters import InboxFilter, read_filter
from workestra.tenancy.models import Member
from workestra.tenancy.views import member_of, member_view

PAGE = 50


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _several(mailboxes: list[queries.MailboxChoice], chosen: InboxFilter) -> bool:
    """Whether a row has to say which mailbox it is in."""
    return len(mailboxes) > 1 and not chosen.account


def _page(
    request: HttpRequest, member: Member, chosen: InboxFilter, mailboxes: list[queries.MailboxChoice]
) -> dict[str, Any]:
    """One page of rows under the filter, grouped by day."""
    page = queries.inbox_page(
        member=member,
        unread=chosen.unread,
        connection_id=chosen.account,
        after=request.GET.get("after") or None,
        limit=PAGE,
    )
    days = by_day(rows=page.rows, before=request.GET.get("day", ""))
    return {
        "days": days,
        "next": page.next,
        "last_day": days[-1].key if days else "",
        "after": request.GET.get("after", ""),
        "chosen": chosen,
        "several": _several(mailboxes, chosen),
        "now": clock.now(),
    }


def _frame(member: Member, mailboxes: list[queries.MailboxChoice]) -> dict[str, Any]:
    """What stands around the rows: mailboxes, and which of them need attention or are still filling."""
    now = clock.now()
    cards = queries.connection_cards(member=member, now=now)
    return {
        "section": "inbox",
        "mailboxes": mailboxes,
        "attention": [card for card in cards if card.health == "error"],
        "filling": [card for card in cards if card.health == "never" or _runs(card)],
    }


def _runs(card: queries.ConnectionCard) -> bool:
    return card.backfill is not None and card.backfill.state in ("queued", "running")


@never_cache
@require_safe
@member_view
def inbox(request: HttpRequest) -> HttpResponseBase:
    """The list. With `after`, the page of rows that follows."""
    member = member_of(request)
    mailboxes = queries.mailboxes(member=member)
    chosen = read_filter(query=request.GET.dict(), mailboxes=mailboxes)
    context = _page(request, member, chosen, mailboxes)
    if _is_fragment(request):
        if context["after"]:
            return render(request, "inbox/rows.html", context)
        return render(request, "inbox/feed.html", {**context, **_frame(member, mailboxes)})
    return render(request, "inbox/inbox.html", {**context, **_frame(member, mailboxes)})


@never_cache
@require_safe
@member_view
def thread(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """A thread in the reader; as a page of its own it stands beside the list."""
    member = member_of(request)
    found = queries.thread(member=member, thread_id=thread_id)
    if found is None:
        return _elsewhere("inbox:thread", member=member, thread_id=thread_id)
    mailboxes = queries.mailboxes(member=member)
    chosen = read_filter(query=request.GET.dict(), mailboxes=mailboxes)
    context: dict[str, Any] = {"thread": found, "chosen": chosen, "now": clock.now()}
    if found.refusal:
        context["refusal"] = words(code=found.refusal)
    if _is_fragment(request):
        return render(request, "inbox/thread.html", context)
    frame = {**_page(request, member, chosen, mailboxes), **_frame(member, mailboxes)}
    return render(request, "inbox/inbox.html", {**frame, **context})


def _elsewhere(name: str, *, member: Member, thread_id: int) -> HttpResponseBase:
    """An old address leads to the conversation that this one was merged into, where the member may see that."""
    target = conversations.merged_into(thread_id=thread_id)
    if target is None or queries.thread_row(member=member, thread_id=target) is None:
        raise Http404
    return redirect(reverse(name, args=[target]))


@never_cache
@require_safe
@member_view
def row(request: HttpRequest, thread_id: int) -> HttpResponseBase:
    """One row of the list, as it is now."""
    member = member_of(request)
    found = queries.thread_row(member=member, thread_id=thread_id)
    if found is None:
        return _elsewhere("inbox:row", member=member, thread_id=thread_id)
    mailboxes = queries.mailboxes(member=member)
    chosen = read_filter(query=request.GET.dict(), mailboxes=mailboxes)
    context = {"row": found, "chosen": chosen, "several": _several(mailboxes, chosen), "now": clock.now()}
    return render(request, "inbox/row.html", context)


@never_cache
@require_safe
@member_view
def count(request: HttpRequest) -> HttpResponseBase:
    """The unread count in the sidebar."""
    unread = queries.unread_count(member=member_of(request))
    answer: HttpResponse = render(request, "inbox/count.html", {"unread": unread})
    return answer
