"""The page that people get when something broke: a database that is away is told apart from everything else."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler500. The pages are rendered without the request, which may ask the database for its person."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return HttpResponse(loader.get_template("503.html").render(), status=503, headers={"Retry-After": "10"})
    return server_error(request)
