"""A Django project of one bare table: what somebody with a weekend would build to hold mail."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


def prepare(*, database_url: str) -> None:
    """Configure Django for this database, make the table, connect. Call once, before importing the model."""
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": _database(url=database_url)},
        INSTALLED_APPS=["bench.peers.table"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.db import connection

    from bench.peers.table.models import Letter

    with connection.schema_editor() as editor:
        editor.create_model(Letter)


def _database(*, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
