"""The page feeder: a process that plays Microsoft Graph for one seeded mailbox, as cheaply as it can (PRF 1).

Pages are encoded and compressed before it says `ready`; a request costs one memory copy. It holds every
answer back by 150 ms and 1 ms a message, allows four requests at once per mailbox and counts what exceeds
that.

    python -m bench.feeder --port 8765 --messages 10000

Any bearer token is accepted. What stands before its first dot names the mailbox whose slots are used, so
that one feeder can serve many mailboxes with the same content. The token endpoint hands such tokens out for
any refresh token.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import time
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from bench.feed.answers import Answer, Asked, Desk, failure
from bench.feed.mailbox import Mailbox
from bench.feed.throttle import Counters, Latency, Slots

_THROTTLED = failure(
    status=429, code="ApplicationThrottled", message="Application is over its MailboxConcurrency limit."
)


class Feeder:
    """An RSGI application. One event loop: counters need no lock."""

    def __init__(self, *, mailbox: Mailbox, latency: Latency, gzip: bool = True) -> None:
        self.desk = Desk(mailbox=mailbox)
        self.latency = latency
        self.gzip = gzip
        self.slots = Slots(counters=Counters())
        self._numbers = count(1)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        """One request. Mailbox requests take a slot and time; the rest is answered at once."""
        path = scope.path
        if path.startswith("/v1.0/"):
            answer = await self._graph(scope, proto)
        elif path.startswith("/_feeder/"):
            answer = self._control(scope)
        else:
            answer = await self._identity(scope, proto)
        headers = [("content-type", "application/json; charset=utf-8")]
        if answer.packed:
            headers.append(("content-encoding", "gzip"))
        if answer.status == 429:
            headers.append(("retry-after", "1"))
        proto.response_bytes(answer.status, headers, answer.body)

    async def _graph(self, scope: Any, proto: Any) -> Answer:
        counters = self.slots.counters
        counters.requests += 1
        began = time.monotonic()
        owner = (scope.headers.get("authorization") or "").removeprefix("Bearer ").partition(".")[0]
        if not owner:
            return failure(status=401, code="InvalidAuthenticationToken", message="Access token is empty.")
        if not self.slots.enter(mailbox=owner):
            return _THROTTLED
        try:
            asked = Asked(
                origin=f"{scope.scheme}://{scope.headers.get('host') or scope.authority}",
                path=scope.path,
                query=scope.query_string,
                prefer=", ".join(scope.headers.get_all("prefer")),
                packed=self.gzip and "gzip" in (scope.headers.get("accept-encoding") or ""),
            )
            if scope.method == "GET":
                answer = self.desk.answer(asked)
            elif scope.method == "POST" and scope.path == "/v1.0/$batch":
                answer = self.desk.batch(asked=asked, body=await proto())
            else:
                answer = failure(status=404, code="ResourceNotFound", message=f"{scope.method} {scope.path}")
            if answer.status >= 400 and len(counters.unknown) < 20:
                counters.unknown.append(f"{scope.method} {scope.path}?{scope.query_string}")
            wait = self.latency.seconds(rounds=answer.rounds, messages=answer.messages)
            if (left := wait - (time.monotonic() - began)) > 0:
                await asyncio.sleep(left)
            counters.bytes += len(answer.body)
            counters.messages += answer.messages
            return answer
        finally:
            self.slots.leave(mailbox=owner)

    def _control(self, scope: Any) -> Answer:
        """GET counters; POST reset, which also sets latency=on or latency=off."""
        if scope.path == "/_feeder/reset" and scope.method == "POST":
            given = dict(parse_qsl(scope.query_string))
            self.latency.on = given.get("latency", "on" if self.latency.on else "off") == "on"
            self.slots.counters = Counters()
        elif scope.path != "/_feeder/counters":
            return failure(status=404, code="ResourceNotFound", message=scope.path)
        return Answer(body=msgspec.json.encode(self.slots.counters.as_dict()))

    async def _identity(self, scope: Any, proto: Any) -> Answer:
        """/{tenant}/oauth2/v2.0/token for refresh tokens, and the discovery document that leads there."""
        origin = f"{scope.scheme}://{scope.headers.get('host') or scope.authority}"
        tenant = scope.path.split("/")[1]
        if scope.path.endswith("/oauth2/v2.0/token") and scope.method == "POST":
            form = dict(parse_qsl((await proto()).decode()))
            old = form.get("refresh_token", "")
            if form.get("grant_type") != "refresh_token" or not old:
                return Answer(status=400, body=b'{"error":"unsupported_grant_type","error_codes":[70003]}')
            owner = old.partition(".")[0]
            number = next(self._numbers)
            return Answer(
                body=msgspec.json.encode(
                    {
                        "token_type": "Bearer",
                        "scope": form.get("scope") or "Mail.ReadWrite Mail.Send User.Read",
                        "expires_in": 4712,
                        "ext_expires_in": 4712,
                        "access_token": f"{owner}.access{number}",
                        "refresh_token": f"{owner}.refresh{number}",
                    }
                )
            )
        if scope.path.endswith("/.well-known/openid-configuration"):
            base = f"{origin}/{tenant}"
            return Answer(
                body=msgspec.json.encode(
                    {
                        "issuer": f"{base}/v2.0",
                        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                        "token_endpoint": f"{base}/oauth2/v2.0/token",
                        "jwks_uri": f"{base}/discovery/v2.0/keys",
                    }
                )
            )
        return failure(status=404, code="ResourceNotFound", message=scope.path)


async def serve(*, app: Feeder, port: int) -> None:
    """Serve on loopback until SIGTERM or SIGINT."""
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.RSGI, log_enabled=False, websockets=False
    )
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, server.stop)
    await server.serve()


def main() -> None:
    """Command line; prints `ready` once every page can be served."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--mean", type=int, default=26_000, help="mean characters of HTML a body")
    parser.add_argument("--days", type=int, default=80, help="how far back the oldest message lies, about")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-latency", action="store_true")
    parser.add_argument("--no-gzip", action="store_true", help="plain answers, whatever the client accepts")
    given = parser.parse_args()
    newest = datetime.now(UTC).replace(microsecond=0)
    mailbox = Mailbox(count=given.messages, mean=given.mean, days=given.days, newest=newest, seed=given.seed)
    app = Feeder(mailbox=mailbox, latency=Latency(on=not given.no_latency), gzip=not given.no_gzip)
    mean = mailbox.html_bytes / max(1, len(mailbox))
    print(f"ready: {len(mailbox)} messages, {mean:.0f} bytes of HTML each on average", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(app=app, port=given.port))


if __name__ == "__main__":
    main()
