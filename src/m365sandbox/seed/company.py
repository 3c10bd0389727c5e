"""The people of the sandbox: a company, its neighbours, and the odd ones that a mailbox product must meet (SBX 3)."""

from __future__ import annotations

import hashlib
import uuid

from ..people import PERSONAL_TENANT, App, Directory, Person, SharedMailbox, Tenant

CLIENT_ID = "5a7b0c1e-3d52-4f0a-9c86-21d4e8f0b365"
CLIENT_SECRET = "sandbox-secret"
PASSWORD = "sandbox"

# key, name, what differs from a plain member with a mailbox
_LARKFIELD: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("ana", "Ana Ferreira", {}),
    ("ben", "Ben Okafor", {}),
    ("mira", "Mira Lindqvist", {}),
    ("tomasz", "Tomasz Zieliński", {}),
    ("yuki", "Yuki Tanaka", {}),
    ("grace", "Grace Amari", {"admin": True}),
    ("omar", "Omar Haddad", {"mfa": True}),
    ("priya", "Priya Raman", {"blocked": "53003"}),
    ("ivo", "Ivo Novák", {"mailbox": "onprem"}),
    ("lena", "Lena Brandt", {"mailbox": "none"}),
)


def company(seed: int, small: bool = False) -> Directory:
    """Everybody who can sign in. Ids follow from the seed, so two worlds never share one.

    `small` leaves Ana, Ben, Grace the admin, Cleo the stranger, the personal account and one shared mailbox.
    """
    larkfield = Tenant(_guid(seed, "tenant:larkfield"), "Larkfield Instruments", "larkfield.example")
    quillmark = Tenant(_guid(seed, "tenant:quillmark"), "Quillmark Partners", "quillmark.example")
    personal = Tenant(PERSONAL_TENANT, "Personal accounts", "outlook.example")
    tenants = [larkfield, quillmark, personal]
    members = [row for row in _LARKFIELD if not small or row[0] in ("ana", "ben", "grace")]
    people = [_person(seed, larkfield, key, name, differs) for key, name, differs in members]
    people.append(_person(seed, quillmark, "cleo", "Cleo Marchetti", {}))
    people.append(_personal(seed, personal, "nora.ellis", "Nora Ellis"))
    if not small:
        stonebridge = Tenant(
            _guid(seed, "tenant:stonebridge"), "Stonebridge Health", "stonebridge.example", consent="admin"
        )
        tenants.append(stonebridge)
        people.append(_person(seed, stonebridge, "hugo", "Hugo Peeters", {}))
        people.append(_person(seed, stonebridge, "astrid", "Astrid Vale", {"admin": True}))
    app = App(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, name="Workestra")
    return Directory(
        tenants={one.id: one for one in tenants},
        people={one.id: one for one in people},
        shared={one.id: one for one in _shared(seed, larkfield, people, small=small)},
        apps={app.client_id: app},
    )


def _person(seed: int, tenant: Tenant, key: str, name: str, differs: dict[str, object]) -> Person:
    address = f"{key}@{tenant.domain}"
    person = Person(
        id=_guid(seed, f"person:{address}"), tenant=tenant, name=name, address=address, password=PASSWORD, upn=address
    )
    for field, value in differs.items():
        setattr(person, field, value)
    return person


def _personal(seed: int, tenant: Tenant, key: str, name: str) -> Person:
    address = f"{key}@{tenant.domain}"
    half = hashlib.sha256(f"{seed}:personal:{address}".encode()).hexdigest()[:16]
    return Person(
        id=f"00000000-0000-0000-{half[:4]}-{half[4:]}",
        tenant=tenant,
        name=name,
        address=address,
        password=PASSWORD,
        upn=address,
        personal=True,
    )


def _shared(seed: int, tenant: Tenant, people: list[Person], *, small: bool) -> list[SharedMailbox]:
    ids = {one.address.partition("@")[0]: one.id for one in people if one.tenant is tenant}

    def some(*keys: str) -> set[str]:
        return {ids[key] for key in keys if key in ids}

    def box(key: str, name: str, full: set[str], send_as: set[str], behalf: set[str], alias: str) -> SharedMailbox:
        address = f"{key}@{tenant.domain}"
        return SharedMailbox(
            id=_guid(seed, f"shared:{address}"),
            tenant=tenant,
            name=name,
            address=address,
            aliases=(f"{alias}@{tenant.domain}",),
            full_access=full,
            send_as=send_as,
            send_on_behalf=behalf,
        )

    support = box("support", "Larkfield Support", some("ana", "ben"), some("ben"), some("ana"), "help")
    if small:
        return [support]
    return [
        support,
        box("jobs", "Larkfield Careers", some("mira", "ana"), some("mira"), some(), "careers"),
        box("sales", "Larkfield Sales", some("ana", "tomasz"), some("ana"), some("tomasz"), "orders"),
    ]


def _guid(seed: int, what: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(f"{seed}:{what}".encode()).digest()[:16], version=4))
