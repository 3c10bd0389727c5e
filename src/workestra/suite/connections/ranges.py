"""How much history to pull: the choices in their order, with what each is good for (BKF 1)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = Promise | str


@dataclass(frozen=True, slots=True)
class Range:
    """One radio card. `value` is what the doors call the choice."""

    value: str
    title: Text
    good_for: Text
    takes: Text
    recommended: bool = False


RANGES = (
    Range("30d", _("Last 30 days"), _("Fastest set-up."), _("Under a minute for most")),
    Range("90d", _("Last 90 days"), _("Good for sales and support."), _("1 to 5 minutes"), recommended=True),
    Range("12m", _("Last 12 months"), _("The context of a full year, such as renewals."), _("5 to 10 minutes")),
    Range(
        "all",
        _("Everything"),
        _("The complete history, pulled in the background."),
        _("30 minutes and more for large mailboxes"),
    ),
)
CHOICES = frozenset(choice.value for choice in RANGES)
TITLES: dict[str, Text] = {choice.value: choice.title for choice in RANGES}
