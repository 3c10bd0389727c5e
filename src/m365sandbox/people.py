"""Who exists in the sandbox: tenants, people, shared mailboxes and the app that asks them for consent (SBX 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(slots=True)
class Tenant:
    """An organisation. `consent` is what its users may approve: "user" themselves, or "admin" alone."""

    id: str
    name: str
    domain: str
    consent: str = "user"


@dataclass(slots=True)
class Person:
    """Somebody who can sign in. `mailbox` is "online", "none", or "onprem"."""

    id: str  # the object id (oid); Graph's /me id
    tenant: Tenant
    name: str
    address: str
    password: str
    upn: str = ""
    mailbox: str = "online"
    mfa: bool = False
    blocked: str = ""  # an AADSTS number that sign-in ends with, for example "53003"
    personal: bool = False
    admin: bool = False  # may approve apps for the whole tenant


@dataclass(slots=True)
class SharedMailbox:
    """A mailbox without a sign-in. Rights are sets of person ids, as Exchange grants them."""

    id: str
    tenant: Tenant
    name: str
    address: str
    aliases: tuple[str, ...] = ()
    full_access: set[str] = field(default_factory=set)
    send_as: set[str] = field(default_factory=set)
    send_on_behalf: set[str] = field(default_factory=set)


@dataclass(slots=True)
class App:
    """An app registration: what the product was given in the Entra portal."""

    client_id: str
    client_secret: str
    name: str
    redirect_uris: set[str] = field(default_factory=set)
    secret_expired: bool = False
    any_loopback_redirect: bool = True  # a development convenience: any http(s)://localhost|127.0.0.1 redirect


@dataclass(slots=True)
class Directory:
    """Everybody and everything that can be looked up by id or address."""

    tenants: dict[str, Tenant]
    people: dict[str, Person]
    shared: dict[str, SharedMailbox]
    apps: dict[str, App]

    def person(self, *, address: str) -> Person | None:
        """The person with this address or user principal name, in any letter case."""
        wanted = address.casefold()
        if not wanted:
            return None
        for one in self.people.values():
            if wanted in (one.address.casefold(), one.upn.casefold()):
                return one
        return None
