"""Finds the quoted mails inside a mail, by the marks that mail programs leave, and folds them away.

    Outlook            <div id="divRplyFwdMsg">, #appendonsend, "From: Sent: To: Subject:" in many languages
    Gmail, Yahoo, ...  an element of a known class
    Apple, Thunderbird <blockquote type="cite">
    anything else      "-----Original Message-----", "On Monday, Ben wrote:"

Nothing is folded where nothing would remain, where a forwarded mail is the message, or where somebody answered
between the lines.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from workestra.mail.render import lines as line_of
from workestra.mail.render.scan import END, START, TEXT, VOID, Token, names
from workestra.mail.render.shape import BLOCKS, TABLE_PARTS

MOST_LINES = 6000
MOST_QUOTES = 100
_CUT_IDS = (
    "divrplyfwdmsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "olk_src_body_section",
    "ms-outlook-mobile-reference-message",
)
_CLASSES = names(
    "gmail_quote gmail_quote_container gmail_extra yahoo_quoted protonmail_quote zmail_extra tutanota_quote"
    " ms-outlook-mobile-reference-message front-blockquote"
)
_BREAKS = BLOCKS | TABLE_PARTS | {"br"}
_BLANK = "\u00a0\u200b\u200c\u200d\ufeff\u00ad\u034f"

Range = tuple[int, int]


@dataclass(slots=True)
class _Line:
    text: str
    first: int  # its first token
    last: int


def fold(*, tokens: list[Token]) -> list[Token] | None:
    """The balanced tokens without what is quoted; None where there is nothing to fold."""
    if not tokens:
        return None
    pairs = _pairs(tokens)
    written = _lines(tokens)
    ranges = _ranges(tokens, pairs, written)
    if not ranges:
        return None
    inside = [False] * len(tokens)
    for start, end in ranges:
        inside[start:end] = [True] * (end - start)
    if not _says_something(tokens, inside):
        return None
    between = tokens[ranges[0][1] : ranges[-1][0]] if len(ranges) > 1 else []
    if _says_something(between, inside[ranges[0][1] : ranges[-1][0]]):
        return None
    # An element that is open where a range begins or ends keeps its end tag, so that the rest stays balanced.
    rest: list[Token] = []
    for i, token in enumerate(tokens):
        partner = pairs.get(i)
        if partner is not None and token.kind in (START, END):
            if not (inside[i] and inside[partner]):
                rest.append(token)
        elif not inside[i]:
            rest.append(token)
    return rest


def _pairs(tokens: list[Token]) -> dict[int, int]:
    """Start tag -> end tag and back."""
    pairs: dict[int, int] = {}
    stack: list[int] = []
    for i, token in enumerate(tokens):
        if token.kind == START and token.name not in VOID:
            stack.append(i)
        elif token.kind == END and stack:
            opening = stack.pop()
            pairs[opening] = i
            pairs[i] = opening
    return pairs


def _lines(tokens: list[Token]) -> list[_Line]:
    """The text of the mail line by line, empty lines left out."""
    found: list[_Line] = []
    parts: list[str] = []
    length = first = last = 0
    for i, token in enumerate(tokens):
        if token.kind == TEXT:
            if not parts:
                first = i
            last = i
            if length <= line_of.LONGEST_LINE:
                parts.append(token.text[: line_of.LONGEST_LINE])
                length += len(parts[-1])
        elif token.name in _BREAKS and parts:
            _add_line(found, parts, first, last)
            parts, length = [], 0
            if len(found) >= MOST_LINES:
                return found
    if parts:
        _add_line(found, parts, first, last)
    return found


def _add_line(found: list[_Line], parts: list[str], first: int, last: int) -> None:
    text = " ".join("".join(parts).split())
    if text:
        found.append(_Line(text, first, last))


def _ranges(tokens: list[Token], pairs: dict[int, int], written: list[_Line]) -> list[Range]:
    texts = [line.text for line in written]
    lasts = [line.last for line in written]
    cut = len(tokens)
    subtrees: list[Range] = []
    i = 0
    while i < len(tokens) and len(subtrees) < MOST_QUOTES:
        token = tokens[i]
        if token.kind == START and _cuts(token):
            cut = i
            break
        if token.kind == START and i in pairs and _quotes(token, _line_before(texts, lasts, i)):
            subtrees.append((i, pairs[i] + 1))
            i = pairs[i]
        i += 1
    for at, line in enumerate(written):
        if line.first >= cut:
            break
        if any(start <= line.first < end for start, end in subtrees):
            continue
        if line_of.is_original(line.text) or line_of.header_block(texts, at):
            if line_of.is_forwarded(line.text) or (at and line_of.is_forwarded(texts[at - 1])):
                continue
            above = at and line_of.is_rule(texts[at - 1])
            cut = written[at - 1].first if above else line.first
            break
        taken = line_of.attribution(texts, at)
        if taken:
            follow = _next_subtree(tokens, subtrees, written[at + taken - 1].last)
            if follow is None and not any(start > line.first for start, _ in subtrees):
                cut = line.first
                break
            if follow is not None:
                subtrees[follow] = (line.first, subtrees[follow][1])
    ranges = [one for one in subtrees if one[0] < cut and not _is_forward(one, written)]
    ranges = [(start, min(end, cut)) for start, end in ranges]
    if cut < len(tokens):
        ranges.append((_back(tokens, cut), len(tokens)))
    return sorted(ranges)


def _cuts(token: Token) -> bool:
    name = token.attributes.get("id", "").lower().removeprefix("x_")
    return name.startswith(_CUT_IDS)


def _quotes(token: Token, before: list[str]) -> bool:
    classes = {one.removeprefix("x_") for one in token.attributes.get("class", "").lower().split()}
    if classes & _CLASSES or token.attributes.get("id", "").lower().removeprefix("x_") == "yahoo_quoted":
        return True
    if token.name != "blockquote":
        return False
    return token.attributes.get("type", "").lower() == "cite" or any(
        line_of.attribution(before, at) == len(before) - at for at in range(len(before))
    )


def _line_before(texts: list[str], lasts: list[int], at: int) -> list[str]:
    """The last three lines above this token."""
    above = bisect_left(lasts, at)
    return texts[max(0, above - 3) : above]


def _next_subtree(tokens: list[Token], subtrees: list[Range], after: int) -> int | None:
    """The quote that begins right behind this token, with nothing to read between."""
    for number, (start, _) in enumerate(subtrees):
        if start > after:
            between = tokens[after + 1 : start]
            return None if any(one.kind == TEXT and _is_visible(one.text) for one in between) else number
    return None


def _is_forward(span: Range, written: list[_Line]) -> bool:
    start, end = span
    for at, line in enumerate(written):
        if line.first >= start:
            above = at and line_of.is_forwarded(written[at - 1].text)
            return bool(above) or (line.first < end and line_of.is_forwarded(line.text))
    return False


def _back(tokens: list[Token], at: int) -> int:
    """Also the rule, the empty lines and the elements that begin right before a cut."""
    while at > 0:
        before = tokens[at - 1]
        blank = before.kind == TEXT and not _is_visible(before.text)
        opens = before.kind == START and before.name != "img"
        closes_empty = before.kind == END and at > 1 and tokens[at - 2].kind == START and before.name == "div"
        if not (blank or opens or closes_empty):
            return at
        at -= 1
    return at


def _is_visible(text: str) -> bool:
    return bool(text.strip().strip(_BLANK + " \t\r\n"))


def _says_something(tokens: list[Token], inside: list[bool]) -> bool:
    shown = (token for token, hidden in zip(tokens, inside, strict=True) if not hidden)
    return any(_is_visible(one.text) if one.kind == TEXT else one.name == "img" for one in shown)
