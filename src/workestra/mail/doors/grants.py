"""Tokens of a connection: sealed at rest, refreshed once however many ask (SEC 1, SEC 2).

read -> good for a while: use it
     -> not: take the lease (conditional update) -> ask Microsoft, outside any transaction
             -> commit the rotated tokens -> use them
             lost the lease: wait a moment, read again
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db.models import Q

from workestra.kit import clock
from workestra.kit.vault import Place, Vault
from workestra.mail.models import Grant
from workestra.tenancy.rows import scope

EARLY = timedelta(minutes=5)
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is held for a connection, opened. Not printed by repr."""

    access: str
    refresh: str
    access_expires_at: datetime | None
    tenant_id: str
    scopes: tuple[str, ...]
    version: int
    leased_until: datetime | None

    def __repr__(self) -> str:
        return f"Tokens(version={self.version})"

    def good(self, *, now: datetime, stale: str | None) -> bool:
        """Whether the access token can be used for some minutes more."""
        return (
            bool(self.access)
            and self.access != stale
            and self.access_expires_at is not None
            and self.access_expires_at > now + EARLY
        )


@cache
def vault() -> Vault:
    """The vault with the configured keys."""
    return Vault(keys=settings.TOKEN_KEYS)


def place(*, workspace: int, connection: int, field: str) -> Place:
    """Where a token of this connection lives."""
    return Place(table="mail_grant", workspace=workspace, row=str(connection), field=field)


def read(*, workspace: int, connection: int) -> Tokens | None:
    """The connection's tokens, or None where it has none (never signed in, or disconnected).

    Raises:
        Sealed: they cannot be opened.
    """
    with scope(workspace=workspace):
        row = Grant.objects.filter(connection_id=connection).first()
    if row is None or row.refresh_sealed is None:
        return None

    def opened(sealed: bytes | memoryview[int] | None, field: str) -> str:
        if sealed is None:
            return ""
        return vault().open(
            sealed=bytes(sealed), place=place(workspace=workspace, connection=connection, field=field)
        )

    return Tokens(
        access=opened(row.access_sealed, "access"),
        refresh=opened(row.refresh_sealed, "refresh"),
        access_expires_at=row.access_expires_at,
        tenant_id=row.tenant_id,
        scopes=tuple(row.scopes),
        version=row.version,
        leased_until=row.lease_until,
    )


def take_lease(*, workspace: int, connection: int, version: int, holder: str, now: datetime) -> bool:
    """Whether this holder, and nobody else for a minute, may refresh version `version`."""
    with scope(workspace=workspace):
        far = now + LEASE + clock.SKEW  # no lease reaches further: a clock was put back
        free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_until__gt=far)
        taken = Grant.objects.filter(free, connection_id=connection, version=version).update(
            lease_holder=holder, lease_until=now + LEASE
        )
    return taken == 1


def release_lease(*, workspace: int, connection: int, holder: str) -> None:
    """Give the lease back without new tokens."""
    with scope(workspace=workspace):
        Grant.objects.filter(connection_id=connection, lease_holder=holder).update(lease_holder="", lease_until=None)


def rotate(
    *,
    workspace: int,
    connection: int,
    version: int,
    access: str,
    refresh: str,
    expires_at: datetime,
    scopes: Sequence[str],
    now: datetime,
) -> bool:
    """Commit rotated tokens. False: somebody else rotated this version already; theirs count."""
    with scope(workspace=workspace):
        hit = Grant.objects.filter(connection_id=connection, version=version).update(
            access_sealed=vault().seal(
                text=access, place=place(workspace=workspace, connection=connection, field="access")
            ),
            refresh_sealed=vault().seal(
                text=refresh, place=place(workspace=workspace, connection=connection, field="refresh")
            ),
            access_expires_at=expires_at,
            scopes=list(scopes),
            refreshed_at=now,
            version=version + 1,
            lease_holder="",
            lease_until=None,
        )
    return hit == 1


def keep(
    *,
    workspace: int,
    connection: int,
    tenant_id: str,
    access: str,
    refresh: str,
    expires_at: datetime,
    scopes: Sequence[str],
    now: datetime,
) -> None:
    """Store what a sign-in brought, over whatever was there. Inside the caller's scope."""
    row, _ = Grant.objects.get_or_create(
        connection_id=connection, defaults={"workspace_id": workspace, "tenant_id": tenant_id}
    )
    row.tenant_id = tenant_id
    row.access_sealed = vault().seal(
        text=access, place=place(workspace=workspace, connection=connection, field="access")
    )
    row.refresh_sealed = vault().seal(
        text=refresh, place=place(workspace=workspace, connection=connection, field="refresh")
    )
    row.access_expires_at = expires_at
    row.scopes = list(scopes)
    row.refreshed_at = now
    row.version += 1
    row.lease_holder, row.lease_until, row.claims = "", None, ""
    row.save()


def remember_claims(*, workspace: int, connection: int, claims: str) -> None:
    """Keep a claims challenge for the next sign-in (CON 11)."""
    with scope(workspace=workspace):
        Grant.objects.filter(connection_id=connection).update(claims=claims[:8000])
