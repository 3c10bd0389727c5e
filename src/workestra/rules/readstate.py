"""A message's read state, both ways: what a person wants here, and what Outlook says (SYN 11).

              press                          put to Outlook
    (none) ------------> waiting ------------------------------> on its way
      ^                  |     ^  pressed again: next number      |  |   |
      |                  |     |  no answer: again later          |  |   | refused for good
      |                  |     +----------------------------------+  |   v
      |   Outlook agrees |                                 accepted  |  refused: `was` is shown again
      +<-----------------+                                           v
      +<---------------------------------------------------- accepted
           told after it was accepted: Outlook's word counts

Promises: what is shown follows the later action. While a change waits or is on its way it beats whatever was
read, and what was read is remembered for the case that Outlook refuses. An accepted change still beats answers to
questions put before it was accepted, and no others. Our own change coming back changes nothing, so that it causes
no second one: after a press there is one request, and none without a press.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workestra.rules.skew import impossible

LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Change:
    """What a person wants of one stored message.

    `was`: what Outlook has as far as is known, leaving `wanted` out of account. `number` counts the presses, `sent`
    is the number that was put to Outlook last (0: none was). `refused`: Outlook will not have it.
    """

    wanted: bool
    was: bool
    number: int
    pressed_at: datetime
    sent: int = 0
    accepted_at: datetime | None = None
    refused: bool = False

    @property
    def open(self) -> bool:
        """Whether Outlook has still to be told."""
        return self.accepted_at is None and not self.refused


def press(*, shown: bool, change: Change | None, wanted: bool, now: datetime) -> Change | None:
    """A person marks the message. `shown`: its state as it is shown. None: there is nothing to tell Outlook.

    Pressing back is told as well: Outlook may have moved on meanwhile, and the later action is to win.
    """
    number = change.number + 1 if change else 1
    if change is None or not change.open:
        if shown == wanted:
            return change
        return Change(wanted=wanted, was=shown, number=number, pressed_at=now)
    if change.wanted == wanted:
        return change
    return replace(change, wanted=wanted, number=number, pressed_at=now)


def told(*, change: Change, is_read: bool, asked_at: datetime, now: datetime) -> tuple[Change | None, bool]:
    """Outlook's word in answer to a question put at `asked_at`: (what is left of the change, what is shown)."""
    if change.refused:
        return None, is_read
    if change.accepted_at is not None:
        if impossible(moment=change.accepted_at, now=now):
            return None, is_read
        return (None, is_read) if asked_at > change.accepted_at else (change, change.wanted)
    # Only where nothing can be on its way is Outlook's agreement the end of it: a request that was put may still take
    # effect, and its answer must not be taken for that to a later press, whose numbers would begin anew.
    agrees = is_read == change.wanted and asked_at > change.pressed_at and change.sent == 0
    return (None, is_read) if agrees else (replace(change, was=is_read), change.wanted)


def accept(*, change: Change, number: int, value: bool, now: datetime) -> Change:
    """Outlook took `value`, which press `number` asked for."""
    if not change.open:
        return change
    if number != change.number:
        return replace(change, was=value)
    return replace(change, accepted_at=now)


def refuse(*, change: Change, number: int) -> tuple[Change, bool]:
    """Outlook will never take press `number`: (the change, what is shown). A later press is still to be tried."""
    if not change.open or number != change.number:
        return change, change.wanted
    return replace(change, refused=True), change.was


def pause(*, attempts: int) -> timedelta:
    """How long to wait after so many tries in a row that failed: two seconds, then twice as long each time."""
    return min(LONGEST_PAUSE, timedelta(seconds=2 ** min(max(attempts, 1), 12)))
