"""POST /$batch: up to twenty requests in one (Graph: JSON batching)."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .errors import GraphError, bad_request
from .wire import Call, Reply, Request

MOST = 20
AT_ONCE = 4
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


def _steps(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The requests by id, checked. Raises GraphError 400 for the whole batch."""
    listed = body.get("requests")
    if not isinstance(listed, list) or not listed or not all(isinstance(step, dict) for step in listed):
        raise bad_request("Invalid batch payload format.")
    if len(listed) > MOST:
        raise bad_request(f"Number of batch request steps exceeds the maximum of {MOST}.")
    steps: dict[str, dict[str, Any]] = {}
    for step in listed:
        name, url = step.get("id"), step.get("url")
        if not isinstance(name, str) or not name or not isinstance(url, str) or not url:
            raise bad_request("Invalid batch payload format.")
        if name in steps:
            raise bad_request(f"Request Id : {name} is not unique within the batch.")
        if step.get("method") not in METHODS or urlsplit(url).scheme or url.startswith("//"):
            raise bad_request(f"Request Id : {name} has an invalid method or URL.")
        headers = step.get("headers", {})
        if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
            raise bad_request("Invalid batch payload format.")
        if step.get("body") is not None and "content-type" not in {key.casefold() for key in headers}:
            raise bad_request(f"Write request id : {name} does not contain Content-Type header or body.")
        steps[name] = step
    _order(steps)
    return steps


def _order(steps: dict[str, dict[str, Any]]) -> None:
    dependent = 0
    for name, step in steps.items():
        needs = step.get("dependsOn", [])
        if not isinstance(needs, list) or any(one not in steps or one == name for one in needs):
            raise bad_request(f"Request Id : {name} depends on a request that is not in the batch.")
        dependent += bool(needs)
    if dependent not in (0, len(steps) - 1):
        raise bad_request("The dependsOn property must be set on all requests but the first, or on none.")
    seen: set[str] = set()
    while len(seen) < len(steps):
        ready = {name for name, step in steps.items() if name not in seen and set(step.get("dependsOn", [])) <= seen}
        if not ready:
            raise bad_request("The dependsOn properties of the batch form a circle.")
        seen |= ready


async def batch(request: Request) -> Reply:
    """Each item is answered alone, with its own status, headers and throttling; four run at once."""
    if request.batched:
        raise bad_request("Nested batch requests are not supported.")
    steps = _steps(request.json)
    slots = asyncio.Semaphore(AT_ONCE)
    done: dict[str, asyncio.Task[Reply]] = {}

    async def run(name: str, step: dict[str, Any]) -> Reply:
        for other in step.get("dependsOn", []):
            if (await done[other]).status >= 400:
                failed = GraphError(
                    424, "FailedDependency", "The request was not run because one that it depends on failed."
                )
                return Reply(424, {"error": {"code": failed.code, "message": failed.message}})
        async with slots:
            return await request.again(_call(request, step))

    for name, step in steps.items():
        done[name] = asyncio.create_task(run(name, step))
    try:
        await asyncio.gather(*done.values())
    except BaseException:
        for task in done.values():
            task.cancel()
        raise
    answers = [_answer(name, task.result()) for name, task in done.items()]
    return Reply(200, {"responses": answers})


def _call(request: Request, step: dict[str, Any]) -> Call:
    path, _, query = step["url"].partition("?")
    headers = {"authorization": request.headers.get("authorization", "")}
    headers |= {key.casefold(): value for key, value in step.get("headers", {}).items()}
    body = step.get("body")
    if body is None:
        content = b""
    elif headers.get("content-type", "").startswith("application/json"):
        content = msgspec.json.encode(body)
    else:
        try:
            content = base64.b64decode(body) if isinstance(body, str) else msgspec.json.encode(body)
        except ValueError as problem:
            raise bad_request("Invalid batch payload format.") from problem
    return Call(step["method"], "/" + path.lstrip("/"), query, headers, content, request.base, batched=True)


def _answer(name: str, reply: Reply) -> dict[str, Any]:
    answer: dict[str, Any] = {"id": name, "status": reply.status, "headers": dict(reply.headers)}
    if reply.body is not None:
        answer["headers"]["Content-Type"] = reply.kind().split(";")[0]
        answer["body"] = base64.b64encode(reply.body).decode() if isinstance(reply.body, bytes) else reply.body
    return answer
