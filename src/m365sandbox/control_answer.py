"""How control requests are read and answered: JSON in, JSON out, plain words on what cannot be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from .mailbox import FolderExists

Endpoint = Callable[[Request], Awaitable[Response]]
Act = Callable[[Request, dict[str, Any]], Any]


class Refused(Exception):
    """The control request cannot be done; the message says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answer(value: Any, status: int = 200) -> Response:
    """A value as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def endpoint_of(act: Act) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            raw = await request.body()
            body = msgspec.json.decode(raw) if raw else {}
            if not isinstance(body, dict):
                raise Refused(400, "the body is a JSON object")
            return answer(act(request, body))
        except Refused as problem:
            return answer({"error": str(problem)}, problem.status)
        except FolderExists as problem:
            return answer({"error": f"a folder named {problem} is there already"}, 409)
        except KeyError as problem:
            return answer({"error": f"missing or unknown: {problem}"}, 400)
        except (TypeError, ValueError) as problem:
            return answer({"error": str(problem)}, 400)

    return endpoint
