"""I5 and I13: what left for Microsoft deletes and moves nothing, and stays within its limits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from m365sandbox.requests_log import Asked

OUR_OWN = re.compile(r"(?i)^/?(v1\.0/)?subscriptions(/|$)")
MOVES = re.compile(r"(?i)/(move|copy|permanentDelete)$")
MOST_AT_ONCE = 4
MOST_IN_WINDOW = 10_000
WINDOW = 600.0


def forbidden(*, entries: Iterable[Asked]) -> list[str]:
    """I5: requests that delete or move mail. Ending our own subscription is none."""
    return [
        f"I5 {one.method} {one.path}"
        for one in entries
        if (one.method == "DELETE" and not OUR_OWN.match(one.path))
        or (one.method == "POST" and MOVES.search(one.path))
    ]


def unbounded(*, entries: Iterable[Asked]) -> list[str]:
    """I13: more than four at once, or more than 10,000 in ten minutes, of one app on one mailbox."""
    found: list[str] = []
    times: dict[tuple[str, str], list[float]] = {}
    for one in entries:
        if not one.mailbox:
            continue
        if one.in_flight > MOST_AT_ONCE:
            found.append(f"I13 {one.in_flight} requests at once: {one.at:%d %H:%M:%S} {one.method} {one.path[-60:]}")
        times.setdefault((one.app_id, one.mailbox), []).append(one.at.timestamp())
    for mailbox, moments in times.items():
        moments.sort()
        first = 0
        for last, moment in enumerate(moments):
            while moments[first] <= moment - WINDOW:
                first += 1
            if last - first + 1 > MOST_IN_WINDOW:
                found.append(f"I13 more than {MOST_IN_WINDOW} requests in ten minutes on {mailbox[1]}")
                break
    return found
