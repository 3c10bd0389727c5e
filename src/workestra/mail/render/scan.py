"""Source of a mail -> tokens, in one linear pass that no input can slow down or break.

It reads tags, comments and raw text as browsers do ("HTML Standard: tokenization"), where that matters for
what people see. It is no wall: what comes out is still hostile, only well spelled.
"""

from __future__ import annotations

import html
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

TEXT, START, END, STYLE = "text", "start", "end", "style"
MOST_ATTRIBUTES = 40
MOST_REFERENCES = 1000


def names(text: str) -> frozenset[str]:
    """A set of names, from a line of them."""
    return frozenset(text.split())


VOID = names("area base br col embed hr img input link meta param source track wbr")
RAW = names("script style iframe noembed noframes title textarea xmp")

_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = re.compile(r"[\s/]*(?:(>)|([^\s/>][^\s/>=]*)\s*(=\s*)?)")
_UNQUOTED = re.compile(r"[^\s>]*")
_COMMENT_END = re.compile(r"--!?>")
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*>?", re.IGNORECASE) for name in RAW}


@dataclass(slots=True)
class Token:
    """`text` is what a person reads (character references resolved), or the rules of a <style>."""

    kind: str
    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""


def decoded(value: str) -> str:
    """Character references resolved; a reference that Python refuses to read stays as it is."""
    if "&" not in value:
        return value
    try:
        return html.unescape(value)
    except ValueError:  # a number of more than 4,300 digits
        return value


def scan(*, source: str) -> Iterator[Token]:
    """The tokens of `source`. Comments, doctypes, scripts and other raw text but styles are left out."""
    at, end = 0, len(source)
    while at < end:
        opening = source.find("<", at)
        if opening < 0:
            yield Token(TEXT, text=decoded(source[at:]))
            return
        if opening > at:
            yield Token(TEXT, text=decoded(source[at:opening]))
        following = source[opening + 1 : opening + 2]
        if following.isascii() and following.isalpha():
            token, at = _start(source, opening + 1)
            if token is None:
                return
            yield token
            if token.name in RAW:
                closing = _RAW_END[token.name].search(source, at)
                if token.name == "style":
                    yield Token(STYLE, text=source[at : closing.start() if closing else end])
                elif token.name == "xmp":
                    yield Token(TEXT, text=source[at : closing.start() if closing else end])
                at = closing.end() if closing else end
                yield Token(END, token.name)
        elif following == "/":
            at = yield from _end(source, opening + 2)
        elif following in ("!", "?"):
            at = _after_comment(source, opening)
        else:
            yield Token(TEXT, text="<")
            at = opening + 1


def _end(source: str, at: int) -> Generator[Token, None, int]:
    name = _NAME.match(source, at)
    closing = source.find(">", at)
    if name is not None and closing >= 0:
        yield Token(END, name[0].lower())
    return closing + 1 if closing >= 0 else len(source)


def _after_comment(source: str, opening: int) -> int:
    if source.startswith("<!--", opening):
        if source.startswith((">", "->"), opening + 4):
            return source.index(">", opening) + 1
        closing = _COMMENT_END.search(source, opening + 4)
        return closing.end() if closing else len(source)
    plain = source.find(">", opening)
    return plain + 1 if plain >= 0 else len(source)


def _start(source: str, at: int) -> tuple[Token | None, int]:
    """A start tag and the place behind it; None where the mail ends inside the tag."""
    name = _NAME.match(source, at)
    if name is None:
        return None, at
    token = Token(START, name[0].lower())
    at = name.end()
    while True:
        found = _ATTRIBUTE.match(source, at)
        if found is None:
            return None, at
        at = found.end()
        if found[1]:
            return token, at
        value = ""
        if found[3]:
            quote = source[at : at + 1]
            if quote in ('"', "'"):
                closing = source.find(quote, at + 1)
                if closing < 0:
                    return None, at
                value, at = source[at + 1 : closing], closing + 1
            else:
                unquoted = _UNQUOTED.match(source, at)
                value = unquoted[0] if unquoted else ""
                at += len(value)
        key = found[2].lower()
        if key not in token.attributes and len(token.attributes) < MOST_ATTRIBUTES:
            token.attributes[key] = decoded(value)


def spelled(*, text: str, before: int = 0) -> tuple[str, int]:
    """Text as HTML, and the character references in this stretch of it; `before` came right in front of it.

    Parsers take quadratic time over many references in one text, so an invisible <wbr> now and then parts them.
    """
    here = text.count("&") + text.count("<") + text.count(">")
    if before + here <= MOST_REFERENCES:
        return html.escape(text, quote=False), before + here
    parts: list[str] = []
    for start in range(0, len(text), MOST_REFERENCES):
        piece = text[start : start + MOST_REFERENCES]
        parts.append(("<wbr>" if start or before else "") + html.escape(piece, quote=False))
    return "".join(parts), MOST_REFERENCES


def written(*, tokens: list[Token]) -> str:
    """The tokens as HTML again: every value quoted, nothing in a text that could be read as a tag."""
    parts: list[str] = []
    references = 0
    for token in tokens:
        if token.kind == TEXT:
            text, references = spelled(text=token.text, before=references)
            parts.append(text)
            continue
        references = 0
        if token.kind == END:
            parts.append(f"</{token.name}>")
        elif token.kind == START:
            values = "".join(f' {key}="{html.escape(value)}"' for key, value in token.attributes.items())
            parts.append(f"<{token.name}{values}>")
    return "".join(parts)
