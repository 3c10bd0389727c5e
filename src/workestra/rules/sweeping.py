"""Messages that Outlook does not have any more -> whether they leave at once, or a person is asked first.

A comparison that finds most of a folder gone may be right. It may also be Microsoft's mistake, and then what people
see here would vanish with it. The brake holds such a sweep; what it holds stays in the views.
"""

from __future__ import annotations

LEAST = 50  # fewer leave without a question
MOST = 10_000  # more never do


def asks(*, gone: int, held: int, agreed: int) -> bool:
    """Whether to ask before `gone` of `held` messages leave, of which a person has `agreed` to so many already."""
    new = gone - agreed
    return new >= LEAST and (2 * gone > held or new > MOST)
