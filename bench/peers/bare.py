"""The bound: a downloader of the same list pages on four streams that stores nothing.

Each of four streams owns a quarter of the mailbox by $skip and asks for it page after page; it is told how
many messages there are, so it never looks for the end and no stream waits for another's link. It asks for
gzip, reads every byte of a page (httpx2 inflates it), and decodes the page once with msgspec into a struct
that knows only @odata.nextLink and the number of items; the items themselves are skipped over, not built.
Nothing is kept.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from itertools import pairwise
from urllib.parse import urlencode

import httpx2
import msgspec

from bench.contract import EXPAND, SELECT, TOKEN, Result

STREAMS = 4


class Page(msgspec.Struct):
    """The only two things a downloader needs to know of a page."""

    value: list[msgspec.Raw]
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)


def run(*, feeder_url: str, database_url: str, page_size: int, messages: int) -> Result:
    """Read the whole inbox. `database_url` is not used."""
    return asyncio.run(_run(feeder_url=feeder_url, page_size=page_size, messages=messages))


async def _run(*, feeder_url: str, page_size: int, messages: int) -> Result:
    decoder = msgspec.json.Decoder(Page)
    edges = [messages * part // STREAMS for part in range(STREAMS + 1)]
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Prefer": 'IdType="ImmutableId"',
        "Accept-Encoding": "gzip",
    }
    async with httpx2.AsyncClient(
        base_url=feeder_url,
        headers=headers,
        timeout=120,
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    ) as client:

        async def stream(start: int, stop: int) -> int:
            seen = 0
            while start < stop:
                size = min(page_size, stop - start)
                query = urlencode(
                    {
                        "$top": size,
                        "$skip": start,
                        "$orderby": "receivedDateTime desc",
                        "$select": SELECT,
                        "$expand": EXPAND,
                    }
                )
                answer = await client.get(f"/v1.0/me/mailFolders/inbox/messages?{query}")
                answer.raise_for_status()
                seen += len(decoder.decode(answer.content).value)
                start += size
            return seen

        began = time.perf_counter()
        counts = await asyncio.gather(*(stream(*pair) for pair in pairwise(edges)))
        return Result(seconds=time.perf_counter() - began, messages=sum(counts))
