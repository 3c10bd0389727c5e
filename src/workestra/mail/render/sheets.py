"""<style> rules become style attributes, because a document without its style sheets is unreadable.

Only rules that cost little and say nothing dangerous: plain selectors, allowed properties. @import, @font-face
and @media go. A mail whose rules would be too much work keeps its text and loses its rules.
"""

from __future__ import annotations

import re

import css_inline

from workestra.mail.render.style import declarations, remote_loads, text_of

MOST_RULES = 800
MOST_WORK = 20_000_000  # characters of rules times elements
MOST_GROWTH = 400_000
LONGEST_SELECTOR = 120

_COMMENT = re.compile(r"/\*.*?\*/|/\*.*\Z|<!--|-->", re.DOTALL)
_SELECTOR = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9]*)?(?:[.#][a-zA-Z_-][\w-]*){0,4}")
_BRACES = re.compile(r"[{}]")


def inlined(*, html: str, css: str, tags: int) -> tuple[str, int]:
    """The document with its rules inlined (unchanged where that fails), and what the rules would have loaded."""
    loads = remote_loads(style=css)
    rules = plain_rules(css=css)
    if not rules or len(rules) * max(tags, 1) > MOST_WORK:
        return html, loads
    try:
        made = css_inline.inline(
            f"<style>{rules}</style>{html}",
            load_remote_stylesheets=False,
            keep_style_tags=False,
            keep_link_tags=False,
            keep_at_rules=False,
        )
    except (ValueError, OSError):
        return html, loads
    return (made if len(made) <= 3 * len(html) + MOST_GROWTH else html), loads


def plain_rules(*, css: str) -> str:
    """The rules that are worth inlining, spelled anew."""
    kept: list[str] = []
    for selector, block in _rules(_COMMENT.sub(" ", css)):
        style = declarations(style=block)
        selectors = [one for one in (piece.strip() for piece in selector.split(",")[:20]) if _is_plain(one)]
        if style and selectors:
            kept.append(f"{','.join(selectors)}{{{text_of(style=style)}}}")
        if len(kept) >= MOST_RULES:
            break
    return "".join(kept).replace("<", "")


def _is_plain(selector: str) -> bool:
    if not selector or len(selector) > LONGEST_SELECTOR:
        return False
    steps = selector.replace(">", " > ").split()
    return len(steps) <= 7 and steps[-1] != ">" and all(step == ">" or _SELECTOR.fullmatch(step) for step in steps)


def _rules(css: str) -> list[tuple[str, str]]:
    """(selector, block) of every rule on the outermost level; at-rules are stepped over."""
    found: list[tuple[str, str]] = []
    depth = 0
    start = opened = 0
    for brace in _BRACES.finditer(css):
        if brace[0] == "{":
            if depth == 0:
                opened = brace.end()
            depth += 1
            continue
        if depth == 0:
            start = brace.end()
            continue
        depth -= 1
        if depth == 0:
            selector = css[start : opened - 1].rpartition(";")[2].strip()
            block = css[opened : brace.start()]
            if not selector.startswith("@") and "{" not in block:
                found.append((selector, block))
            start = brace.end()
    return found
