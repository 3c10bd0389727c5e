"""The product and its database without a test around them: for the long proofs that `make` runs.

Import this before anything of the product: it reads its settings from the environment of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tests.environment  # noqa: F401  (settings before Django reads any)


@contextmanager
def stage() -> Iterator[str]:
    """A database of its own with the product's tables, and the web process's door. Yields its address."""
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "workestra.project.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    from m365sandbox.server import serve_app_in_thread
    from workestra.project import env, postgres, roles
    from workestra.project.asgi import application

    default = connections["default"]
    url = postgres.database_url(configured="", home=env.read().home)
    role = settings.WORKESTRA.database_role
    roles.ensure_role(url=url, role=role)
    mine = default.settings_dict
    default.settings_dict = {**mine, **postgres.database_settings(url=url, role=None)}
    call_command("migrate", verbosity=0)
    default.close()
    roles.grant_rows(url=url, role=role)
    default.settings_dict = mine
    handle = serve_app_in_thread(application)
    try:
        yield handle.url
    finally:
        handle.stop()
        connections.close_all()
