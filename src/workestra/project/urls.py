"""Every address of the product but those that `asgi` answers before Django: health and Microsoft's notices."""

from __future__ import annotations

from django.urls import include, path

from workestra.project.live import events

handler500 = "workestra.project.faults.broken"

urlpatterns = [
    path("events", events, name="events"),
    path("", include("workestra.mail.urls")),
    path("", include("workestra.suite.entry.urls")),
    path("", include("workestra.suite.inbox.urls")),
    path("", include("workestra.suite.connections.urls")),
]
