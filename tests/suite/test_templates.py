"""What no template may hold: the pages obey a strict Content-Security-Policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "workestra"
TEMPLATES = sorted(SOURCE.rglob("*.html"))
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=|<style\b"),
    "an inline handler": re.compile(r"\son[a-z]+\s*="),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc=)"),
    "code for htmx": re.compile(r"\shx-(on|vals=['\"]js|headers=['\"]js)"),
    "something from elsewhere": re.compile(r"(src|<link[^>]*href)=\"(https?:)?//"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds(path: Path, what: str) -> None:
    found = FORBIDDEN[what].search(path.read_text(encoding="utf-8"))
    assert found is None, f"{path.name} holds {what}"


def test_every_form_that_posts_carries_its_token() -> None:
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        for form in re.findall(r'<form\b[^>]*method="post".*?</form>', text, re.DOTALL):
            assert "{% csrf_token %}" in form, path.name


def test_every_link_out_tells_the_other_site_nothing() -> None:
    for path in TEMPLATES:
        for link in re.findall(r'<a\b[^>]*target="_blank"[^>]*>', path.read_text(encoding="utf-8")):
            assert 'rel="noopener noreferrer"' in link, path.name
