"""/me and /users/{id}: who somebody is (Graph: user: get)."""

from __future__ import annotations

from typing import Any

from ..people import Person, SharedMailbox
from . import access
from .errors import GraphError
from .query import Options
from .select import choose
from .wire import Reply, Request

DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)
ALSO = (
    "proxyAddresses",
    "otherMails",
    "userType",
    "accountEnabled",
    "companyName",
    "department",
    "country",
    "mailNickname",
    "usageLocation",
    "imAddresses",
)
SCOPES = {"User.Read", "User.ReadWrite"}
DIRECTORY = {"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"}


def user_id(person: Person) -> str:
    """The object id; of a personal account its last 16 digits only."""
    return person.id.replace("-", "")[-16:] if person.personal else person.id


def _values(who: Person | SharedMailbox) -> dict[str, Any]:
    given, _, surname = who.name.partition(" ")
    person = who if isinstance(who, Person) else None
    aliases = who.aliases if isinstance(who, SharedMailbox) else ()
    upn = person.upn if person is not None and person.upn else who.address
    return {
        "id": user_id(person) if person is not None else who.id,
        "displayName": who.name,
        "givenName": given if person is not None else None,
        "surname": surname or None if person is not None else None,
        "mail": None if person is not None and person.mailbox == "none" else who.address,
        "userPrincipalName": upn,
        "proxyAddresses": [f"SMTP:{who.address}", *(f"smtp:{alias}" for alias in aliases)],
        "otherMails": [],
        "businessPhones": [],
        "imAddresses": [],
        "userType": "Guest" if "#EXT#" in upn else "Member",
        "accountEnabled": person is not None,
        "mailNickname": who.address.partition("@")[0],
    }


def get(request: Request) -> Reply:
    """GET /me or /users/{id or UPN}."""
    world, token = request.world, request.access
    who: Person | SharedMailbox = token.person
    if request.segments[0].casefold() == "users":
        who = access.owner(world, token, request.segments[1])
    granted = {scope.rpartition("/")[2] for scope in token.scopes}
    allowed = DIRECTORY | (SCOPES if who.id == token.person.id else set())
    if not granted & allowed:
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    options = Options(request.query).only("$select")
    select = options.text("$select")
    values = _values(who)
    names: tuple[str, ...] = (*DEFAULT, "id")
    if select is not None:
        names = tuple(choose(select, (*DEFAULT, *ALSO, "id"), "user"))
    context = f"{request.base}/$metadata#users{f'({select})' if select else ''}/$entity"
    return Reply(200, {"@odata.context": context, **{name: values.get(name) for name in names}})
