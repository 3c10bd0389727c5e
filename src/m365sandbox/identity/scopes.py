"""Delegated scopes: which exist on Graph, how they are written, and who may consent to them.

A name may carry the resource in front ("https://graph.microsoft.com/Mail.Read"). Letter case does not matter;
answers use Graph's spelling. (Microsoft identity platform: scopes and permissions.)
"""

from __future__ import annotations

from collections.abc import Iterable

from .problems import Problem

OPENID = ("openid", "profile", "email", "offline_access")

GRAPH: dict[str, str] = {
    "Mail.Read": "Read your mail",
    "Mail.ReadBasic": "Read the headers of your mail",
    "Mail.ReadWrite": "Read and write access to your mail",
    "Mail.Send": "Send mail as you",
    "Mail.Read.Shared": "Read mail you can access",
    "Mail.ReadBasic.Shared": "Read the headers of mail you can access",
    "Mail.ReadWrite.Shared": "Read and write mail you can access",
    "Mail.Send.Shared": "Send mail on behalf of others or yourself",
    "MailboxSettings.Read": "Read your mailbox settings",
    "MailboxSettings.ReadWrite": "Read and write your mailbox settings",
    "User.Read": "Sign you in and read your profile",
    "User.ReadWrite": "Read and write your profile",
    "User.ReadBasic.All": "Read all users' basic profiles",
    "Contacts.Read": "Read your contacts",
    "Contacts.ReadWrite": "Read and write your contacts",
    "Contacts.Read.Shared": "Read your and shared contacts",
    "Contacts.ReadWrite.Shared": "Read and write your and shared contacts",
    "Calendars.Read": "Read your calendars",
    "Calendars.ReadWrite": "Have full access to your calendars",
    "Calendars.Read.Shared": "Read calendars you can access",
    "Calendars.ReadWrite.Shared": "Read and write to your and shared calendars",
    "People.Read": "Read your relevant people list",
    "Files.Read": "Read your files",
    "Files.ReadWrite": "Have full access to your files",
    "Tasks.Read": "Read your tasks and task lists",
    "Tasks.ReadWrite": "Create, read, update and delete your tasks and task lists",
}

WORDS = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
    "offline_access": "Maintain access to data you have given it access to",
}

NEEDS_ADMIN_BY_POLICY = frozenset(
    name
    for name in GRAPH
    if name.startswith(("Mail.Read", "MailboxSettings.", "Calendars.", "People.Read"))
    or name in {"Mail.Send.Shared", "Contacts.ReadWrite", "Contacts.Read.Shared", "Contacts.ReadWrite.Shared"}
)
"""What users may not approve themselves in a tenant where Microsoft manages the consent policy."""

_SPELLING = {name.casefold(): name for name in (*GRAPH, *OPENID)}


def parse(text: str, *, app_name: str, base_url: str) -> frozenset[str]:
    """The scopes of a request in Graph's spelling. Raises Problem 70011 or 650053; ".default" stays as it is."""
    names = text.split()
    found = set()
    for name in names:
        bare = _without_resource(name, base_url=base_url)
        if bare == ".default":
            found.add(bare)
            continue
        known = _SPELLING.get(bare.casefold())
        if known is None:
            raise Problem(650053, {"app": app_name, "scope": bare})
        found.add(known)
    if ".default" in found and any(name in GRAPH for name in found):
        raise Problem(70011, {"scope": text})
    return frozenset(found)


def on_graph(scopes: Iterable[str]) -> frozenset[str]:
    """Only those that are Graph permissions."""
    return frozenset(name for name in scopes if name in GRAPH)


def for_personal(scopes: Iterable[str]) -> frozenset[str]:
    """What a personal account can grant: nothing that reaches into other people's mailboxes or a directory."""
    return frozenset(name for name in scopes if not name.endswith((".Shared", ".All")))


def spoken(scopes: Iterable[str]) -> str:
    """The scope text of a token answer: Graph's permissions by name, then the identity ones, no offline_access."""
    held = set(scopes)
    graph = sorted(name for name in held if name in GRAPH)
    return " ".join([*graph, *(name for name in OPENID[:3] if name in held)])


def _without_resource(name: str, *, base_url: str) -> str:
    for resource in ("https://graph.microsoft.com/", base_url.rstrip("/") + "/"):
        if name.startswith(resource):
            return name[len(resource) :].removeprefix("/")
    return name
