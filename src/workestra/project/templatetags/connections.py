"""The state of a mailbox and of its history, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from workestra.activity.catalogue import SIGN_IN
from workestra.activity.words import Action, Words, label_of, words
from workestra.kit import clock
from workestra.mail.doors.queries import BackfillCard, ConnectionCard
from workestra.project.templatetags.shell import exact_text, number
from workestra.suite.connections.ranges import TITLES

register = template.Library()


@register.simple_tag
def error_of(card: ConnectionCard) -> Words:
    """The words for a connection's error."""
    since = {"since": card.error_at} if card.error_at else {}
    detail = {"mailbox": card.address, **since, **(card.error_detail or {})}
    found = words(code=card.error_code, detail=detail)
    if card.error_code in SIGN_IN and found.action in (Action.TRY_AGAIN, Action.OTHER_ACCOUNT):
        return replace(found, action=Action.RECONNECT, label=label_of(action=Action.RECONNECT))
    return found


@register.simple_tag
def words_of(code: str) -> Words:
    """The words for a code alone."""
    return words(code=code or "unknown")


@register.simple_tag
def day(moment: datetime) -> str:
    """A day without its time."""
    local = timezone.localtime(moment)
    text = formats.date_format(local, pgettext("day of another year", "j M Y"))
    return format_html('<time datetime="{}">{}</time>', local.date().isoformat(), text)


@register.simple_tag
def push_title(until: datetime) -> str:
    """The tooltip of a working subscription."""
    return _("Microsoft announces new mail here; renewed before %(time)s") % {"time": exact_text(until)}


@register.simple_tag
def no_push_because(card: ConnectionCard) -> str:
    """Why Microsoft does not announce new mail here; empty where it does, and where an error is shown instead."""
    if card.push == "push" or card.error_code:
        return ""
    if card.kind == "shared":
        return _("Mail arrives by schedule and Sync now: Microsoft offers no push for shared mailboxes.")
    return {
        "silent": _(
            "Mail arrives by schedule and Sync now: Microsoft's announcements have stopped coming, although they are "
            "set up. Workestra looks every two minutes until they come again."
        ),
        "starting": _(
            "Mail arrives by schedule and Sync now until Microsoft announces it here; that is being set up."
        ),
        "unreached": _(
            "Mail arrives by schedule and Sync now: Microsoft tried to reach this server and got no answer. "
            "Workestra asks it again every half hour."
        ),
        "refused": _(
            "Mail arrives by schedule and Sync now: Microsoft did not agree to announce it here. Workestra asks it "
            "again every half hour."
        ),
    }.get(card.push, _("Mail arrives by schedule and Sync now: Microsoft cannot reach this server."))


@register.simple_tag
def range_title(choice: str) -> str:
    """The name of a range."""
    return str(TITLES.get(choice, choice))


@register.simple_tag
def waits_until(moment: datetime) -> str:
    """When it goes on, by the reader's clock; with the day where that is another."""
    local, today = timezone.localtime(moment), timezone.localtime(clock.now())
    if local.date() == today.date():
        until = formats.date_format(local, pgettext("time of today", "H:i"))
    else:
        until = exact_text(moment)
    return _("Waiting for Microsoft, continues at %(time)s") % {"time": until}


@register.simple_tag
def backfill_state(fill: BackfillCard) -> str:
    """What it is doing, for the corner of the card."""
    if fill.state == "waiting" and fill.waiting_until is not None:
        return waits_until(fill.waiting_until)
    return {
        "queued": _("Starting…"),
        "running": _("Checking that nothing is missing…")
        if fill.checking
        else _("Pulling…")
        if fill.eta_seconds is not None or (fill.pulled and fill.estimate is None)
        else _("Pulling… estimating the time"),
        "paused": _("Paused"),
        "waiting": _("Waiting for Microsoft"),
        "held": _("Waits for you to sign in again"),
        "failed": _("Stopped by an error"),
        "cancelled": _("Cancelled: what came is kept"),
        "done": _("Complete"),
    }[fill.state]


@register.simple_tag
def backfill_numbers(fill: BackfillCard) -> str:
    """`4,120 of about 18,400`, or the pulled ones alone while no estimate is known."""
    if fill.estimate:
        return _("%(pulled)s of about %(estimate)s messages") % {
            "pulled": number(fill.pulled),
            "estimate": number(max(fill.estimate, fill.pulled)),
        }
    return _("%(pulled)s messages so far") % {"pulled": number(fill.pulled)}
