"""Address book entries: the customers that a mailbox's owner knows, in Graph's property names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .outsiders import outsiders
from .words import TITLES


def contacts() -> Iterator[dict[str, Any]]:
    """One contact for every customer; some have a second address."""
    for number, one in enumerate(outsiders()):
        if one.kind != "customer":
            continue
        given, _, family = one.name.removeprefix("Dr. ").partition(" ")
        domain = one.address.partition("@")[2]
        addresses = [{"name": one.name, "address": one.address}]
        if number % 4 == 0:
            addresses.append({"name": one.name, "address": f"office{number}@{domain}"})
        yield {
            "displayName": one.name,
            "givenName": given,
            "surname": family,
            "companyName": one.company,
            "jobTitle": TITLES[number % len(TITLES)],
            "emailAddresses": addresses,
            "businessPhones": [f"+00 555 02{number:02}"],
        }
