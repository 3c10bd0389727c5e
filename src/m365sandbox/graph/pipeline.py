"""What every request goes through: fault, token, path, mailbox, throttle, handler, latency, log."""

from __future__ import annotations

import base64
import contextlib
import inspect
import uuid
from datetime import UTC
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from ..faults import PAGES, Fault
from ..requests_log import Asked
from ..world import Access, World
from . import access, misbehave, path
from .errors import GraphError, bad_request
from .table import table
from .wire import Call, Preferences, Reply, Request


class LineCut(httpx2.ReadError):
    """The line breaks: after some bytes (`begun`), and after so many `seconds` of silence, or before the first byte.

    Over ASGI in one process the client sees this very error; over a socket, half an answer or none.
    """

    def __init__(self, *, begun: bool, seconds: float = 0.0) -> None:
        super().__init__("the line was cut")
        self.begun = begun
        self.seconds = seconds


class Pipeline:
    """Serves Graph requests of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.router = table()

    async def serve(self, call: Call) -> Reply:
        """Answer one request, or raise LineCut."""
        world, request_id = self.world, str(uuid.uuid4())
        client_id = call.headers.get("client-request-id", request_id)
        seen = _Seen()
        line = call.path + (f"?{call.query}" if call.query else "")
        fault = world.faults.take(call.method, line, batched=call.batched)
        try:
            if fault is not None and fault.kind in PAGES:
                reply = misbehave.page(fault=fault, reply=await self._answer(call, seen), call=call)
            elif fault is not None and not fault.after:
                reply = await self._fault(fault, None) or await self._answer(call, seen)
            else:
                reply = await self._answer(call, seen)
                if fault is not None:
                    reply = await self._fault(fault, reply) or reply
        except GraphError as problem:
            now = world.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
            body = problem.body(date=now, request_id=request_id, client_request_id=client_id)
            reply = Reply(problem.status, body, dict(problem.headers))
        except LineCut:
            self._log(call, seen, Reply(0))
            raise
        reply.headers |= {
            "request-id": request_id,
            "client-request-id": client_id,
            "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000",'
            '"RoleInstance":"SANDBOX1"}}',
        }
        self._log(call, seen, reply)
        return reply

    async def _answer(self, call: Call, seen: _Seen) -> Reply:
        token = self._token(call)
        seen.app_id = token.app_id
        segments = path.split(call.path)
        handler, keys = self.router.find(call.method, segments)
        request = Request(
            world=self.world,
            method=call.method,
            segments=segments,
            query=_query(call.query),
            headers=call.headers,
            content=call.content,
            base=call.base,
            access=token,
            prefer=Preferences([call.headers.get("prefer", "")]),
            batched=call.batched,
            keys=keys,
            again=self.serve,
        )
        if segments[0].casefold() not in ("me", "users") or len(segments) == (
            1 if segments[0].casefold() == "me" else 2
        ):
            return await self._run(handler, request)
        request.box = access.mailbox(request)
        seen.mailbox = request.box.owner_id
        key = (token.app_id, seen.mailbox)
        refusal = self.world.throttle.enter(key)
        seen.in_flight = self.world.throttle.running(key) + (refusal is not None)
        if refusal is not None:
            raise GraphError(429, refusal.code, refusal.message, headers={"Retry-After": str(refusal.retry_after)})
        try:
            return await self._run(handler, request)
        finally:
            self.world.throttle.leave(key)

    async def _run(self, handler: Any, request: Request) -> Reply:
        world = self.world
        try:
            with request.box.lock if request.box is not None else contextlib.nullcontext():
                reply: Reply = handler(request)
            if inspect.isawaitable(reply):
                reply = await reply
        except GraphError:
            if world.ms_per_request and not request.batched:
                await world.sleep(world.ms_per_request / 1000)
            raise
        wait = world.ms_per_request + world.ms_per_message * reply.messages
        if wait and request.segments[0] != "$batch":
            await world.sleep(wait / 1000)
        applied = request.prefer.header()
        if applied:
            reply.headers["Preference-Applied"] = applied
        return reply

    def _token(self, call: Call) -> Access:
        scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
        challenge = (
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
        if scheme.casefold() != "bearer" or not bearer.strip():
            raise GraphError(
                401,
                "InvalidAuthenticationToken",
                "Access token is empty.",
                headers={"WWW-Authenticate": challenge},
            )
        token = self.world.tokens.check(bearer.strip())
        problem = "malformed" if token is None else token.problem
        if token is None or problem is not None:
            raise _unauthorised(str(problem), challenge)
        return token

    async def _fault(self, fault: Fault, reply: Reply | None) -> Reply | None:
        """What the request gets instead; None: what it would get anyway."""
        if fault.kind == "latency":
            await self.world.sleep(fault.seconds)
            return None
        if fault.kind in ("drop", "cut", "stall"):
            raise LineCut(begun=fault.kind != "drop", seconds=fault.seconds if fault.kind == "stall" else 0.0)
        instead = misbehave.spoiled(fault=fault, reply=reply)
        if instead is None:
            raise misbehave.refused(fault=fault, now=self.world.clock())
        return instead

    def _log(self, call: Call, seen: _Seen, reply: Reply) -> None:
        world = self.world
        size = 0 if call.batched else len(reply.payload())
        world.requests.add(
            Asked(
                world.clock(),
                call.method,
                call.path,
                call.query,
                reply.status,
                seen.mailbox,
                seen.app_id,
                seen.in_flight,
                size,
                call.batched,
            )
        )


class _Seen:
    """What is known of a request by the time that it is logged."""

    mailbox = ""
    app_id = ""
    in_flight = 0


def _unauthorised(problem: str, challenge: str) -> GraphError:
    if problem == "expired":
        message = "Lifetime validation failed, the token is expired."
    elif problem.lstrip().startswith("{"):
        encoded = base64.b64encode(problem.encode()).decode()
        challenge = (
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            f'error="insufficient_claims", claims="{encoded}"'
        )
        message = (
            "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
            "TokenIssuedBeforeRevocationTimestamp"
        )
    else:
        message = "CompactToken parsing failed with error code: 80049217"
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})


def _query(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as problem:
        raise bad_request("The query string is malformed.") from problem
