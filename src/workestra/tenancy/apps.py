"""The Django app of tenancy."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "workestra.tenancy"
    label = "tenancy"
