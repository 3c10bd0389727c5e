"""The sync log and the comparison with Outlook, in words."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workestra.mail.doors.queries import CheckView, LogRow
from workestra.project.templatetags.shell import duration, number

register = template.Library()


@register.simple_tag
def run_kind(row: LogRow) -> str:
    """What ran."""
    return {
        "manual": _("Sync"),
        "light": _("Sync"),
        "full": _("Full daily sync"),
        "notice": _("Announced changes"),
        "first": _("First look at the folders"),
        "content": _("Content read again"),
        "check": _("Comparison with Outlook"),
        "backfill": _("History"),
        "watch": _("Announcements renewed"),
        "verify": _("Check against Outlook"),
        "repair": _("Check and repair"),
    }.get(row.kind, row.kind)


@register.simple_tag
def run_why(row: LogRow) -> str:
    """Who or what asked for it."""
    if row.who:
        return _("asked for by %(name)s") % {"name": row.who}
    return {
        "person": _("asked for"),
        "schedule": _("by schedule"),
        "notice": _("Microsoft announced something"),
        "missed": _("an announcement may have been missed"),
        "retry": _("tried again after an error"),
        "connected": _("after connecting"),
    }.get(row.why, row.why)


@register.simple_tag
def run_end(row: LogRow) -> str:
    """How it ended, or how it is going."""
    if row.state == "running" and row.throttled:
        return _("Waiting for Microsoft")
    if row.state == "done" and row.equal is not None:
        return _("Equal") if row.equal else _("Differs")
    return {
        "queued": _("Waiting for its turn"),
        "running": _("Running"),
        "done": _("Done"),
        "failed": _("Failed"),
        "ended": _("Ended early"),
    }.get(row.state, row.state)


@register.simple_tag
def run_brought(row: LogRow) -> str:
    """`3 new, 1 changed`; a dash where it brought nothing."""
    parts = [
        _("%(n)s new") % {"n": number(row.added)} if row.added else "",
        _("%(n)s changed") % {"n": number(row.changed)} if row.changed else "",
        _("%(n)s removed") % {"n": number(row.removed)} if row.removed else "",
    ]
    return ", ".join(filter(None, parts)) or "–"


@register.simple_tag
def run_took(row: LogRow) -> str:
    """How long it worked, and how long it waited for Microsoft besides."""
    worked = _("under a second") if row.seconds < 1 else duration(round(row.seconds))
    if row.throttled_seconds < 1:
        return worked
    return _("%(worked)s, and %(waited)s waiting for Microsoft") % {
        "worked": worked,
        "waited": duration(round(row.throttled_seconds)),
    }


@register.simple_tag
def run_cost(row: LogRow) -> str:
    """The requests that it sent to Microsoft, and those that batches among them carried."""
    if row.joined is not None:
        return _("done together with another one")
    text = ngettext("%(n)s request", "%(n)s requests", row.requests) % {"n": number(row.requests)}
    if not row.batched:
        return text
    return _("%(requests)s with %(n)s inside of batches") % {"requests": text, "n": number(row.batched)}


@register.simple_tag
def check_words(check: CheckView) -> str:
    """What a check is doing, or what it found, in one sentence."""
    run = check.run
    if run.state == "failed":
        return _("The check could not be finished.")
    if run.state == "queued":
        return _("The check begins in a moment.")
    if run.state == "running":
        if run.throttled:
            return _("Microsoft asked for a pause. The check goes on by itself.")
        return _("%(n)s of about %(total)s messages compared") % {
            "n": number(run.compared),
            "total": number(max(check.total, run.compared)),
        }
    if run.equal and check.repair and any(one.differences for one in check.folders):
        return _("What differed has been repaired: the mailbox and Workestra are equal.")
    if run.equal:
        return _("Equal: every message that Outlook has in the range is here, and nothing else.")
    if check.refused and not check.left:
        return _("Microsoft does not let Workestra read %(folders)s just now; everything else is equal.") % {
            "folders": ", ".join(check.refused)
        }
    if check.repair and 0 < check.left <= check.asks:
        return _("What Outlook does not have any more waits for your decision; everything else is equal.")
    if check.repair:
        return _("Something still differs. It may have changed meanwhile: check again in a moment.")
    return _(
        "Outlook and Workestra differ. Repairing reads what differs from Outlook again; it changes nothing there."
    )


@register.filter
def percent_of(check: CheckView) -> int | None:
    """How far it has come, for its bar."""
    if not check.total:
        return None
    return min(99, check.run.compared * 100 // check.total)
