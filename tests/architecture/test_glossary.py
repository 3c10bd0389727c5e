"""The glossary's words are those of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
NAMES = re.findall(r"\| `([^`]+)` \|$", TEXT, flags=re.MULTILINE)
PLACES = ("workestra", "workestra.mail", "workestra.rules", "workestra.tenancy")
MODELS = {model.__name__: model for label in ("mail", "tenancy") for model in apps.get_app_config(label).get_models()}


def found(name: str) -> bool:
    """Whether a name is a model, a field of one, a module, or a name in a module."""
    first, _, rest = name.partition(".")
    if first in MODELS:
        return not rest or any(field.name == rest for field in MODELS[first]._meta.get_fields())
    for place in PLACES:
        for module, attribute in ((name, ""), tuple(name.rpartition(".")[::2])):
            try:
                here = importlib.import_module(f"{place}.{module}")
            except ModuleNotFoundError:
                continue
            if not attribute or hasattr(here, attribute):
                return True
    return name == "m365sandbox"


@pytest.mark.parametrize("name", NAMES)
def test_a_word_of_the_glossary_is_in_the_code(name: str) -> None:
    assert found(name)


def test_every_table_has_a_word() -> None:
    without = {"SignIn", "SignInAttempt", "ThreadKey", "Schedule"}  # machinery that nobody talks about
    named = {name.partition(".")[0] for name in NAMES}
    assert set(MODELS) - named - without == set()
