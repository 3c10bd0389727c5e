"""CSS of a mail: what is on the list stays as it is, anything with a second meaning goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workestra.mail.render.sheets import plain_rules
from workestra.mail.render.style import declarations, is_safe, text_of


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: #1F497D", "color:#1F497D"),
        ("COLOR:Red ; margin:0cm 0cm 8pt", "color:Red;margin:0cm 0cm 8pt"),
        (
            "font-family: 'Segoe UI', \"Helvetica Neue\", sans-serif",
            "font-family:'Segoe UI', \"Helvetica Neue\", sans-serif",
        ),
        ("font-family:微软雅黑,Arial", "font-family:微软雅黑,Arial"),
        ("color:rgba(0, 0, 0, .5)", "color:rgba(0, 0, 0, .5)"),
        ("color:red !important", "color:red"),
        ("color:red;color:blue", "color:blue"),
        ("border-top:solid #E1E1E1 1.0pt", "border-top:solid #E1E1E1 1.0pt"),
        ("mso-line-height-rule:exactly;line-height:12pt", "line-height:12pt"),
        ("position:absolute;color:red", "color:red"),
        ("background:url(x);color:red", "color:red"),
        ("background:u\\72l(x)", ""),
        ("width:calc(1px + 1px)", ""),
        ("color:re/**/d", ""),
        ("margin:-5px", ""),
        ("width:999999px", ""),
        ("color:red}body{color:blue", ""),
        ("font-family:'a;color:red", "color:red"),
        ("color", ""),
        ("", ""),
    ],
)
def test_a_declaration_stays_only_if_it_means_one_harmless_thing(style: str, kept: str) -> None:
    assert text_of(style=declarations(style=style)) == kept


@given(st.text(alphabet="acdlnoru(){}:;,'\"\\/*!-0123456789 \n@#<>", max_size=80))
def test_what_stays_is_safe_and_stays_the_same(style: str) -> None:
    kept = text_of(style=declarations(style=style))
    assert is_safe(style=kept)
    assert text_of(style=declarations(style=kept)) == kept
    assert not set(kept) & set("{}\\<>@*!")


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("p{color:red}", "p{color:red}"),
        ("p.x, .y > b, #z i { color : red }", "p.x,.y > b,#z i{color:red}"),
        ("p:hover{color:red}*{color:red}p[title]{color:red}p+p{color:red}", ""),
        ("@media screen{p{color:red}}b{color:red}", "b{color:red}"),
        ("@import 'x';b{color:red}", "b{color:red}"),
        ("@font-face{src:url(x)}b{color:red}", "b{color:red}"),
        ("}}}b{color:red}", "b{color:red}"),
        ("b{color:red", ""),
        ("/* } */b{color:red}/*", "b{color:red}"),
        ("b{background:url(x)}", ""),
    ],
)
def test_only_plain_rules_are_inlined(css: str, kept: str) -> None:
    assert plain_rules(css=css) == kept
