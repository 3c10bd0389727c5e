"""O365 (python-o365), unmodified, and Django's bulk_create: its documented way to walk a folder.

`get_messages(limit=..., batch=...)` pages by itself, one page after another; a full page of messages is
stored before the next is asked for. The library's own largest page is 999, so that 1000 becomes at most
that here, evened out so that the last page is not fetched for a few messages. Bodies, headers and addresses
are read through the library's public properties, but for `has_attachments`, which parses the whole HTML
body when it is asked: the list of attachments answers the same question without that, in its favour.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

from bench.contract import SELECT, TOKEN, Result
from bench.peers import table

LARGEST = 999


def run(*, feeder_url: str, database_url: str, page_size: int, messages: int) -> Result:
    """Read the newest `messages` of the inbox and store every page."""
    table.prepare(database_url=database_url)
    from bench.peers.table.models import Letter
    from bench.peers.table.save import save

    def letter(one: Any) -> Letter:
        return Letter(
            message_id=one.object_id,
            internet_message_id=one.internet_message_id,
            conversation_id=one.conversation_id,
            folder_id=one.folder_id,
            change_key="",
            subject=one.subject,
            sender=one.sender.address,
            sender_name=one.sender.name,
            recipients=[
                [kind, who.name, who.address]
                for kind, people in (("to", one.to), ("cc", one.cc), ("bcc", one.bcc))
                for who in people
            ],
            received_at=one.received,
            sent_at=one.sent,
            is_read=one.is_read,
            importance=one.importance.value,
            flag=one.flag.status.value,
            categories=one.categories,
            has_attachments=any(not file.is_inline for file in one.attachments),
            attachments=[
                [file.attachment_id, file.name, file.attachment_type, file.size, file.is_inline]
                for file in one.attachments
            ],
            headers=[[header["name"], header["value"]] for header in one.message_headers],
            preview=one.body_preview,
            body_type=one.body_type,
            body=one.body,
        )

    inbox = _account(feeder_url=feeder_url).mailbox().inbox_folder()
    builder = inbox.new_query()
    files = builder.select("id", "name", "contentType", "size", "isInline")
    query = builder.select(*SELECT.split(",")) & builder.expand("attachments", select=files)
    query = query & builder.orderby(("receivedDateTime", False))
    pages = -(-messages // min(page_size, LARGEST))
    size = -(-messages // pages)
    seen = 0
    began = time.perf_counter()
    walk = iter(inbox.get_messages(limit=messages, batch=size, query=query))
    while page := [letter(one) for one in islice(walk, size)]:
        save(page)
        seen += len(page)
    return Result(seconds=time.perf_counter() - began, messages=seen)


def _account(*, feeder_url: str) -> Account:
    protocol = type("FeederProtocol", (MSGraphProtocol,), {"_protocol_url": f"{feeder_url}/"})
    account = Account(
        ("bench", "bench"),
        protocol=protocol(),
        token_backend=MemoryTokenBackend(),
        default_headers={"Prefer": 'IdType="ImmutableId"'},
    )
    account.con.session = account.con.get_session()
    account.con.update_session_auth_header(access_token=TOKEN)
    return account
