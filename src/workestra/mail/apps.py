"""The Django app of mail."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "workestra.mail"
    label = "mail"
