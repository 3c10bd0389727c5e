"""Attachments are listed without their bytes and streamed without being held."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.graph.wiring import BASE, Wire, error, ok

from workestra.graph import attachments
from workestra.graph.errors import AccessDenied, Gone, Unreachable


async def test_list_brings_content_ids_and_all_pages() -> None:
    wire = Wire(
        ok(
            {
                "value": [{"id": "a", "contentId": "c1"}],
                "@odata.nextLink": f"{BASE}/me/messages/m/attachments?$skip=1",
            }
        ),
        ok({"value": [{"id": "b"}]}),
    )
    found = await attachments.attachments(wire.graph(), message_id="m")
    assert [(one.id, one.content_id) for one in found] == [("a", "c1"), ("b", None)]
    assert "microsoft.graph.fileAttachment/contentId" in wire.requests[0].url.params["$select"]
    assert "contentBytes" not in str(wire.requests[0].url)


async def test_list_does_without_content_ids_where_the_cast_is_refused() -> None:
    wire = Wire(error(400, "BadRequest"), ok({"value": [{"id": "a"}]}))
    assert [one.id for one in await attachments.attachments(wire.graph(), message_id="m")] == ["a"]
    assert "contentId" not in str(wire.requests[1].url)


async def test_list_that_is_denied_stays_denied() -> None:
    wire = Wire(error(403, "ErrorAccessDenied"))
    with pytest.raises(AccessDenied):
        await attachments.attachments(wire.graph(), message_id="m")
    assert len(wire.requests) == 1


class Parts(httpx2.AsyncByteStream):
    """Hands out parts and remembers how many were asked for and whether it was closed."""

    def __init__(self, count: int, *, breaks: bool = False) -> None:
        self.count, self.breaks = count, breaks
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.count):
            self.taken += 1
            yield b"x" * 1000
        if self.breaks:
            raise httpx2.ReadError("reset")

    async def aclose(self) -> None:
        self.closed = True


async def test_bytes_stream_past_the_cap_of_answers() -> None:
    parts = Parts(5000)
    headers = {"content-type": "image/png", "content-length": "5000000"}
    wire = Wire(httpx2.Response(200, stream=parts, headers=headers))
    total = 0
    async with attachments.attachment_bytes(wire.graph(), message_id="m", attachment_id="a=") as download:
        assert (download.content_type, download.size) == ("image/png", 5_000_000)
        async for chunk in download.chunks:
            total += len(chunk)
    assert total == 5_000_000
    assert parts.closed
    assert wire.requests[0].url.raw_path == b"/v1.0/me/messages/m/attachments/a%3D/$value"


async def test_reader_who_leaves_early_closes_the_line() -> None:
    parts = Parts(5000)
    wire = Wire(httpx2.Response(200, stream=parts))
    async with attachments.mime(wire.graph(), message_id="m") as download:
        async for _ in download.chunks:
            break
    assert parts.closed
    assert parts.taken < 10
    assert download.size is None


async def test_line_cut_in_mid_file_is_unreachable_and_not_a_short_file() -> None:
    wire = Wire(httpx2.Response(200, stream=Parts(3, breaks=True)))
    with pytest.raises(Unreachable):
        async with attachments.mime(wire.graph(), message_id="m") as download:
            async for _ in download.chunks:
                pass


async def test_missing_attachment_raises_before_any_byte() -> None:
    wire = Wire(error(404, "ErrorItemNotFound"))
    with pytest.raises(Gone):
        async with attachments.attachment_bytes(wire.graph(), message_id="m", attachment_id="a"):
            raise AssertionError("opened")


async def test_stream_survives_one_spurious_401() -> None:
    wire = Wire(error(401), httpx2.Response(200, stream=Parts(1)))
    async with attachments.mime(wire.graph(), message_id="m") as download:
        assert [len(chunk) async for chunk in download.chunks] == [1000]
