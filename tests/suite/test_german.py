"""German proves that the pages can speak other languages: nothing missing, nothing out of date."""

from __future__ import annotations

import ast
import gettext
import re
import string
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

SOURCE = Path(__file__).resolve().parents[2] / "src" / "workestra"
FOLDER = SOURCE / "project" / "locale" / "de" / "LC_MESSAGES"
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext"}
IN_TEMPLATE = re.compile(r"\b(?:_|n?gettext)\(u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")

Entry = tuple[str, list[str]]


def entries() -> dict[str, Entry]:
    """The .po file: key -> (msgid, translations); the key is as in a .mo file, context first."""
    found: dict[str, Entry] = {}
    for block in (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n"):
        values: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if not line.startswith('"'):
                name, _, line = line.partition(" ")
            values[name] = values.get(name, "") + ast.literal_eval(line)
        if values:
            context = f"{values['msgctxt']}\x04" if "msgctxt" in values else ""
            texts = [text for key, text in values.items() if key.startswith("msgstr")]
            found[context + values["msgid"]] = (values["msgid"], texts)
    return found


def asked_for() -> set[str]:
    """Every text that the code and the templates want translated."""
    texts: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            literal = node.args[1] if name == "pgettext" and len(node.args) > 1 else node.args[0]
            if name in CALLS and isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                texts.add(literal.value)
    for path in SOURCE.rglob("*.html"):
        code = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        texts |= {ast.literal_eval(match) for match in IN_TEMPLATE.findall(code)}
    return texts - {""}


def placeholders(text: str) -> set[str]:
    named = {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}
    return named | set(re.findall(r"%\(\w+\)[sd]|%[sd]", text))


def test_the_compiled_file_says_what_the_readable_one_says() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for key, (_text, translations) in entries().items():
        if not key:
            continue
        if len(translations) == 1:
            assert compiled._catalog[key] == translations[0]  # type: ignore[attr-defined]
        else:
            assert [compiled._catalog[(key, n)] for n in (0, 1)] == translations  # type: ignore[attr-defined]


def test_every_text_of_the_product_is_translated() -> None:
    known = {text for text, translations in entries().values() if all(translations)}
    assert sorted(asked_for() - known) == []


def test_nothing_is_translated_that_nobody_asks_for() -> None:
    assert sorted({text for text, _ in entries().values()} - asked_for() - {""}) == []


@pytest.mark.parametrize("key", [key for key in entries() if key])
def test_a_translation_keeps_every_placeholder(key: str) -> None:
    text, translations = entries()[key]
    assert all(placeholders(one) == placeholders(text) for one in translations)
