"""Every word that people see goes through gettext."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "src" / "workestra").rglob("templates/**/*.html"))
NAMES = re.compile(r"\b(Workestra|Outlook|Microsoft|Microsoft 365)\b")
SPOKEN = ("title", "aria-label", "placeholder", "alt", "label", "heading", "text")
BLOCK = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
COMMENT = re.compile(r"{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
KEYS = re.compile(r"<kbd\b.*?</kbd>", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")


class Visible(HTMLParser):
    """Collects the words that a reader or a screen reader meets."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        for name, value in attrs:
            if name in SPOKEN and value:
                self._take(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._take(data)

    def _take(self, text: str) -> None:
        self.words += WORD.findall(NAMES.sub("", text))


def spoken(source: str) -> list[str]:
    """Words of a template that are not translated."""
    for pattern in (COMMENT, BLOCK, TAG, KEYS):
        source = pattern.sub("", source)
    page = Visible()
    page.feed(source)
    page.close()
    return page.words


def test_the_scan_finds_words_and_leaves_translated_ones_alone() -> None:
    assert spoken('<p title="Close">{% translate "Yes" %} Hello {{ name }}</p>') == ["Close", "Hello"]
    assert spoken("{% blocktranslate %}All {{ n }} of them{% endblocktranslate %} Outlook") == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_speaks_through_gettext_alone(path: Path) -> None:
    assert spoken(path.read_text(encoding="utf-8")) == []
