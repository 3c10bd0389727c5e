"""The Django app of the surface."""

from django.apps import AppConfig


class SurfaceConfig(AppConfig):
    name = "workestra.suite.entry"
    label = "entry"
