"""Whose mailbox a request is about, and whether the token may (Graph: permissions; sharing of Outlook folders)."""

from __future__ import annotations

from ..mailbox import Mailbox
from ..people import Person, SharedMailbox
from ..world import Access, World
from .errors import GraphError, access_denied, item_not_found
from .wire import Request

READ = ("Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared", "Mail.ReadWrite.Shared")
WRITE = ("Mail.ReadWrite", "Mail.ReadWrite.Shared")
BASIC = ("Mail.ReadBasic", "Mail.ReadBasic.Shared")
CONTACTS = ("Contacts.Read", "Contacts.ReadWrite", "Contacts.Read.Shared", "Contacts.ReadWrite.Shared")


def _invalid_user(reference: str) -> GraphError:
    return GraphError(404, "ErrorInvalidUser", f"The requested user '{reference}' is invalid.")


def no_mailbox(world: World) -> GraphError:
    """404 for somebody without a mailbox in Exchange Online; the service has two ways to say it."""
    if world.switches.flip_no_mailbox and world.flip():
        return GraphError(404, "ResourceNotFound", "Resource could not be discovered.")
    return GraphError(404, "MailboxNotEnabledForRESTAPI", "REST API is not yet supported for this mailbox.")


def owner(world: World, access: Access, reference: str) -> Person | SharedMailbox:
    """Whom `reference` names inside the token's tenant. Raises GraphError 404 ErrorInvalidUser."""
    owner_id = world.owner_id(reference)
    found: Person | SharedMailbox | None = None
    if owner_id is not None:
        found = world.directory.people.get(owner_id) or world.directory.shared.get(owner_id)
    if found is None or found.tenant.id != access.person.tenant.id:
        raise _invalid_user(reference)
    return found


def mailbox(request: Request) -> Mailbox:
    """The mailbox of /me or /users/{reference}, whatever the rights. Raises GraphError when there is none."""
    world, access = request.world, request.access
    whose: Person | SharedMailbox = access.person
    if request.segments[0].casefold() == "users":
        whose = owner(world, access, request.segments[1])
    if isinstance(whose, Person) and whose.mailbox != "online":
        raise no_mailbox(world)
    box = world.mailboxes.get(whose.id)
    if box is None:
        raise no_mailbox(world)
    return box


def _denied(world: World) -> GraphError:
    answer = world.switches.shared_denied
    if answer == "404" or (answer == "mix" and world.flip()):
        return item_not_found()
    return access_denied()


def check(request: Request, scopes: tuple[str, ...]) -> None:
    """Whether the token's scopes and its person's rights open the mailbox. Raises GraphError 403 or 404."""
    world, access, box = request.world, request.access, request.mailbox
    granted = {scope.rpartition("/")[2] for scope in access.scopes}
    if box.owner_id == access.person.id:
        if not granted & set(scopes):
            raise access_denied()
        return
    if not granted & {scope for scope in scopes if scope.endswith(".Shared")}:
        raise access_denied()
    shared = world.directory.shared.get(box.owner_id)
    if shared is None or access.person.id not in shared.full_access:
        raise _denied(world)


def read(request: Request) -> bool:
    """May read mail; the answer says whether only its basic properties (Mail.ReadBasic)."""
    granted = {scope.rpartition("/")[2] for scope in request.access.scopes}
    basic = not granted & set(READ)
    check(request, BASIC if basic else READ)
    return basic


def write(request: Request) -> None:
    """May change mail."""
    check(request, WRITE)
