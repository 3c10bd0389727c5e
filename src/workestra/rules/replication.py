"""Phases of a backfill and of its streams -> the next step.

    queued --> running --> done
                 |  ^
                 |  +------ resume, time is up, signed in again
                 +--> paused (a person) | waiting (throttled until) | held (sign-in needed)
    any of these --> cancelled (final)

Each arrow is a conditional update that must hit one row; whoever loses reads again. Cancelled and done are
final. A failure that is not a sign-in or a refusal for good leaves the backfill where it is: it goes on by
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

LIVE = ("queued", "running", "waiting")  # states in which a worker may pull
OPEN = (*LIVE, "paused", "held")
FINAL = ("done", "cancelled", "failed")

# person's verb -> (from states, to state)
VERBS: dict[str, tuple[tuple[str, ...], str]] = {
    "pause": (LIVE, "paused"),
    "resume": (("paused", "waiting", "held", "failed"), "queued"),
    "cancel": ((*OPEN, "failed"), "cancelled"),
}

CHOICES: dict[str, timedelta | None] = {
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "12m": timedelta(days=365),
    "all": None,
}
BEGINNING = datetime(1601, 1, 1, tzinfo=UTC)  # Exchange's own: mail without a date stands there
END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

MOST_MESSAGES = 2**31 - 1  # that a column holds
SLICE_MESSAGES = 750  # what is not worth an even cut
SHARES = 8  # a slice is an eighth of what is left: twice the requests that a mailbox allows at once
ROOM = 50  # messages a slice stays under its whole pages: mail is spread unevenly, and a page more costs a request
LARGEST_SLICE = 25_000  # unless there would be hundreds
MOST_SLICES = 150
FIRST_PAGE = 50  # messages of the newest slice: what a person waits for
PAGE = 300  # what is asked for as long as it comes fast: larger ones gain nothing and take more memory


def range_start(*, choice: str, now: datetime) -> datetime:
    """The moment from which `choice` wants mail. Raises KeyError for an unknown choice."""
    span = CHOICES[choice]
    return BEGINNING if span is None else now - span


def second_after(*, moment: datetime) -> datetime:
    """A second later, but for the end of time."""
    return moment + timedelta(seconds=1) if moment < END else END


@dataclass(frozen=True, slots=True)
class Stretch:
    """[since, until) of one folder."""

    folder: int
    since: datetime
    until: datetime


def cut(*, folder: int, since: datetime, until: datetime, messages: int, oldest: datetime | None) -> list[Stretch]:
    """Cut a folder's range into stretches of time, newest first.

    The newest stretch holds about a first page, so that recent mail is there at once; the others are the smaller the
    older, so that streams which walk them end at about the same time. The cuts assume mail spread evenly between
    `oldest` (or `since`) and `until`; where it is not, a stream just has more pages to walk.
    """
    if messages <= 0 or since >= until:
        return []
    first = max(since, oldest) if oldest and oldest < until else since
    sizes = portions(messages=messages)
    edges = [until]
    done = 0
    for size in sizes[:-1]:
        done += size
        edge = (until - (until - first) * (done / messages)).replace(microsecond=0)
        if since < edge < edges[-1]:
            edges.append(edge)
    edges.append(since.replace(microsecond=0))
    return [Stretch(folder=folder, since=low, until=high) for high, low in pairwise(edges)]


def portions(*, messages: int) -> list[int]:
    """How many messages each slice is to hold, newest first: whole pages with room, the rest in even parts."""
    sizes = [FIRST_PAGE] if messages > 2 * FIRST_PAGE else []
    left = messages - sum(sizes)
    largest = max(LARGEST_SLICE, messages // 50)
    while left > 0:
        pages = max(1, (min(largest, left // SHARES) + ROOM) // PAGE)
        size = pages * PAGE - ROOM
        parts = -(-left // size)
        size = size if parts > 2 else -(-left // parts)
        sizes.append(size)
        left -= size
    return sizes


def total(*, counts: Sequence[int | None]) -> int | None:
    """The sum of what folders count, as far as a card can show it; None where one of them is not known."""
    known = [one for one in counts if one is not None]
    return min(sum(known), MOST_MESSAGES) if len(known) == len(counts) else None


def smooth(*, rate: float | None, messages: int, seconds: float, weight: float = 0.25) -> float:
    """The rate in messages a second after another measured stretch, exponentially smoothed."""
    fresh = messages / max(seconds, 0.001)
    return fresh if rate is None else rate + weight * (fresh - rate)


def eta_seconds(*, estimate: int | None, pulled: int, rate: float | None, pages: int) -> int | None:
    """Honest seconds to go, or None while it cannot be known: too few pages, no total, one that was too low, or
    standing still."""
    if estimate is None or rate is None or rate < 0.05 or pages < 3 or pulled >= estimate:
        return None
    return round((estimate - pulled) / rate)


def page_size(*, current: int, seconds: float, too_large: bool, most: int = PAGE, least: int = 10) -> int:
    """The next page's size: a quarter after a page that was too large, more while pages come fast."""
    if too_large:
        return max(least, current // 4)
    if seconds < 1:
        return min(most, current * 10)
    if seconds < 2.5:
        return min(most, current * 2)
    if seconds > 10:
        return max(least, current // 2)
    return current
