"""From a proven sign-in to a connection, in one transaction or not at all (CON 5, 6, 8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from workestra.kit.live import announce
from workestra.kit.vault import Place
from workestra.mail import dispatch
from workestra.mail.doors import backfills, grants, schedule
from workestra.mail.doors.slots import SLOTS
from workestra.mail.models import Connection, Mailbox, Schedule, SignIn, Slot
from workestra.rules.skew import since_signing_in
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

LIFE = timedelta(minutes=10)


class AnotherMembers(Exception):
    """The mailbox is connected by another member, whose name this carries."""

    def __init__(self, *, name: str) -> None:
        super().__init__(name)
        self.name = name


class WrongAccount(Exception):
    """A reconnect was signed in as somebody else. Carries the address that was expected."""

    def __init__(self, *, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in under way, taken for its one use."""

    workspace: int
    member: int
    nonce: str
    verifier: str
    reconnects: int | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and what Microsoft granted. `issued_at`: when, by Microsoft's clock or some minutes before."""

    tenant_id: str
    object_id: str
    address: str
    name: str
    personal: bool
    access: str
    refresh: str
    expires_at: datetime
    scopes: tuple[str, ...]
    issued_at: datetime | None = None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _place(workspace: int, state: str) -> Place:
    return Place(table="mail_signin", workspace=workspace, row=_digest(state).hex(), field="verifier")


def remember(
    *,
    member: Member,
    session: str,
    state: str,
    nonce: str,
    verifier: str,
    reconnects: int | None,
    now: datetime,
) -> str | None:
    """Keep what the return must match. Returns the address to sign in as, when it reconnects one."""
    with scope(workspace=member.workspace_id):
        SignIn.objects.filter(created_at__lt=now - LIFE).delete()
        row = Connection.objects.filter(pk=reconnects, owner=member).first() if reconnects else None
        SignIn.objects.create(
            workspace_id=member.workspace_id,
            member=member,
            state_digest=_digest(state),
            session_digest=_digest(session),
            nonce=nonce,
            verifier_sealed=grants.vault().seal(text=verifier, place=_place(member.workspace_id, state)),
            reconnects=row,
            created_at=now,
        )
    return row.address if row is not None else None


def claims_for(*, member: Member, connection: int) -> str:
    """The claims challenge that a reconnect of this connection has to pass on (CON 11)."""
    with scope(workspace=member.workspace_id):
        row = Connection.objects.filter(pk=connection, owner=member).select_related("grant").first()
        return row.grant.claims if row is not None and hasattr(row, "grant") else ""


def take(*, member: Member, session: str, state: str, now: datetime) -> Pending | None:
    """Take the pending sign-in of this member, this browser session and this state, once; or None."""
    with scope(workspace=member.workspace_id):
        rows = SignIn.objects.filter(
            member=member, state_digest=_digest(state), session_digest=_digest(session), created_at__gt=now - LIFE
        )
        row = rows.first()
        if row is None or SignIn.objects.filter(pk=row.pk).delete()[0] != 1:
            return None
        return Pending(
            workspace=member.workspace_id,
            member=member.pk,
            nonce=row.nonce,
            verifier=grants.vault().open(sealed=bytes(row.verifier_sealed), place=_place(member.workspace_id, state)),
            reconnects=row.reconnects_id,
        )


def connect(*, member: Member, signed_in: SignedIn, reconnects: int | None, now: datetime) -> Connection:
    """Make the connection, or renew it in place: same row, same mail, error cleared.

    Raises:
        AnotherMembers: the mailbox is another member's.
        WrongAccount: it was to renew another mailbox, which is left untouched.
    """
    with scope(workspace=member.workspace_id):
        mailbox, _ = Mailbox.objects.get_or_create(tenant_id=signed_in.tenant_id, object_id=signed_in.object_id)
        Slot.objects.bulk_create(
            (Slot(mailbox=mailbox, number=number) for number in range(SLOTS)), ignore_conflicts=True
        )
        expected = Connection.objects.filter(pk=reconnects).first() if reconnects else None
        if expected is not None and expected.mailbox_id != mailbox.pk:
            raise WrongAccount(expected=expected.address)
        row = Connection.objects.select_for_update().filter(mailbox=mailbox).first()
        if row is not None and row.owner_id != member.pk:
            raise AnotherMembers(name=str(row.owner))
        if row is None:
            # Mail is dated by Microsoft's clock: where ours is fast, what comes next would count as old. Received
            # times have whole seconds: mail of the very second of connecting is new.
            since = since_signing_in(issued_at=signed_in.issued_at, now=now).replace(microsecond=0)
            row = Connection(
                workspace_id=member.workspace_id,
                mailbox=mailbox,
                owner=member,
                scope_start=since,
                connected_at=since,
                asks_range=True,
            )
        elif row.state == Connection.State.DISCONNECTED:
            row.asks_range = True
        row.state = Connection.State.ACTIVE
        row.address, row.name, row.outlook_com = signed_in.address, signed_in.name, signed_in.personal
        row.error_code, row.error_detail, row.error_at, row.failures = "", {}, None, 0
        row.save()
        grants.keep(
            workspace=member.workspace_id,
            connection=row.pk,
            tenant_id=signed_in.tenant_id,
            access=signed_in.access,
            refresh=signed_in.refresh,
            expires_at=signed_in.expires_at,
            scopes=signed_in.scopes,
            now=now,
        )
        _schedule(row, now)
        announce(workspace=member.workspace_id, topic=f"connection:{row.pk}")
        announce(workspace=member.workspace_id, topic="connections")
    return row


def _schedule(row: Connection, now: datetime) -> None:
    Schedule.objects.update_or_create(
        connection_id=row.pk,
        defaults={"workspace_id": row.workspace_id, "mailbox_id": row.mailbox_id, "active": True, "wake_at": None},
        create_defaults={
            "workspace_id": row.workspace_id,
            "mailbox_id": row.mailbox_id,
            "active": True,
            "light_at": now + timedelta(minutes=2),
            "full_at": now + schedule.FULL_EVERY,
            "watch_at": now + timedelta(minutes=5),
        },
    )
    schedule.want(workspace=row.workspace_id, connection=row.pk, kind="light", now=now)
    dispatch.pull(workspace=row.workspace_id, connection=row.pk, urgent=True)
    dispatch.watch(workspace=row.workspace_id, connection=row.pk, urgent=True)
    dispatch.read_state(workspace=row.workspace_id, connection=row.pk)
    dispatch.check(workspace=row.workspace_id, connection=row.pk)
    backfills.release(workspace=row.workspace_id, connection=row.pk)
