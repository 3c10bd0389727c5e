"""Addresses of mail content, and the one that Microsoft knows."""

from __future__ import annotations

from django.urls import path

from workestra.mail import views

app_name = "mail"

urlpatterns = [
    path("hooks/graph", views.notices, name="graph-notices"),
    path("m/<int:message_id>/body", views.body, name="body"),
    path("m/<int:message_id>/att/<int:index>", views.attachment, name="attachment"),
    path("m/<int:message_id>/cid/<path:content_id>", views.inline, name="inline"),
]
