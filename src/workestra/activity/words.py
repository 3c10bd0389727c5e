"""The catalogue of errors that people meet: a stable code in, one sentence and one next step out (ERR).

A code is stored, logged and sent by the API; words are made from it when somebody looks, in their language.
Every entry says what happened and what to do. A sentence may name details (`{until}`, `{name}`, ...); where
one of them is not known, the entry's plainer sentence is used instead.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from workestra.activity.catalogue import ALIASES, CATALOGUE, UNKNOWN


class Action(StrEnum):
    """The one next step that goes with an error."""

    NONE = "none"  # it passes by itself
    RECONNECT = "reconnect"
    TRY_AGAIN = "try_again"
    OTHER_ACCOUNT = "other_account"
    COPY_ADMIN_LINK = "copy_admin_link"
    COPY_ADMIN_TEXT = "copy_admin_text"
    REVOKE_CONSENT = "revoke_consent"
    SYNC_NOW = "sync_now"
    EDIT_DRAFT = "edit_draft"
    ASK_ADMIN = "ask_admin"


LABELS: dict[Action, Promise | str] = {
    Action.NONE: "",
    Action.RECONNECT: gettext_lazy("Reconnect"),
    Action.TRY_AGAIN: gettext_lazy("Try again"),
    Action.OTHER_ACCOUNT: gettext_lazy("Use another account"),
    Action.COPY_ADMIN_LINK: gettext_lazy("Copy link for admin"),
    Action.COPY_ADMIN_TEXT: gettext_lazy("Copy text for admin"),
    Action.REVOKE_CONSENT: gettext_lazy("Open Microsoft's page"),
    Action.SYNC_NOW: gettext_lazy("Sync now"),
    Action.EDIT_DRAFT: gettext_lazy("Edit draft"),
    Action.ASK_ADMIN: "",
}


@dataclass(frozen=True, slots=True)
class Words:
    """One error for people: a short title, one sentence, and the label of its action ("" for none)."""

    code: str
    title: str
    sentence: str
    action: Action
    label: str


def _text(value: object) -> str:
    """A detail as people read it: a moment as a time in their zone, anything else as it is, kept short."""
    moment = value if isinstance(value, datetime) else None
    if moment is None and isinstance(value, str) and len(value) < 40:
        try:
            moment = parse_datetime(value)
        except ValueError:
            moment = None
    if moment is None:
        return str(value)[:200]
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    if local.date() == timezone.localtime().date():
        return formats.date_format(local, pgettext("time of today", "H:i"))
    return formats.date_format(local, pgettext("day and time in a sentence", "j M, H:i"))


def _fill(sentence: str, detail: Mapping[str, object]) -> str | None:
    wanted = [name for _text_, name, _spec, _conversion in string.Formatter().parse(sentence) if name]
    if any(detail.get(name) in (None, "") for name in wanted):
        return None
    return sentence.format_map({name: _text(detail[name]) for name in wanted})


def label_of(*, action: Action) -> str:
    """The words on the button of an action, in the active language."""
    return str(LABELS[action])


def words(*, code: str, detail: Mapping[str, object] | None = None) -> Words:
    """The words for a code, in the active language.

    Args:
        code: a stable code; one that the catalogue lacks gets general words that show it.
        detail: what is known besides (until, name, mailbox, ...); times as aware datetimes or ISO 8601.
    """
    entry = CATALOGUE.get(ALIASES.get(code, code), UNKNOWN)
    known = {"code": code, **(detail or {})}
    sentence = _fill(str(entry.sentence), known)
    if sentence is None:
        sentence = _fill(str(entry.plain), known) or _("Try again in a moment.")
    action = Action(entry.action)
    return Words(code=code, title=str(entry.title), sentence=sentence, action=action, label=label_of(action=action))
