"""The brake on guessing passwords tells people behind a proxy apart, and believes nobody's own header."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory

from workestra.tenancy.models import Member
from workestra.tenancy.sign_in import PER_SOURCE
from workestra.tenancy.source import source_of

PROXY = "10.0.0.1"
PASSWORD = "harbour lights at seven"


@pytest.fixture
def proxies(settings: Any) -> Any:
    def set_to(number: int) -> None:
        settings.WORKESTRA = settings.WORKESTRA.model_copy(update={"trusted_proxies": number})

    return set_to


def source(forwarded: str | None, peer: str = PROXY) -> str:
    more = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return source_of(request=RequestFactory().get("/login", REMOTE_ADDR=peer, headers=more))


@pytest.mark.parametrize(
    ("trusted", "forwarded", "found"),
    [
        (0, "192.0.2.7", PROXY),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "198.51.100.66, 192.0.2.7", "192.0.2.7"),
        (2, "198.51.100.66, 192.0.2.7, 10.0.0.9", "192.0.2.7"),
        (2, "192.0.2.7", PROXY),
        (1, None, PROXY),
        (1, "", PROXY),
        (1, "unknown", PROXY),
        (1, "192.0.2.7:4711", "192.0.2.7"),
        (1, "::ffff:192.0.2.7", "192.0.2.7"),
        (1, "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
    ],
)
def test_only_what_our_own_proxies_wrote_counts(
    proxies: Any, trusted: int, forwarded: str | None, found: str
) -> None:
    proxies(trusted)
    assert source(forwarded) == found


def guess(times: int, forwarded: str) -> int:
    """Wrong passwords for ever new addresses. The last status."""
    client, status = Client(REMOTE_ADDR=PROXY), 0
    for number in range(times):
        form = {"email": f"{number}.{forwarded.replace(', ', '.')}@workestra.example", "password": "no"}
        status = client.post("/login", form, headers={"X-Forwarded-For": forwarded}).status_code
    return status


def test_one_guesser_does_not_close_the_sign_in_for_everybody_behind_the_proxy(ana: Member, proxies: Any) -> None:
    ana.user.set_password(PASSWORD)
    ana.user.save()
    proxies(1)
    assert guess(PER_SOURCE + 1, "192.0.2.81") == 429
    form = {"email": ana.user.email, "password": PASSWORD}
    colleague = Client(REMOTE_ADDR=PROXY).post("/login", form, headers={"X-Forwarded-For": "192.0.2.82"})
    assert colleague.status_code == 302


@pytest.mark.parametrize("trusted", [0, 1])
def test_a_guesser_who_invents_addresses_is_stopped_all_the_same(db: None, proxies: Any, trusted: int) -> None:
    proxies(trusted)
    status = 0
    for number in range(PER_SOURCE + 1):
        status = guess(1, f"203.0.113.{number}, 192.0.2.{90 + trusted}")
    assert status == 429
