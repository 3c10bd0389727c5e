"""Nothing that a mail brings runs, loads, leaves its frame or speaks in our name (SEC 8)."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mail.render.rendering import rendered, text, tree
from tests.mail.render.vectors import ESCAPES, EVERYTHING, LOADS

TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title link body div p a abbr acronym address article aside b bdi bdo big blockquote br"
        " caption center cite code col colgroup dd del dfn dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6"
        " hr header i img ins kbd li main mark nav ol pre q s samp section small span strike strong sub sup table"
        " tbody td tfoot th thead tr tt u ul var wbr",
    )
)
LINK = re.compile(r"(https?://[^/]|mailto:|tel:)", re.IGNORECASE)
PICTURE = re.compile(r"/m/7/(att/\d+\?inline=1|cid/.+)|data:image/(png|jpe?g|gif|webp);base64,[\w+/=\s]*", re.I)
NO_CSS = re.compile(r"url|expression|import|position|behavior|binding|\\|/\*|image-set|var\(|@|-moz|<", re.IGNORECASE)


def faults(page: Any) -> list[str]:
    """What in this document must not be there, by a reading of HTML that is not ours."""
    found: list[str] = []
    root = tree(page)
    for element in root.iter():
        if not isinstance(element.tag, str):
            found.append("a comment")
            continue
        if element.tag not in TAGS:
            found.append(f"<{element.tag}>")
        for name, value in element.attrib.items():
            if name.startswith("on") or name in ("srcset", "background", "poster", "action", "ping", "srcdoc"):
                found.append(f"{name} on <{element.tag}>")
            ours = value in ("?full=1", "?full=1&quotes=1") and element.getparent().get("class") == "clip-note"
            if name == "href" and element.tag != "link" and not LINK.match(value) and not ours:
                found.append(f"a link to {value!r}")
            if name == "src" and not PICTURE.fullmatch(value):
                found.append(f"a picture from {value!r}")
            if name == "style" and NO_CSS.search(value):
                found.append(f"style {value!r}")
            if (
                name == "class"
                and element.tag not in ("body",)
                and value not in ("mail-text", "blocked-image", "clip-note")
            ):
                found.append(f"class {value!r}")
    if [one.get("href") for one in root.iter("link")] != ["/static/mail-frame.css"]:
        found.append("a style sheet")
    if len(root.xpath("//meta")) != 3 or len(root.xpath("//body")) != 1:
        found.append("a second head or body")
    if not page.html.endswith("</body></html>"):
        found.append("something after the end")
    return found


@pytest.mark.parametrize("vector", EVERYTHING)
def test_hostile_mail_becomes_harmless(vector: str) -> None:
    page = rendered(f"<p>before</p>{vector}<p>after</p>")
    assert faults(page) == []
    assert "before" in text(page)


@pytest.mark.parametrize("vector", EVERYTHING)
def test_hostile_mail_as_text_is_shown_as_it_is_written(vector: str) -> None:
    page = rendered(vector, kind="text", quotes=True)
    assert faults(page) == []
    shown = re.sub(r"[\x00-\x1f\ufffd]", "", vector).replace("\n", "")
    assert re.sub(r"[\s\ufffd]", "", tree(page).xpath("string(//body)")) == re.sub(r"\s", "", shown)


@pytest.mark.parametrize("vector", EVERYTHING)
def test_rendering_the_result_again_changes_nothing_in_what_is_read(vector: str) -> None:
    first = tree(rendered(vector)).xpath("//div[@class='mail-text']")[0]
    again = rendered("".join(_inner(first)))
    assert "".join(first.xpath("string()").split()) == "".join(tree(again).xpath("string(//body)").split())
    assert faults(again) == []


def _inner(element: Any) -> list[str]:
    from lxml import etree

    return [element.text or "", *(etree.tostring(one, encoding="unicode", method="html") for one in element)]


@pytest.mark.parametrize("vector", [one for one in LOADS if "evil.invalid" in one])
def test_an_address_outside_remains_at_most_as_a_link(vector: str) -> None:
    root = tree(rendered(vector))
    for element in root.iter():
        for name, value in element.attrib.items():
            assert name == "href" or "evil.invalid" not in value


@pytest.mark.parametrize("vector", ESCAPES)
def test_what_follows_a_broken_layout_is_still_inside_the_mail(vector: str) -> None:
    root = tree(rendered(f"{vector}<p>the last words</p>"))
    assert "the last words" in root.xpath("string(//body/div[@class='mail-text'])")


def test_links_open_elsewhere_and_tell_nothing() -> None:
    (link,) = tree(rendered("<a href='https://example.org/?a=1&b=2' target=_self rel=opener>x</a>")).xpath("//a")
    assert link.get("href") == "https://example.org/?a=1&b=2"
    assert link.get("target") == "_blank"
    assert set(link.get("rel").split()) == {"noopener", "noreferrer", "nofollow"}


FRAGMENTS = st.sampled_from(
    [
        *EVERYTHING,
        "<b>",
        "</b>",
        "<p>",
        "<table>",
        "<td>",
        "</table>",
        "<svg>",
        "<math>",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<a href=",
        '"',
        "'",
        ">",
        "<",
        "&",
        "&#",
        "&lt;",
        "\x00",
        "\ud800",
        "\u202e",
        "text",
        "</div>",
        "<body>",
    ]
)


@settings(max_examples=250, deadline=None)
@given(st.lists(FRAGMENTS, max_size=12).map("".join), st.booleans(), st.booleans())
def test_any_mixture_of_hostile_pieces_becomes_harmless(source: str, quotes: bool, full: bool) -> None:
    assert faults(rendered(source, quotes=quotes, full=full)) == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=300), st.sampled_from(["html", "text"]), st.booleans())
def test_any_text_at_all_becomes_a_document(source: str, kind: str, quotes: bool) -> None:
    assert faults(rendered(source, kind=kind, quotes=quotes)) == []


HUGE = {
    "nested 10,000 deep": "<div>" * 10_000 + "x" + "</div>" * 10_000,
    "nested 200,000 deep": "<div>" * 200_000 + "x",
    "nested with rules": "<style>div{color:red}div div{margin:1px}</style>" + "<div>" * 100_000,
    "formatting that is never closed": "".join(f"<font size={n}>" for n in range(20_000)) + "<p>x" * 20_000,
    "formatting in paragraphs": "".join(f"<p><font color=a{n}>" for n in range(20_000)),
    "cells without tables": "<td>" * 200_000,
    "tables in tables": "<table><tr><td>" * 50_000,
    "quotes in quotes": "<blockquote type=cite>" * 50_000,
    "quote after quote": "x<blockquote type=cite>y</blockquote>" * 20_000,
    "only brackets": "<" * 5_000_000,
    "only ampersands": "&" * 5_000_000,
    "only references": "&amp;" * 1_000_000,
    "open comments": "<!--" * 1_000_000,
    "open attributes": "<a b='" * 500_000,
    "one tag with many attributes": "<p " + "a=b " * 1_000_000 + ">x",
    "a long attribute": "<p title='" + "a" * 5_000_000 + "'>x",
    "5 MB of markup": "<p style='color:red;margin:0'>Hello <b>there</b></p>" * 100_000,
    "20 MB of text in markup": "<p>" + "lorem ipsum " * 1_700_000,
    "thousands of rules": "<style>"
    + "".join(f".a{n} p,#b{n}{{color:red}}" for n in range(20_000))
    + "</style>"
    + "<p>x" * 9000,
    "rules without end": "<style>" + "a{" * 500_000,
    "a number too long for Python": f"<a href='&#{'1' * 5000};'>&#{'9' * 9000};</a>",
    "a style without end": "<p style='" + "color:red;" * 300_000 + "'>x",
    "headers without end": "<p>From: x</p>" * 20_000,
    "attributions without end": "<p>On 1.1.2026, x@y wrote:</p>" * 20_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_mail_is_rendered_in_bounded_time_and_size(name: str) -> None:
    before = time.monotonic()
    page = rendered(HUGE[name])
    assert time.monotonic() - before < 10
    assert len(page.html) < 8_000_000
    assert faults(page) == []


@pytest.mark.parametrize("name", ["only brackets", "5 MB of markup", "nested 200,000 deep"])
def test_a_mail_that_is_cut_says_so_and_offers_the_rest(name: str) -> None:
    page = rendered(HUGE[name])
    assert page.clipped
    assert '<p class="clip-note">' in page.html
    assert '<a href="?full=1">' in page.html


def test_the_rest_of_a_long_mail_keeps_the_choice_to_see_quotes() -> None:
    page = rendered("x" * 2_000_000, quotes=True)
    assert tree(page).xpath("//p[@class='clip-note']/a/@href") == ["?full=1&quotes=1"]


def test_asked_for_in_full_a_long_mail_is_whole() -> None:
    page = rendered("word " * 400_000 + "the end", full=True)
    assert not page.clipped
    assert "the end" in page.html


@pytest.mark.parametrize("kind", ["html", "text"])
def test_twenty_megabytes_in_full_are_shown_as_far_as_it_goes(kind: str) -> None:
    before = time.monotonic()
    page = rendered("<p>Hello https://example.org there</p>\n" * 560_000, kind=kind, full=True)
    assert time.monotonic() - before < 30
    assert page.clipped
    assert tree(page).xpath("//p[@class='clip-note']/a") == []
