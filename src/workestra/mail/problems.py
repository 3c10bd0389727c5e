"""Why a file cannot be had, as a page and a status: gone, wait, sign in again, not reachable (ERR)."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from workestra.activity.words import words
from workestra.graph.errors import AccessDenied, CursorExpired, Gone, GraphError, NoMailbox, Refused, SignInNeeded
from workestra.kit import clock
from workestra.mail.flows.failure import told
from workestra.mail.flows.microsoft import NotConfigured

RETRY = timedelta(seconds=10)
FAILURES = (GraphError, NotConfigured, OSError)


def problem_page(
    *, request: HttpRequest, status: int, title: str, sentence: str, retry: timedelta | None = None
) -> HttpResponse:
    """A small page that says what happened and what to do; `retry` becomes Retry-After."""
    page = render_to_string(
        "mail/file_problem.html", {"title": title, "sentence": sentence, "status": status}, request
    )
    answer = HttpResponse(page, status=status)
    answer["Cache-Control"] = "private, no-store"
    if retry is not None:
        answer["Retry-After"] = str(max(1, ceil(retry.total_seconds())))
    return answer


def refusal_page(*, request: HttpRequest, problem: Exception) -> HttpResponse:
    """The page for one of `FAILURES`: 404 gone, 409 a person has to act, 503 try again later."""
    if isinstance(problem, NotConfigured):
        said = words(code="not_configured")
        return problem_page(request=request, status=409, title=said.title, sentence=said.sentence)
    if not isinstance(problem, GraphError):
        return problem_page(
            request=request,
            status=503,
            title=_("This server has no room for the file"),
            sentence=_("The file could not be passed on. Ask your administrator to make room, then try again."),
            retry=RETRY,
        )
    if isinstance(problem, Gone | CursorExpired | Refused):
        return problem_page(
            request=request,
            status=404,
            title=_("This file is not in Outlook any more"),
            sentence=_("The message or its file was deleted or moved there. Files are not kept by Workestra."),
        )
    failure = told(problem=problem)
    pause = failure.pause or RETRY
    detail = {**failure.detail, "until": clock.now() + pause}
    said = words(code=failure.code, detail=detail)
    act = failure.sign_in or isinstance(problem, SignInNeeded | AccessDenied | NoMailbox)
    return problem_page(
        request=request,
        status=409 if act else 503,
        title=said.title,
        sentence=said.sentence,
        retry=None if act else pause,
    )
