"""Puts the seat on the request and speaks the person's language and time zone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase

from workestra.tenancy import preferences
from workestra.tenancy.seats import seat_of

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


def _prepare(request: HttpRequest) -> None:
    member = seat_of(request=request)
    request.member = member  # type: ignore[attr-defined]
    request.workspace = member.workspace if member else None  # type: ignore[attr-defined]


def _activate(request: HttpRequest) -> None:
    member = request.member  # type: ignore[attr-defined]
    preferences.activate(request=request, user=member.user if member else None)


class PersonMiddleware:
    """`request.member` and `request.workspace`; both None for a stranger. Works sync and async."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if self._async:
            return self._acall(request)
        _prepare(request)
        _activate(request)
        return self.get_response(request)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        await sync_to_async(_prepare)(request)
        _activate(request)
        return await cast(Awaitable[HttpResponseBase], self.get_response(request))
