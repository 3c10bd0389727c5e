"""Settings are checked before anything starts: each wrong one is named, with what is wrong and an example (OPS 1)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

from workestra.project import env

KEY = "A" * 43 + "="


@pytest.fixture(autouse=True)
def _good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The least that is needed, and nothing else."""
    for name in [one for one in os.environ if one.startswith(("WORKESTRA_", "_WORKESTRA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WORKESTRA_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("WORKESTRA_SECRET_KEY", "s" * 50)
    monkeypatch.setenv("WORKESTRA_TOKEN_KEYS", f"k1:{KEY}")


def complaint(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """What is said about these settings."""
    for name, value in values.items():
        monkeypatch.setenv(f"WORKESTRA_{name}", value)
    with pytest.raises(env.SettingsProblem) as problem:
        env.read()
    return str(problem.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PUBLIC_URL", "mail.example.com", "must be a web address"),
        ("PUBLIC_URL", "https://", "must be a web address"),
        ("PUBLIC_URL", "ftp://mail.example.com", "must be a web address"),
        ("PUBLIC_URL", "https://mail.example.com/workestra", "must end after the host"),
        ("PUBLIC_URL", "https://mail.example.com?x=1", "must not carry"),
        ("PUBLIC_URL", "https://mail.example.com?", "must not carry"),
        ("PUBLIC_URL", "https://mail.example.com#top", "must not carry"),
        ("PUBLIC_URL", "https://ana:pw@mail.example.com", "must not carry"),
        ("PUBLIC_URL", "https://@mail.example.com", "must not carry"),
        ("PUBLIC_URL", "https://mail.example.com:65536", "is no address"),
        ("PUBLIC_URL", "https://mail.example.com:0", "port between"),
        ("PUBLIC_URL", "https://mail.example.com:https", "is no address"),
        ("PUBLIC_URL", "https://mail example.com", "must not have a blank"),
        ("PUBLIC_URL", "https://mail.exam\nple.com", "must not have a blank"),
        ("PUBLIC_URL", "https://mail..example.com", "no host that could exist"),
        ("PUBLIC_URL", "https://-", "no host that could exist"),
        ("PUBLIC_URL", "https://[::1", "is no address"),
        ("PUBLIC_URL", "https://müller.example", "xn--mller-kva.example"),
        ("PUBLIC_URL", '"https://mail.example.com"', "is in quotes"),
        ("MICROSOFT_AUTHORITY", "https://login.microsoftonline.com", "must end with a tenant"),
        ("MICROSOFT_AUTHORITY", "https://login.microsoftonline.com/", "must end with a tenant"),
        ("MICROSOFT_AUTHORITY", "https://login.microsoftonline.com//common", "must end with a tenant"),
        ("MICROSOFT_AUTHORITY", "https://login.microsoftonline.com/common/v2.0", "without what follows"),
        ("MICROSOFT_AUTHORITY", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "without"),
        ("MICROSOFT_AUTHORITY", "http://login.example.com/common", "https://"),
        ("MICROSOFT_AUTHORITY", "https://login.example.com:70000/common", "is no address"),
        ("GRAPH_URL", "http://graph.example.com/v1.0", "https://"),
        ("GRAPH_URL", "https://graph.example.com:99999/v1.0", "is no address"),
        ("GRAPH_URL", "https://graph.microsoft.com/v1.0?x", "must not carry"),
        ("DATABASE_URL", "mysql://somewhere/else", "postgresql://"),
        ("DATABASE_URL", "dbname=workestra", "postgresql://"),
        ("DATABASE_URL", "postgresql://db.example:99999/workestra", "port 99999"),
        ("DATABASE_URL", "postgresql://db.example:0/workestra", "port 0"),
        ("DATABASE_URL", "postgresql://db.example:five/workestra", "port five"),
        ("DATABASE_URL", "postgresql://ana@db.example", "names no database"),
        ("DATABASE_URL", "postgresql://db.example/w?colour=blue", "is not understood"),
        ("DATABASE_URL", "postgresql://db.example/w?connect_timeout=soon", "connect_timeout soon"),
        ("DATABASE_URL", "postgresql://db.example/w%zz", "is not understood"),
        ("DATABASE_ROLE", "work-estra", "letters, digits and underscores"),
        ("DATABASE_ROLE", "none", "a role of its own"),
        ("DATABASE_ROLE", "postgres", "a role of its own"),
        ("DATABASE_ROLE", "pg_monitor", "a role of its own"),
        ("DATABASE_ROLE", "r" * 64, "up to 63"),
        ("SECRET_KEY", "too short", "at least 40 characters"),
        ("SECRET_KEY", " " * 60, "is not set"),
        ("SECRET_KEY", env.EXAMPLES["WORKESTRA_SECRET_KEY"], "is the example itself"),
        ("TOKEN_KEYS", "", "is not set"),
        ("TOKEN_KEYS", ",", "at least one key"),
        ("TOKEN_KEYS", KEY, "id:base64"),
        ("TOKEN_KEYS", f":{KEY}", "id:base64"),
        ("TOKEN_KEYS", "k1:short", "is not base64"),
        ("TOKEN_KEYS", "k1:c2hvcnQ=", "must be 32 bytes, it has 5"),
        ("TOKEN_KEYS", f"k1:{KEY},k1:{KEY}", "is there twice"),
        ("TOKEN_KEYS", "k1:" + "_" * 43 + "=", "is not base64"),
        ("CA_BUNDLE", "/nowhere/ca.pem", "is not there"),
        ("CA_BUNDLE", "/", "cannot be read"),
        ("LIGHT_SYNC_MINUTES", "often", "must be a number"),
        ("LIGHT_SYNC_MINUTES", "-1", "more than 0"),
        ("LIGHT_SYNC_MINUTES", "0", "more than 0"),
        ("LIGHT_SYNC_MINUTES", "nan", "must be a number"),
        ("LIGHT_SYNC_MINUTES", "inf", "must be a number"),
        ("LIGHT_SYNC_MINUTES", "1441", "at most 1440"),
        ("SUBSCRIPTION_DAYS", "7", "at most 6.9"),
        ("WORKER_CONCURRENCY", "2.5", "whole number"),
        ("WORKER_CONCURRENCY", "0", "at least 1"),
        ("DEBUG", "perhaps", "true or false"),
        ("LOG_FORMAT", "xml", "'console' or 'json'"),
        ("MICROSOFT_CLIENT_ID", "11111111-2222-3333-4444-555555555555", "go together"),
        ("MICROSOFT_CLIENT_SECRET", "a secret", "go together"),
    ],
)
def test_a_wrong_value_is_named_explained_and_answered_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    said = complaint(monkeypatch, **{name: value})
    assert words in said
    assert len(said.splitlines()) == 1
    named = said.split(" ", 1)[0]
    assert named.startswith("WORKESTRA_")
    assert name in said
    assert f"Example: {named}=" in said


def test_of_a_pair_the_one_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, MICROSOFT_CLIENT_ID="11111111-2222-3333-4444-555555555555")
    assert said.startswith("WORKESTRA_MICROSOFT_CLIENT_SECRET is not set, but WORKESTRA_MICROSOFT_CLIENT_ID is")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (b"\x30\x82\x01\x0a", "without a certificate in PEM form"),
        (b"hello", "without a certificate in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "without a certificate in PEM form"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
    ],
)
def test_a_bundle_that_is_no_pem_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    said = complaint(monkeypatch, CA_BUNDLE=str(file))
    assert words in said
    assert str(file) in said


def test_a_bundle_of_certificates_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("WORKESTRA_CA_BUNDLE", str(tmp_path / "ca.pem"))
    assert env.read().ca_bundle == tmp_path / "ca.pem"


@pytest.mark.parametrize("below", ["", "/deeper", "/deeper/still"])
def test_a_home_that_is_or_lies_in_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").write_text("")
    assert "must be a folder" in complaint(monkeypatch, HOME=f"{tmp_path}/file{below}")


def test_a_home_that_cannot_be_written_is_refused_where_the_database_lives_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "cannot be written" in complaint(monkeypatch, HOME="/proc/workestra")
    monkeypatch.setenv("WORKESTRA_DATABASE_URL", "postgresql://ana@db.example/workestra")
    assert env.read().home == Path("/proc/workestra")


def test_every_wrong_setting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, SECRET_KEY="short", PUBLIC_URL="nonsense", LIGHT_SYNC_MINUTES="often")
    assert [line.split()[0].removeprefix("WORKESTRA_") for line in said.splitlines()] == [
        *("PUBLIC_URL", "SECRET_KEY", "LIGHT_SYNC_MINUTES")
    ]


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("PUBLIC_URL", "https://Mail.Example.COM/", "https://mail.example.com"),
        ("PUBLIC_URL", "https://mail.example.com:443", "https://mail.example.com"),
        ("PUBLIC_URL", "http://[::1]:8000", "http://[::1]:8000"),
        ("PUBLIC_URL", " https://mail.example.com\r", "https://mail.example.com"),
        ("PUBLIC_URL", "   ", "http://127.0.0.1:8000"),
        ("MICROSOFT_AUTHORITY", "http://127.0.0.1:8365/common/", "http://127.0.0.1:8365/common"),
        (
            "MICROSOFT_AUTHORITY",
            "https://login.example.com/somewhere/Tenant",
            "https://login.example.com/somewhere/Tenant",
        ),
        ("GRAPH_URL", "http://localhost:8365/v1.0", "http://localhost:8365/v1.0"),
        ("GRAPH_URL", "https://graph.example.com", "https://graph.example.com"),
        (
            "DATABASE_URL",
            "postgresql:///workestra?host=/run/postgresql",
            "postgresql:///workestra?host=/run/postgresql",
        ),
        ("DATABASE_URL", "postgres://a:b%20c@x:5432,y:5433/w", "postgres://a:b%20c@x:5432,y:5433/w"),
        ("DATABASE_URL", "", ""),
        ("TOKEN_KEYS", f"2026-11.b:{KEY}, k1:{KEY}", f"2026-11.b:{KEY}, k1:{KEY}"),
        ("LIGHT_SYNC_MINUTES", " 0.2 ", 0.2),
        ("DEBUG", "1", True),
    ],
)
def test_a_value_that_can_be_meant_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: object
) -> None:
    monkeypatch.setenv(f"WORKESTRA_{name}", value)
    assert getattr(env.read(), name.lower()) == read


def test_a_misspelt_name_is_known_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.unknown() == []
    monkeypatch.setenv("WORKESTRA_DATABSE_URL", "postgresql://x/y")
    assert env.unknown() == ["WORKESTRA_DATABSE_URL"]
