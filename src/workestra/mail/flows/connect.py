"""Signing in at Microsoft and back: PKCE, state and nonce bound to the browser session (CON 2, 5, 8, 10).

Nothing is stored before everything is proven: code redeemed, id_token valid, a mailbox that answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from authlib.common.security import generate_token
from django.conf import settings
from django.db.utils import IntegrityError
from django.urls import reverse

from workestra.graph import folders, mail
from workestra.graph.client import Graph
from workestra.graph.entra import Grant, admin_consent_url, admin_consented, returned
from workestra.graph.errors import Cause, GraphError, SignInRefused
from workestra.kit import clock
from workestra.kit.hop import hop
from workestra.mail.doors import connecting, watches
from workestra.mail.doors.connecting import AnotherMembers, Pending, SignedIn, WrongAccount
from workestra.mail.flows.failure import told
from workestra.mail.flows.microsoft import SCOPES, NotConfigured, entra, http
from workestra.tenancy.models import Member

NEEDED = {"mail.read", "mail.readwrite"}


@dataclass(eq=False)
class Refusal(Exception):
    """The connect ended without a connection. `code` is in the catalogue; `values` fill its sentence.

    `connection` is the one that was to be renewed.
    """

    code: str
    detail: dict[str, Any] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    connection: int | None = None


__all__ = ["Refusal", "approval", "approval_url", "begin", "finish", "redirect_uri"]


class _Static:
    """The TokenSource of a token that is not stored yet."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, *, stale: str | None = None) -> str:
        return self._token


def redirect_uri() -> str:
    """The address that Microsoft sends people back to; it must be registered with the app."""
    return f"{settings.WORKESTRA.public_url}{reverse('connections:callback')}"


async def begin(*, member: Member, session: str, connection: int | None) -> str:
    """Where to send the person. Raises Refusal."""
    try:
        service = entra()
    except NotConfigured as problem:
        raise Refusal("not_configured") from problem
    state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32), generate_token(64)
    hint = await hop(
        lambda: connecting.remember(
            member=member,
            session=session,
            state=state,
            nonce=nonce,
            verifier=verifier,
            reconnects=connection,
            now=clock.now(),
        )
    )
    claims = ""
    if connection is not None and hint:
        claims = await hop(lambda: connecting.claims_for(member=member, connection=connection))
    try:
        return await service.sign_in_url(
            redirect_uri=redirect_uri(),
            state=state,
            nonce=nonce,
            verifier=verifier,
            scopes=SCOPES,
            login_hint=hint or None,
            prompt=None if hint else "select_account",
            claims=claims or None,
        )
    except GraphError as problem:
        failure = told(problem=problem)
        raise Refusal(failure.code, failure.detail) from problem


async def finish(*, member: Member, session: str, query: Mapping[str, str]) -> tuple[int, bool]:
    """The return from Microsoft. Gives (connection id, whether to ask for a range).

    Raises:
        Refusal: with the cause, for the catalogue of errors.
    """
    state = query.get("state", "")
    pending = None
    if state:
        pending = await hop(lambda: connecting.take(member=member, session=session, state=state, now=clock.now()))
    if pending is None:
        raise Refusal("state_lost")
    try:
        return await _store(member, pending, await _signed_in(pending, query))
    except Refusal as problem:
        problem.connection = pending.reconnects
        raise


async def _signed_in(pending: Pending, query: Mapping[str, str]) -> SignedIn:
    """Redeem the code and look at the mailbox. Raises Refusal."""
    try:
        code = returned(query=query)
        grant = await entra().redeem(
            code=code,
            redirect_uri=redirect_uri(),
            verifier=pending.verifier,
            nonce=pending.nonce,
            scopes=SCOPES,
            now=clock.now(),
        )
        return await _prove(grant)
    except NotConfigured as problem:
        raise Refusal("not_configured") from problem
    except GraphError as problem:
        failure = told(problem=problem)
        raise Refusal(failure.code, failure.detail) from problem


def approval_url(*, state: str) -> str:
    """Where an administrator approves for the whole organisation what a sign-in asks for (ENT 2)."""
    environment = settings.WORKESTRA
    return admin_consent_url(
        authority=environment.microsoft_authority,
        client_id=environment.microsoft_client_id,
        redirect_uri=redirect_uri(),
        state=state,
        scopes=SCOPES,
    )


def approval(*, query: Mapping[str, str]) -> None:
    """The return of an administrator who was asked to approve. Raises Refusal where they did not."""
    try:
        admin_consented(query=query)
    except SignInRefused as problem:
        failure = told(problem=problem)
        declined = problem.cause in (Cause.DECLINED, Cause.OTHER)
        raise Refusal("admin_consent_declined" if declined else failure.code, failure.detail) from problem


async def _prove(grant: Grant) -> SignedIn:
    """Look at the mailbox with the fresh token. Raises GraphError or Refusal."""
    identity = grant.identity
    granted = {scope.lower().rpartition("/")[2] for scope in grant.scopes}
    if identity is None or not granted >= NEEDED:
        raise Refusal("permission_denied", {"granted": sorted(grant.scopes)})
    if not grant.refresh_token:
        raise Refusal("permission_denied", {"missing": "offline_access"})
    graph = Graph(
        base_url=settings.WORKESTRA.graph_url, tokens=_Static(grant.access_token), http=http(), now=clock.now
    )
    me = await mail.me(graph)
    await folders.folder(graph, folder="inbox")
    return SignedIn(
        tenant_id=identity.tenant_id,
        object_id=identity.object_id,
        address=me.mail or me.user_principal_name or identity.address,
        name=me.display_name or identity.name,
        personal=identity.personal,
        access=grant.access_token,
        refresh=grant.refresh_token,
        expires_at=clock.now() + timedelta(seconds=grant.expires_in),
        scopes=tuple(sorted(grant.scopes)),
        issued_at=identity.issued_at,
    )


async def _store(member: Member, pending: Pending, signed_in: SignedIn) -> tuple[int, bool]:
    tenant, person = signed_in.tenant_id, signed_in.object_id
    await hop(lambda: watches.doubt(tenant_id=tenant, object_id=person, now=clock.now()))
    for attempt in (1, 2):
        try:
            row = await hop(
                lambda: connecting.connect(
                    member=member, signed_in=signed_in, reconnects=pending.reconnects, now=clock.now()
                )
            )
        except AnotherMembers as problem:
            raise Refusal("already_connected", values={"name": problem.name}) from problem
        except WrongAccount as problem:
            raise Refusal("wrong_account", values={"address": problem.expected}) from problem
        except IntegrityError:
            if attempt == 2:
                raise
            continue  # the same mailbox was connected a moment ago in another window
        return row.pk, row.asks_range
    raise AssertionError  # pragma: no cover
