"""A connected mailbox, its grant and its folders."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from workestra.mail.models.identity import Mailbox
from workestra.tenancy.models import Member, Workspace


class Connection(models.Model):
    """One row of Settings > Integrations > Outlook: a mailbox that a member connected."""

    class Kind(models.TextChoices):
        PERSONAL = "personal"
        SHARED = "shared"

    class State(models.TextChoices):
        ACTIVE = "active"
        SIGN_IN = "sign_in"  # Microsoft wants the person again
        DISCONNECTED = "disconnected"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, related_name="connections")
    owner = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="connections")
    delegate = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="delegated")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERSONAL)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    address = models.CharField(max_length=320)
    name = models.CharField(max_length=320, blank=True)
    outlook_com = models.BooleanField(default=False)  # a personal Microsoft account
    root = models.CharField(max_length=320, default="me")  # "me", or "users/{id}" of a shared mailbox
    scope_start = models.DateTimeField()  # mail received since then is kept
    connected_at = models.DateTimeField()
    folders_at = models.DateTimeField(null=True)  # when the folder tree was read last
    last_success_at = models.DateTimeField(null=True)
    first_done_at = models.DateTimeField(null=True)  # a live cursor or a received-since list succeeded
    error_code = models.CharField(max_length=64, default="", blank=True)
    error_detail = models.JSONField(default=dict)
    error_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # failed syncs in a row
    asks_range = models.BooleanField(default=False)  # the range dialog has not been answered yet
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "mailbox"], name="one_connection_each")]


class Grant(models.Model):
    """The OAuth tokens and granted scopes behind a personal connection. Tokens are sealed (kit.vault)."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    tenant_id = models.CharField(max_length=64)
    access_sealed = models.BinaryField(null=True)
    refresh_sealed = models.BinaryField(null=True)
    access_expires_at = models.DateTimeField(null=True)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    refreshed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=0)  # grows with every rotation
    lease_holder = models.CharField(max_length=64, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    claims = models.TextField(default="", blank=True)  # a challenge to pass on at the next sign-in


class SignIn(models.Model):
    """A sign-in under way at Microsoft: bound to the browser session, single use, ten minutes to live."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    state_digest = models.BinaryField(unique=True)
    session_digest = models.BinaryField()
    nonce = models.CharField(max_length=64)
    verifier_sealed = models.BinaryField()
    reconnects = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField()


class Folder(models.Model):
    """A folder of a mailbox as Outlook has it, with the place that its walk has reached.

    `cursor` is the deltaLink of the last complete round, `link` the nextLink of a round under way. `prove` set:
    the ids in it are to be compared with Outlook's, because a round had to start anew or history was pulled.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="folders")
    graph_id = models.CharField(max_length=512)
    parent_graph_id = models.CharField(max_length=512, blank=True)
    name = models.CharField(max_length=512)
    role = models.CharField(max_length=32, blank=True)  # Graph's well-known name, never the display name
    tracked = models.BooleanField(default=True)
    chosen = models.BooleanField(null=True)  # a person's choice, above the default
    cursor = models.TextField(blank=True, default="")
    link = models.TextField(blank=True, default="")
    prove = models.BooleanField(default=False)
    ready_at = models.DateTimeField(null=True)  # its first round ended
    since_at = models.DateTimeField(null=True)  # how far the received-since list has come
    total = models.PositiveIntegerField(default=0)
    gone_at = models.DateTimeField(null=True)
    refused = models.CharField(max_length=64, blank=True, default="", db_default="")  # why it cannot be read just now
    sweep_asks = models.PositiveIntegerField(db_default=0)  # messages that Outlook lost; a person is asked about them
    sweep_agreed = models.PositiveIntegerField(db_default=0)  # so many may leave: a person said so

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection", "graph_id"], name="one_folder")]
