"""What a member may read of one message: its body, its files, the pictures in its text.

Mail is private to the owner of its connection (REC 6); `doors.viewer` says whose that is, and every read of
content here starts from `visible`. Inside the workspace's scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from workestra.mail.doors import ref, viewer
from workestra.mail.doors.ref import Ref
from workestra.mail.intake import decompress
from workestra.mail.models import Message
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


@dataclass(frozen=True, slots=True)
class Body:
    """A message's text as stored, "html" or "text", and its attachments (dicts: name, type, size, cid, ...)."""

    content: str
    kind: str
    attachments: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files of a message are: its mailbox, its id at Microsoft, and what is known of each file."""

    ref: Ref
    message: int
    immutable_id: str
    subject: str
    attachments: tuple[Mapping[str, Any], ...]


def visible(*, member: Member) -> QuerySet[Message]:
    """The messages whose content this member may read."""
    return Message.objects.filter(
        workspace_id=member.workspace_id, connection_id__in=viewer.visible_ids(member=member)
    )


def body(*, member: Member, message_id: int) -> Body | None:
    """The body, or None where there is no such message for this member."""
    row = visible(member=member).only("body", "body_type", "attachments").filter(pk=message_id).first()
    if row is None:
        return None
    return Body(content=decompress(body=bytes(row.body)), kind=row.body_type, attachments=_files(row))


def source(*, member: Member, message_id: int) -> Source | None:
    """Where to fetch this message's files, or None. Opens the member's scope itself."""
    with scope(workspace=member.workspace_id):
        row = (
            visible(member=member)
            .only("connection_id", "immutable_id", "subject", "attachments")
            .filter(pk=message_id)
            .first()
        )
        here = ref.read(connection=row.connection_id) if row is not None else None
    if row is None or here is None:
        return None
    return Source(
        ref=here, message=row.pk, immutable_id=row.immutable_id, subject=row.subject, attachments=_files(row)
    )


def learn_content_ids(*, source: Source, by_id: Mapping[str, str]) -> None:
    """Keep what Microsoft said of content ids (attachment id -> content id), where the row still has these files."""
    known = [dict(one) for one in source.attachments]
    learned = [{**one, "cid": by_id.get(str(one.get("id")), one.get("cid", ""))} for one in known]
    if learned == known:
        return
    with scope(workspace=source.ref.workspace):
        Message.objects.filter(pk=source.message, attachments=known).update(attachments=learned)


def _files(row: Message) -> tuple[Mapping[str, Any], ...]:
    stored = row.attachments if isinstance(row.attachments, list) else []
    return tuple(one if isinstance(one, dict) else {} for one in stored)
