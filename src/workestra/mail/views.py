"""Mail content over HTTP: the body for a frame without scripts, files as downloads, pictures of a body.

Every answer here carries a policy of its own, because what it holds was written by strangers (SEC 8).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotFound,
    StreamingHttpResponse,
)
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe

from workestra.kit.hop import hop
from workestra.mail import filenames
from workestra.mail.doors import reading
from workestra.mail.doors.reading import Source
from workestra.mail.flows import download
from workestra.mail.problems import FAILURES, problem_page, refusal_page
from workestra.mail.render import safe_document
from workestra.tenancy.views import async_member_view, member_of, member_view

BODY_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"


@csrf_exempt
@require_POST
def notices(request: HttpRequest) -> HttpResponse:
    """Where Microsoft's notices go. The endpoint itself stands before Django; what arrives here is not one."""
    return HttpResponseNotFound()


@require_safe
@member_view
def body(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """The text of a message. `?quotes=1` with what it quotes, `?full=1` not clipped."""
    found = reading.body(member=member_of(request), message_id=message_id)
    if found is None:
        raise Http404
    page = safe_document(
        content=found.content,
        body_type=found.kind,
        attachments=found.attachments,
        quotes=request.GET.get("quotes") == "1",
        attachment_url=lambda index: f"{reverse('mail:attachment', args=[message_id, index])}?inline=1",
        inline_url=lambda content_id: reverse("mail:inline", args=[message_id, content_id]),
        stylesheet=static("mail-frame.css"),
        full=request.GET.get("full") == "1",
    )
    answer = HttpResponse(page.html)
    return _guarded(answer, BODY_POLICY)


@require_GET
@async_member_view
async def attachment(request: HttpRequest, message_id: int, index: int) -> HttpResponseBase:
    """A file, as a download. `?inline=1` shows a picture inside a page, if it is one."""
    source = await _source(request, message_id)
    return await _file(request, source, index, inline=request.GET.get("inline") == "1")


@require_GET
@async_member_view
async def inline(request: HttpRequest, message_id: int, content_id: str) -> HttpResponseBase:
    """The picture that a body names by content id, where only Microsoft knows which file that is."""
    source = await _source(request, message_id)
    try:
        index = await download.by_content_id(source=source, content_id=content_id)
    except FAILURES as problem:
        return refusal_page(request=request, problem=problem)
    if index is None:
        raise Http404
    return await _file(request, source, index, inline=True)


async def _source(request: HttpRequest, message_id: int) -> Source:
    member = member_of(request)
    source = await hop(lambda: reading.source(member=member, message_id=message_id))
    if source is None:
        raise Http404
    return source


async def _file(request: HttpRequest, source: Source, index: int, *, inline: bool) -> HttpResponseBase:
    if index >= len(source.attachments):
        raise Http404
    known = source.attachments[index]
    if known.get("kind") == "reference":
        words = _("This is a link to a file in the cloud, not a file. Open the message in Outlook to follow it.")
        return problem_page(request=request, status=404, title=_("Not a file"), sentence=words)
    if source.ref.state == "disconnected":
        words = _("The mailbox is disconnected. Files stay with Microsoft, so connect it again to open this one.")
        return problem_page(request=request, status=409, title=_("Mailbox disconnected"), sentence=words)
    try:
        copy = await download.opened(source=source, attachment_id=str(known.get("id", "")))
        chunks = download.chunks(copy=copy)
        head = await _head(chunks)
    except FAILURES as problem:
        return refusal_page(request=request, problem=problem)
    picture = filenames.picture_type(attachment=known, head=head) if inline else None
    if inline and picture is None:
        await chunks.aclose()
        raise Http404
    name = filenames.saved_as(attachment=known, subject=source.subject, index=index)
    declared = "message/rfc822" if known.get("kind") == "item" else str(known.get("type", ""))
    answer = StreamingHttpResponse(
        _joined(head, chunks), content_type=picture or filenames.safe_type(declared=declared)
    )
    answer["Content-Disposition"] = filenames.disposition(name=name, inline=inline)
    size = copy.came if copy.complete else copy.size
    if size is not None:
        answer["Content-Length"] = str(size)
    return _guarded(answer, FILE_POLICY, cached=inline)


async def _head(chunks: AsyncGenerator[bytes, None]) -> bytes:
    """The first bytes: enough to know a picture, and to know that the download goes well."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= filenames.HEAD:
            break
    return head


async def _joined(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for chunk in chunks:
        yield chunk


def _guarded(answer: HttpResponseBase, policy: str, *, cached: bool = False) -> HttpResponseBase:
    """The answer under a policy of its own. Pictures may be kept by the browser for a while, nothing else."""
    answer["Content-Security-Policy"] = policy
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, max-age=3600" if cached else "private, no-store"
    return answer
