"""How a view becomes a member's view: signed in, on a seat, inside the wall (SEC 5)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope

P = ParamSpec("P")


def member_of(request: HttpRequest) -> Member:
    """The seat that the middleware found. Only inside a member's view."""
    member: Member = request.member  # type: ignore[attr-defined]
    return member


def _turned_away(request: HttpRequest) -> HttpResponseBase | None:
    """What a request without a seat gets instead of the view."""
    if not request.user.is_authenticated:
        login = reverse(settings.LOGIN_URL)
        if request.headers.get("HX-Request"):
            answer = HttpResponse(status=204)
            answer["HX-Redirect"] = login
            return answer
        return HttpResponseRedirect(f"{login}?next={quote(request.get_full_path())}")
    if getattr(request, "member", None) is None:
        raise PermissionDenied
    return None


def member_view(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A sync view for members: one transaction inside the workspace's wall around it."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        away = _turned_away(request)
        if away is not None:
            return away
        with scope(workspace=member_of(request).workspace_id):
            return view(request, *args, **kwargs)

    return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], guarded)


def async_member_view(
    view: Callable[Concatenate[HttpRequest, P], Awaitable[HttpResponseBase]],
) -> Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]]:
    """An async view for members. It opens no scope: it may talk to Microsoft, and hops to doors for rows."""

    @functools.wraps(view)
    async def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        await request.auser()
        away = _turned_away_async(request)
        if away is not None:
            return away
        return await view(request, *args, **kwargs)

    return cast(Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]], guarded)


def _turned_away_async(request: HttpRequest) -> HttpResponseBase | None:
    if getattr(request, "member", None) is None:
        login = reverse(settings.LOGIN_URL)
        return HttpResponseRedirect(f"{login}?next={quote(request.get_full_path())}")
    return None
