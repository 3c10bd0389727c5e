"""Mail that is plain text: links found, quoted lines folded, line breaks kept."""

from __future__ import annotations

from workestra.mail.render import lines as line_of
from workestra.mail.render.links import anchored

MOST_LINES = 40_000


def folded(*, text: str) -> str | None:
    """The text without what is quoted; None where there is nothing to fold (or nothing else would remain)."""
    lines = text.split("\n", MOST_LINES)
    cut = _cut(lines)
    quoted = [line.startswith((">", " >")) for line in lines[:cut]]
    for at in range(cut):
        taken = line_of.attribution(lines, at)
        if taken and not quoted[at] and _leads(lines, quoted, at + taken):
            quoted[at : at + taken] = [True] * taken
    if cut == len(lines) and not any(quoted):
        return None
    if _blocks(lines, quoted) > 1:
        return None  # answers stand between the lines
    kept = [line for line, hide in zip(lines[:cut], quoted, strict=True) if not hide]
    remaining = "\n".join(kept).strip("\r\n")
    return remaining if remaining.strip() else None


def _cut(lines: list[str]) -> int:
    """The line from which everything is quoted."""
    for at, line in enumerate(lines):
        if line.startswith(">"):
            continue
        forwarded = line_of.is_forwarded(line) or (at > 0 and line_of.is_forwarded(lines[at - 1]))
        if (line_of.is_original(line) or line_of.header_block(lines, at)) and not forwarded:
            return at - 1 if at and line_of.is_rule(lines[at - 1]) else at
    return len(lines)


def _leads(lines: list[str], quoted: list[bool], at: int) -> bool:
    """Whether the next line that is not empty is quoted."""
    while at < len(quoted) and not lines[at].strip():
        at += 1
    return at < len(quoted) and quoted[at]


def _blocks(lines: list[str], quoted: list[bool]) -> int:
    """How many stretches of quoted lines have something to read between them."""
    blocks = 0
    before = False
    for line, hide in zip(lines[: len(quoted)], quoted, strict=True):
        if hide and not before:
            blocks += 1
        if hide or line.strip():
            before = hide
    return blocks


def markup(*, text: str) -> str:
    """The text as HTML; the page keeps its spaces and line breaks."""
    return anchored(text=text.replace("\r\n", "\n").replace("\r", "\n"))
