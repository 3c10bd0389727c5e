"""Tokens in any order -> tokens of a tree: every element closed, none too deep, never too many.

What follows may then be as simple as it likes: nested 10,000 deep, or with formatting that is never closed,
a mail costs a parser minutes or gigabytes. Elements that mail does not need go, their text stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from workestra.mail.render.pictures import hidden_loads
from workestra.mail.render.scan import END, START, STYLE, TEXT, VOID, Token, names

DEEPEST = 160
MOST_FORMATTING = 24
MOST_STYLE = 200_000
LOOK_BACK = 320

FORMATTING = names(
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span"
    " strike strong sub sup tt u var"
)
BLOCKS = names(
    "address article aside blockquote body center dd div dl dt figcaption figure footer h1 h2 h3 h4"
    " h5 h6 header hr li main nav ol p pre section table ul"
)
CELLS = frozenset({"td", "th", "caption"})
GROUPS = frozenset({"tbody", "thead", "tfoot"})
TABLE_PARTS = CELLS | GROUPS | {"table", "tr", "colgroup", "col"}
TAGS = FORMATTING | BLOCKS | TABLE_PARTS | {"br", "img", "wbr"}
RENAMED = {"listing": "pre", "xmp": "pre", "menu": "ul", "dir": "ul"}

ATTRIBUTES = names(
    "align alt background bgcolor border cellpadding cellspacing class clear color colspan dir face height hidden"
    " href id lang name nowrap rowspan size span src srcset start style text title type valign value width"
)

_CLOSES = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "table"}) | CELLS),
    "dd": (frozenset({"dd", "dt"}), frozenset({"dl", "table"}) | CELLS),
    "dt": (frozenset({"dd", "dt"}), frozenset({"dl", "table"}) | CELLS),
    "td": (frozenset({"td", "th", "caption"}), frozenset({"table"})),
    "th": (frozenset({"td", "th", "caption"}), frozenset({"table"})),
    "tr": (frozenset({"tr", "caption", "colgroup"}), frozenset({"table"})),
    **{name: (GROUPS | {"caption", "colgroup"}, frozenset({"table"})) for name in GROUPS},
    "a": (frozenset({"a"}), CELLS | {"table"}),
}
_P = (frozenset({"p"}), CELLS | {"table"})


@dataclass(slots=True)
class Shaped:
    """A balanced list of tokens, the rules of its style sheets, what it would have loaded, was it cut short?"""

    tokens: list[Token] = field(default_factory=list)
    css: str = ""
    loads: int = 0
    cut: bool = False
    tags: int = 0


class _Tree:
    """The open elements. Those beyond a limit are remembered, so that their end tags find them, but not written."""

    def __init__(self, out: list[Token]) -> None:
        self.out = out
        self.stack: list[tuple[str, bool]] = []
        self.open: Counter[str] = Counter()
        self.depth = 0
        self.formatting = 0

    def start(self, token: Token) -> None:
        closes = _CLOSES.get(token.name)
        if token.name in BLOCKS and self.open["p"]:
            self.close_nearest(*_P)
        if closes and any(self.open[name] for name in closes[0]):
            self.close_nearest(*closes)
        if token.name in VOID:
            self.out.append(token)
            return
        formats = token.name in FORMATTING
        shown = self.depth < DEEPEST and not (formats and self.formatting >= MOST_FORMATTING)
        self.stack.append((token.name, shown))
        self.open[token.name] += 1
        if shown:
            self.depth += 1
            self.formatting += formats
            self.out.append(token)

    def end(self, name: str) -> None:
        if not self.open[name]:
            return
        if name == "table":
            self.close_nearest(frozenset({"table"}), frozenset())
        elif name in TABLE_PARTS:
            self.close_nearest(frozenset({name}), frozenset({"table"}))
        else:
            self.close_nearest(frozenset({name}), CELLS | {"table"})

    def close_nearest(self, names: frozenset[str], fences: frozenset[str]) -> None:
        """Close the nearest of these, and all inside it, unless one of the fences stands before it."""
        for back in range(1, min(len(self.stack), LOOK_BACK) + 1):
            name = self.stack[-back][0]
            if name in names:
                self.close(back)
                return
            if name in fences:
                return

    def close(self, count: int) -> None:
        for _ in range(count):
            name, shown = self.stack.pop()
            self.open[name] -= 1
            if shown:
                self.depth -= 1
                self.formatting -= name in FORMATTING
                self.out.append(Token(END, name))


def shape(*, tokens: Iterable[Token], most_tags: int) -> Shaped:
    """The tokens as a tree. After `most_tags` elements the rest is left out, and `cut` says so."""
    made = Shaped()
    tree = _Tree(made.tokens)
    styles: list[str] = []
    length = 0
    for count, token in enumerate(tokens):
        if count > 4 * most_tags:
            made.cut = True
            break
        if token.kind == TEXT:
            made.tokens.append(token)
        elif token.kind == STYLE:
            length += len(token.text)
            if length <= MOST_STYLE:
                styles.append(token.text)
        else:
            token.name = RENAMED.get(token.name, token.name)
            if token.kind == END:
                if token.name == "br":  # as browsers do
                    made.tokens.append(Token(START, "br"))
                else:
                    tree.end(token.name)
                continue
            made.loads += hidden_loads(name=token.name, attributes=token.attributes)
            if token.name not in TAGS:
                continue
            made.tags += 1
            if made.tags > most_tags:
                made.cut = True
                break
            token.attributes = {key: value for key, value in token.attributes.items() if key in ATTRIBUTES}
            tree.start(token)
    tree.close(len(tree.stack))
    made.css = "\n".join(styles)
    return made
