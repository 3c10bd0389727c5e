"""The sandbox's front page: who can sign in, whose mailboxes there are, and where things lie."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .identity import pages
from .people import Person
from .world import World


def routes(world: World) -> list[Route]:
    """The page at "/"."""

    async def show(request: Request) -> Response:
        return pages.page(title="Microsoft 365 sandbox", body=_body(world), wide=True)

    return [Route("/", show)]


def _body(world: World) -> str:
    people = "".join(
        f"<tr><td>{escape(one.name)}</td><td><code>{escape(one.address)}</code></td>"
        f"<td><code>{escape(one.password)}</code></td><td>{escape(one.tenant.name)}</td><td>{_remarks(one)}</td>"
        f"<td>{_count(world, one.id)}</td></tr>"
        for one in world.directory.people.values()
    )
    shared = "".join(
        f"<tr><td>{escape(box.name)}</td><td><code>{escape(box.address)}</code></td>"
        f"<td>{escape(', '.join(_names(world, box.full_access)))}</td><td>{_count(world, box.id)}</td></tr>"
        for box in world.directory.shared.values()
    )
    apps = "".join(
        f"<dt>Client ID</dt><dd><code>{escape(app.client_id)}</code></dd>"
        f"<dt>Client secret</dt><dd><code>{escape(app.client_secret)}</code></dd>"
        for app in world.directory.apps.values()
    )
    return (
        "<h1>Stand-in for Microsoft 365</h1><p>Sign-in and Microsoft Graph for development and tests. Nothing here "
        "is real.</p><h2>People</h2><table><thead><tr><th>Name</th><th>Address</th><th>Password</th>"
        f"<th>Organisation</th><th>Remarks</th><th>Messages</th></tr></thead><tbody>{people}</tbody></table>"
        "<h2>Shared mailboxes</h2><table><thead><tr><th>Name</th><th>Address</th><th>Full access</th>"
        f"<th>Messages</th></tr></thead><tbody>{shared}</tbody></table><h2>App registration</h2><dl>{apps}</dl>"
        '<h2>Addresses</h2><ul><li><a href="/common/v2.0/.well-known/openid-configuration">OpenID configuration</a>'
        "</li>"
        "<li>Microsoft Graph: <code>/v1.0</code></li></ul>"
    )


def _remarks(person: Person) -> str:
    found = []
    if person.personal:
        found.append("personal account")
    if person.admin:
        found.append("admin")
    if person.mfa:
        found.append("second factor")
    if person.blocked:
        found.append(f"blocked (AADSTS{person.blocked})")
    if person.mailbox != "online":
        found.append("no mailbox" if person.mailbox == "none" else "mailbox on premises")
    if person.tenant.consent == "admin":
        found.append("consent by admins only")
    return escape(", ".join(found))


def _count(world: World, owner_id: str) -> str:
    box = world.mailboxes.get(owner_id)
    return f"{len(box):,}" if box is not None else ""


def _names(world: World, ids: set[str]) -> list[str]:
    return sorted(one.name for one in world.directory.people.values() if one.id in ids)
