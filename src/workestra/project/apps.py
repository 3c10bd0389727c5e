"""The Django app that wires the others."""

from django.apps import AppConfig
from django.conf import settings

from workestra.project.logs import set_up


class ProjectConfig(AppConfig):
    name = "workestra.project"
    label = "project"

    def ready(self) -> None:
        """Logging starts once the settings are known."""
        set_up(settings=settings.LOGGING)
