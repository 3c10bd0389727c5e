"""Contacts, read only: lists and delta (Graph: user: list contacts, contact: delta)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ..delta import SyncStateLost
from ..ids import MalformedId
from . import access
from .errors import bad_request, folder_not_found, item_not_found, malformed_id
from .message_delta import PAGE, lost, token_of
from .query import Options
from .select import choose
from .wire import Reply, Request

DEFAULTS: dict[str, Any] = {
    "createdDateTime": "2026-01-05T08:00:00Z",
    "lastModifiedDateTime": "2026-01-05T08:00:00Z",
    "changeKey": None,
    "categories": [],
    "parentFolderId": None,
    "birthday": None,
    "fileAs": "",
    "displayName": "",
    "givenName": None,
    "initials": None,
    "middleName": None,
    "nickName": None,
    "surname": None,
    "title": None,
    "yomiGivenName": None,
    "yomiSurname": None,
    "yomiCompanyName": None,
    "generation": None,
    "imAddresses": [],
    "jobTitle": None,
    "companyName": None,
    "department": None,
    "officeLocation": None,
    "profession": None,
    "businessHomePage": None,
    "assistantName": None,
    "manager": None,
    "homePhones": [],
    "mobilePhone": None,
    "businessPhones": [],
    "spouseName": None,
    "personalNotes": "",
    "children": [],
    "emailAddresses": [],
    "homeAddress": {},
    "businessAddress": {},
    "otherAddress": {},
}
ONLY_SELECTED = {"primaryEmailAddress": None, "secondaryEmailAddress": None, "tertiaryEmailAddress": None}
CONTACTS_FOLDER = 0xC0  # the counter of the default contact folder's id


def _show(request: Request, number: int, names: list[str] | None, *, typed: bool = False) -> dict[str, Any]:
    box = request.mailbox
    contact = {
        **DEFAULTS,
        **ONLY_SELECTED,
        **box.contacts[number],
        "parentFolderId": box.names.folder(CONTACTS_FOLDER),
        "changeKey": box.names.change_key(_change(request, number)),
    }
    for at, name in enumerate(ONLY_SELECTED):
        if at < len(contact["emailAddresses"]):
            contact[name] = contact["emailAddresses"][at]
    shown: dict[str, Any] = {"@odata.type": "#microsoft.graph.contact"} if typed else {}
    shown["@odata.etag"] = f'W/"{contact["changeKey"]}"'
    shown["id"] = _id(request, number)
    return {**shown, **{name: contact[name] for name in (list(DEFAULTS) if names is None else names)}}


def _change(request: Request, number: int) -> int:
    return max((seq for seq, one in request.mailbox.contact_log if one == number), default=0)


def _id(request: Request, number: int) -> str:
    names = request.mailbox.names
    return names.immutable(number) if request.prefer.immutable else names.item(place=number, folder=CONTACTS_FOLDER)


def _selected(options: Options) -> list[str] | None:
    text = options.text("$select")
    if text is None:
        return None
    known = (*DEFAULTS, *ONLY_SELECTED, "id")
    return [name for name in choose(text, known, "contact") if name != "id"]


def _folder(request: Request) -> str:
    """The path of the contact folder in links; there is only the default one."""
    if "contactfolder" not in request.keys:
        return "contacts"
    reference = request.keys["contactfolder"]
    if reference.casefold() != "contacts":
        try:
            number = request.mailbox.names.folder_number(reference)
        except MalformedId as problem:
            raise malformed_id() from problem
        if number != CONTACTS_FOLDER:
            raise folder_not_found()
    return f"contactFolders('{reference}')/contacts"


def folders(request: Request) -> Reply:
    """GET .../contactFolders: people's own folders; none here, the default one is not listed."""
    access.check(request, access.CONTACTS)
    Options(request.query).only("$select", "$top", "$skip", "$count")
    return Reply(200, {"@odata.context": request.context("contactFolders"), "value": []})


def listed(request: Request) -> Reply:
    """GET .../contacts."""
    access.check(request, access.CONTACTS)
    path = _folder(request)
    options = Options(request.query).only("$select", "$top", "$skip", "$count", "$orderby")
    names = _selected(options)
    if options.text("$orderby") not in (None, "displayName", "displayName asc"):
        raise bad_request("The property does not support sorting.", "ErrorInvalidProperty")
    box = request.mailbox
    numbers = sorted(box.contacts, key=lambda number: str(box.contacts[number].get("displayName", "")).casefold())
    size, skip = options.top(default=request.prefer.page_size or 10), options.skip()
    body: dict[str, Any] = {"@odata.context": request.context(path)}
    if options.flag("$count"):
        body["@odata.count"] = len(numbers)
    body["value"] = [_show(request, number, names) for number in numbers[skip : skip + size]]
    if len(numbers) > skip + size:
        body["@odata.nextLink"] = options.link(f"{request.base}/{request.root}/{path}", skip=str(skip + size))
    return Reply(200, body)


def get(request: Request) -> Reply:
    """GET .../contacts/{id}."""
    access.check(request, access.CONTACTS)
    names = _selected(Options(request.query).only("$select"))
    try:
        ref = request.mailbox.names.item_ref(request.keys["contact"])
    except MalformedId as problem:
        raise malformed_id() from problem
    if ref is None or ref.number not in request.mailbox.contacts:
        raise item_not_found()
    return Reply(200, {"@odata.context": request.context("contacts/$entity"), **_show(request, ref.number, names)})


def delta(request: Request) -> Reply:
    """GET .../contacts/delta or .../contactFolders/{id}/contacts/delta."""
    access.check(request, access.CONTACTS)
    box, world = request.mailbox, request.world
    link = f"{request.base}/{request.root}/{_folder(request)}/delta"
    options = Options(request.query).only("$select", "$skiptoken", "$deltatoken")
    token = token_of(options)
    if token is None:
        pairs = [pair for pair in request.query if not pair[0].endswith("token")]
        cursor = world.cursors.start(kind="contacts", owner=box.owner_id, folder=0, since=0, options=pairs)
    else:
        try:
            cursor = world.cursors.read(token, kind="contacts", owner=box.owner_id, folder=0)
        except SyncStateLost as problem:
            raise lost(problem, f"{link}?$deltatoken=") from problem
    names = _selected(Options(cursor.options))
    latest = {number: seq for seq, number in box.contact_log if seq > cursor.since}
    changed = sorted((seq, number) for number, seq in latest.items() if number in box.contacts or token is not None)
    size = request.prefer.page_size or PAGE
    if request.prefer.page_size is not None:
        request.prefer.applied(f"odata.maxpagesize={size}")
    page, done = changed[:size], len(changed) <= size
    after = replace(cursor, since=box.change if done else page[-1][0], first=cursor.first and not done)
    key, name = ("@odata.deltaLink", "deltatoken") if done else ("@odata.nextLink", "skiptoken")
    value = [
        _show(request, number, names, typed=True)
        if number in box.contacts
        else {
            "@odata.type": "#microsoft.graph.contact",
            "id": _id(request, number),
            "@removed": {"reason": "deleted"},
        }
        for _, number in page
    ]
    return Reply(
        200,
        {
            "@odata.context": f"{request.base}/$metadata#Collection(contact)",
            key: f"{link}?${name}={world.cursors.issue(after)}",
            "value": value,
        },
    )
