"""Every address of the product."""

from __future__ import annotations

from django.urls import include, path

from workestra.project.health import alive, ready
from workestra.project.live import events

urlpatterns = [
    path("healthz", alive, name="healthz"),
    path("readyz", ready, name="readyz"),
    path("events", events, name="events"),
    path("", include("workestra.mail.urls")),
    path("", include("workestra.suite.entry.urls")),
    path("", include("workestra.suite.inbox.urls")),
    path("", include("workestra.suite.connections.urls")),
]
