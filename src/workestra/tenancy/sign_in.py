"""Signing in with a password, and the brake on guessing (SEC 7)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest

from workestra.kit import clock
from workestra.tenancy.models import SignInAttempt, User
from workestra.tenancy.source import source_of

WINDOW = timedelta(minutes=15)
PER_ADDRESS = 10
PER_SOURCE = 50


class TooManyAttempts(Exception):
    """Too many failures from here or for this address; try again at `until`."""

    def __init__(self, *, until: datetime) -> None:
        super().__init__(f"try again at {until:%H:%M}")
        self.until = until


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{settings.SECRET_KEY}|{kind}|{value}".encode()).hexdigest()


def authenticate_person(request: HttpRequest, *, email: str, password: str) -> User | None:
    """The person with this address and password, or None.

    Raises:
        TooManyAttempts: after ten failures for the address or fifty from the source within 15 minutes.
    """
    now = clock.now()
    wanted = {
        _digest("address", email.strip().lower()): PER_ADDRESS,
        _digest("source", source_of(request=request)): PER_SOURCE,
    }
    SignInAttempt.objects.filter(at__lt=now - timedelta(hours=1)).delete()
    for digest, most in wanted.items():
        recent = SignInAttempt.objects.filter(digest=digest, at__gt=now - WINDOW).order_by("-at")
        times = list(recent.values_list("at", flat=True)[:most])
        if len(times) >= most:
            raise TooManyAttempts(until=times[-1] + WINDOW)
    user = authenticate(request, username=email.strip().lower(), password=password)
    if user is None:
        SignInAttempt.objects.bulk_create(SignInAttempt(digest=digest, at=now) for digest in wanted)
        return None
    SignInAttempt.objects.filter(digest=_digest("address", email.strip().lower())).delete()
    assert isinstance(user, User)
    return user
