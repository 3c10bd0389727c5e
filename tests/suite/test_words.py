"""The catalogue of errors: every code has words in every language, and they never fail."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils import translation

from workestra.activity.catalogue import ALIASES, CATALOGUE
from workestra.activity.words import Action, label_of, words
from workestra.mail.flows import failure

LANGUAGES = [code for code, _name in settings.LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [*CATALOGUE, *ALIASES])
def test_every_code_has_a_title_and_a_sentence_without_any_detail(code: str, language: str) -> None:
    with translation.override(language):
        found = words(code=code)
    assert found.title
    assert found.sentence.endswith((".", "?"))
    assert "{" not in found.sentence


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_detail_that_a_sentence_names_is_filled_in(code: str) -> None:
    sentence = str(CATALOGUE[code].sentence)
    names = [name for _text, name, _spec, _conversion in string.Formatter().parse(sentence) if name]
    found = words(code=code, detail={name: f"<{name}>" for name in names})
    assert all(f"<{name}>" in found.sentence for name in names)


@pytest.mark.parametrize("code", sorted({*failure.CAUSES.values(), "throttled", "mailbox_not_found", "sync_failed"}))
def test_every_code_that_a_failure_of_microsofts_gets_is_in_the_catalogue(code: str) -> None:
    assert code in CATALOGUE


def test_an_unknown_code_is_shown_rather_than_hidden() -> None:
    assert "weird_thing" in words(code="weird_thing").sentence


def test_a_time_is_told_in_the_readers_zone() -> None:
    from django.utils import timezone

    until = datetime(2026, 1, 2, 13, 30, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        assert "22:30" in words(code="throttled", detail={"until": until}).sentence
        assert "22:30" in words(code="throttled", detail={"until": until.isoformat()}).sentence


def test_a_detail_with_braces_is_text() -> None:
    assert "{0.__class__}" in words(code="already_connected", detail={"name": "{0.__class__}"}).sentence


def test_every_action_but_the_passive_ones_has_a_label() -> None:
    silent = {action for action in Action if not label_of(action=action)}
    assert silent == {Action.NONE, Action.ASK_ADMIN}
