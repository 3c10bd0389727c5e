"""What a mail's elements may say: links that lead out, pictures that came along, CSS that stays in its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from workestra.mail.render.links import safe_href
from workestra.mail.render.pictures import Pictures, shown
from workestra.mail.render.scan import END, START, Token, names
from workestra.mail.render.style import COLOURS, declarations, is_colour_of_its_own, text_of

_NUMBERS = names("border cellpadding cellspacing colspan height rowspan size span start value width")
_WORDS = names("align clear dir face hidden lang nowrap title type valign")
_MOST_SPAN = 1000


@dataclass(slots=True)
class Polished:
    """`sources`: the addresses of pictures that we wrote ourselves, and no others may load."""

    tokens: list[Token] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    blocked: int = 0
    coloured: bool = False


def polish(*, tokens: list[Token], pictures: Pictures) -> Polished:
    """The tokens with nothing left that loads, leads inside, or speaks in our name. Black on white is no colour."""
    made = Polished()
    for token in tokens:
        if token.kind == START and token.name == "img":
            stand_in, blocked = shown(attributes=token.attributes, pictures=pictures)
            made.blocked += blocked
            made.sources.update(one.attributes["src"] for one in stand_in if one.name == "img" and one.kind == START)
            made.tokens += stand_in
        elif token.kind == START:
            made.tokens.append(Token(START, _name(token), _attributes(token, made)))
        elif token.kind == END:
            made.tokens.append(Token(END, _name(token)))
        else:
            made.tokens.append(token)
    if not made.coloured:
        _drop_colours(made.tokens)
    return made


def _name(token: Token) -> str:
    return "div" if token.name == "body" else token.name


def _attributes(token: Token, made: Polished) -> dict[str, str]:
    given = token.attributes
    kept: dict[str, str] = {}
    style: dict[str, str] = {}
    for name, source in (("bgcolor", "background-color"), ("color", "color"), ("text", "color")):
        if name in given and (name != "text" or token.name == "body"):
            style |= declarations(style=f"{source}:{given[name].strip()}")
    style |= declarations(style=given.get("style", ""))
    made.coloured = made.coloured or any(is_colour_of_its_own(name=key, value=value) for key, value in style.items())
    for key, value in given.items():
        if key in _WORDS:
            kept[key] = value[:300]
        elif key in _NUMBERS:
            number = _number(key, value)
            if number:
                kept[key] = number
    if token.name == "a":
        target = safe_href(value=given.get("href", ""))
        if target is not None:
            kept["href"] = target
    if style:
        kept["style"] = text_of(style=style)
    return kept


def _number(key: str, value: str) -> str:
    digits = value.strip().removesuffix("px")
    bare = digits.removesuffix("%").removeprefix("+").removeprefix("-").split(".")[0]
    if not (bare.isascii() and bare.isdigit()) or len(bare) > 4:
        return ""
    if key in ("colspan", "rowspan", "span"):
        return str(min(max(int(bare), 1), _MOST_SPAN))
    return digits if digits.removesuffix("%") == bare else bare


def _drop_colours(tokens: list[Token]) -> None:
    """Black text on white, as Outlook writes it everywhere, would be unreadable on a dark page."""
    for token in tokens:
        style = token.attributes.get("style") if token.kind == START else None
        if not style:
            continue
        rest = {key: value for key, value in declarations(style=style).items() if key not in COLOURS}
        if rest:
            token.attributes["style"] = text_of(style=rest)
        else:
            del token.attributes["style"]
