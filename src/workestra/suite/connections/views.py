"""The settings pages of Outlook and the fragments that keep their rows and cards live."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workestra.activity.words import Action
from workestra.kit import clock
from workestra.mail.doors import queries
from workestra.suite.connections.permissions import ASKED, GROUPS
from workestra.suite.connections.problems import SESSION_KEY, read_problem, revoke_page
from workestra.suite.connections.ranges import RANGES, TITLES
from workestra.suite.connections.sign_in import approval_link
from workestra.tenancy.models import Member, Role
from workestra.tenancy.views import member_of, member_view

AGAIN = (Action.TRY_AGAIN, Action.OTHER_ACCOUNT, Action.SYNC_NOW)  # on a panel, all of them start a sign-in


def is_configured() -> bool:
    """Whether an administrator has registered Workestra with Microsoft."""
    return bool(settings.WORKESTRA.microsoft_client_id)


def row_context(*, request: HttpRequest, card: queries.ConnectionCard) -> dict[str, Any]:
    """What the row of one connection is drawn from."""
    return {"card": card, "range_titles": TITLES, "configured": is_configured(), **_help(request)}


def _help(request: HttpRequest) -> dict[str, Any]:
    """What the next steps of problems need."""
    return {"admin_link": approval_link(request=request), "asked": ASKED, "revoke_page": revoke_page()}


def card_or_404(*, member: Member, connection_id: int) -> queries.ConnectionCard:
    """The connection as this member may see it. Raises Http404 where they may not, or it is not there."""
    card = queries.connection_card(member=member, connection_id=connection_id, now=clock.now())
    if card is None:
        raise Http404
    return card


def _choosing(*, cards: list[queries.ConnectionCard], wanted: str) -> int | None:
    """The connection whose range dialog opens by itself: the wanted one, else one not answered yet."""
    mine = [card.id for card in cards if card.is_mine]
    if wanted:
        return next((one for one in mine if str(one) == wanted), None)
    return next((card.id for card in cards if card.is_mine and card.asks_range), None)


@never_cache
@require_safe
@member_view
def integrations(request: HttpRequest) -> HttpResponseBase:
    """Settings > Integrations: one card for Outlook."""
    member = member_of(request)
    now = clock.now()
    cards = queries.connection_cards(member=member, now=now)
    context = {
        "section": "settings",
        "configured": is_configured(),
        "count": len(cards),
        "worst": queries.worst_health(member=member, now=now),
        "attention": queries.attention(member=member, now=now),
    }
    return render(request, "connections/integrations.html", context)


@never_cache
@require_safe
@member_view
def outlook(request: HttpRequest) -> HttpResponseBase:
    """Settings > Integrations > Outlook. `?choose_range=<id>` opens the range dialog, `?problem=` a panel."""
    member = member_of(request)
    cards = queries.connection_cards(member=member, now=clock.now())
    connected = request.GET.get("connected", "")
    problem = read_problem(query=request.GET.dict(), kept=request.session.get(SESSION_KEY))
    context = {
        "section": "settings",
        "configured": is_configured(),
        "cards": cards,
        "ranges": RANGES,
        "range_titles": TITLES,
        "groups": GROUPS,
        "choosing": _choosing(cards=cards, wanted=request.GET.get("choose_range", "")),
        "problem": problem,
        "renews": next((card for card in cards if problem and card.id == problem.connection and card.is_mine), None),
        "connected": next((card for card in cards if str(card.id) == connected), None),
        "again": AGAIN,
        **_help(request),
        "is_owner": member.role == Role.OWNER,
        "public_url": settings.WORKESTRA.public_url,
    }
    return render(request, "connections/outlook.html", context)


@never_cache
@require_safe
@member_view
def row(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """One connection's row, as it is now."""
    card = card_or_404(member=member_of(request), connection_id=connection_id)
    return render(request, "connections/row.html", row_context(request=request, card=card))


@never_cache
@require_safe
@member_view
def backfill(request: HttpRequest, connection_id: int) -> HttpResponseBase:
    """The progress card of a connection's history; empty where there is none to show."""
    card = card_or_404(member=member_of(request), connection_id=connection_id)
    return render(request, "connections/backfill.html", row_context(request=request, card=card))


@never_cache
@require_safe
@member_view
def mark(request: HttpRequest) -> HttpResponseBase:
    """The worst dot, for the sidebar."""
    worst = queries.worst_health(member=member_of(request), now=clock.now())
    return render(request, "connections/mark.html", {"worst": worst})
