"""Rendering as the tests ask for it, and reading what came out with a parser of HTML that is not ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lxml.html

from workestra.mail.render import Rendered, safe_document

ATTACHMENT = "/m/7/att/{}?inline=1"
INLINE = "/m/7/cid/{}"


def rendered(
    content: str,
    *,
    kind: str = "html",
    quotes: bool = False,
    attachments: Sequence[dict[str, Any]] = (),
    full: bool = False,
) -> Rendered:
    """A body as message 7 of somebody shows it."""
    return safe_document(
        content=content,
        body_type=kind,
        attachments=attachments,
        quotes=quotes,
        attachment_url=ATTACHMENT.format,
        inline_url=INLINE.format,
        stylesheet="/static/mail-frame.css",
        full=full,
    )


def tree(page: Rendered) -> Any:
    """The document as lxml reads it."""
    return lxml.html.document_fromstring(page.html)


def text(page: Rendered) -> str:
    """What a person reads, with single spaces."""
    return " ".join(" ".join(tree(page).xpath("//body//text()")).split())
