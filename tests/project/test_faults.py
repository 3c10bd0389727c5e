"""A database that is away is told to people and to the log in words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from django.test import Client

from workestra.project.logs import in_a_line, without_outages


@pytest.fixture
def away(db: None) -> Iterator[None]:
    """The database has gone."""
    here = connections["default"]
    here.close()
    mine: dict[str, Any] = here.settings_dict
    here.settings_dict = {**mine, "HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {"connect_timeout": 2}}
    yield
    here.settings_dict = mine


def test_people_read_that_the_database_is_away_and_nothing_is_lost(away: None) -> None:
    browser = Client(raise_request_exception=False, headers={"Accept-Language": "de"})
    browser.cookies["workestra_session"] = "a" * 32
    answer = browser.get("/inbox")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert b"error-code" in answer.content


def test_the_log_holds_a_line_of_an_outage_and_the_traceback_of_all_else() -> None:
    def record(problem: Exception) -> logging.LogRecord:
        made = logging.LogRecord("x", logging.ERROR, "", 1, "Failed: %s", ("/inbox",), (type(problem), problem, None))
        assert without_outages(made)
        return made

    lost = record(OperationalError("couldn't get\na connection"))
    assert (lost.getMessage(), lost.exc_info) == ("Failed: /inbox: OperationalError: couldn't get a connection", None)
    assert record(ValueError("odd")).exc_info is not None


def test_an_error_without_words_is_told_by_the_one_under_it() -> None:
    outer = RuntimeError("Database error.")
    outer.__cause__ = psycopg.OperationalError("connection refused")
    assert in_a_line(outer) == "Database error. connection refused"
