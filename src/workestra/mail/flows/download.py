"""Bytes of an attachment on their way from Microsoft to a browser.

    take a place in the mailbox's lane -> open the stream (errors are known here, before a byte is answered)
      -> copy at Microsoft's speed into a file that has no name -> give the place back
      -> meanwhile the browser reads from the file at its own speed

So a slow browser never holds one of the four requests that Microsoft allows a mailbox, and a browser that
goes away leaves nothing behind: the copy is ended, its place given back, the file closed.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import IO

from workestra.graph import attachments as graph_attachments
from workestra.graph.errors import Throttled, TooLarge, Unreachable
from workestra.graph.exchange import Download
from workestra.kit.hop import hop
from workestra.mail.doors import reading
from workestra.mail.doors.reading import Source
from workestra.mail.flows.lane import lane
from workestra.mail.flows.microsoft import graph_for

WAIT = 20.0
"""Seconds to wait for a place in the lane."""
DEADLINE = 140.0
"""Seconds for the whole copy: less than a slot lives."""
IN_MEMORY = 1024 * 1024
LARGEST = 200 * 1024 * 1024
PIECE = 64 * 1024
EARLY = 256 * 1024

_copies: set[asyncio.Task[None]] = set()


@dataclass(slots=True)
class Copy:
    """A download under way: how much has come, whether all of it, what went wrong. Microsoft's type and size."""

    file: IO[bytes]
    content_type: str
    size: int | None
    came: int = 0
    complete: bool = False
    problem: Exception | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    left: bool = False

    async def moved(self) -> None:
        """Wait until more has come, or the end."""
        self.changed.clear()
        await self.changed.wait()

    def leave(self) -> None:
        """Nobody reads on. Whoever is last, reader or writer, closes the file."""
        self.left = True
        if self.complete or self.problem is not None:
            self.file.close()
        elif self.task is not None:
            self.task.cancel()


async def opened(*, source: Source, attachment_id: str) -> Copy:
    """The download, once its first stretch has come: what breaks off before that is an error, not half a file.

    Raises:
        GraphError: as Microsoft answered; Throttled also where the lane stayed full.
        OSError: no room for the file here.
        NotConfigured: no app registration is known.
    """
    ready: asyncio.Future[Copy] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_copy(source, attachment_id, ready))
    _copies.add(task)  # the loop itself keeps only a weak hold of a task
    task.add_done_callback(_copies.discard)
    try:
        copy = await ready
    except asyncio.CancelledError:
        task.cancel()
        raise
    copy.task = task
    try:
        while copy.came < EARLY and not copy.complete and copy.problem is None:
            await copy.moved()
        if copy.problem is not None:
            raise copy.problem
    except BaseException:
        copy.leave()
        raise
    return copy


async def _copy(source: Source, attachment_id: str, ready: asyncio.Future[Copy]) -> None:
    made: Copy | None = None
    try:
        async with asyncio.timeout(DEADLINE), AsyncExitStack() as stack:
            await _take_place(source, stack)
            graph = graph_for(workspace=source.ref.workspace, connection=source.ref.connection)
            download = await stack.enter_async_context(
                graph_attachments.attachment_bytes(
                    graph, message_id=source.immutable_id, attachment_id=attachment_id, root=source.ref.root
                )
            )
            made = _begin(download)
            if ready.cancelled():
                return
            ready.set_result(made)
            await _pour(download, made)
    except Exception as error:  # whoever waits must hear of it, whatever it is
        late = isinstance(error, TimeoutError)
        problem = Unreachable(code="timeout", message="the download took too long") if late else error
        if made is not None:
            made.problem = problem
        if not ready.done():
            ready.set_exception(problem)
    finally:
        if made is not None and not made.complete and made.problem is None:  # the process ends
            made.problem = Unreachable(code="cutLine", message="the download was ended")
        if made is not None:
            made.changed.set()
            if made.left or ready.cancelled():
                made.file.close()


def _begin(download: Download) -> Copy:
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it ends with its last reader
    return Copy(file=file, content_type=download.content_type, size=download.size)


async def _pour(download: Download, made: Copy) -> None:
    async for chunk in download.chunks:
        if made.came + len(chunk) > LARGEST:
            raise TooLarge(code="attachmentTooLarge", message=f"over {LARGEST} bytes")
        made.file.seek(made.came)
        made.file.write(chunk)
        made.came += len(chunk)
        made.changed.set()
    made.complete = True


async def _take_place(source: Source, stack: AsyncExitStack) -> None:
    try:
        async with asyncio.timeout(WAIT):
            await stack.enter_async_context(lane(ref=source.ref, click=True))
    except TimeoutError:
        raise Throttled(code="laneFull", message="", retry_after=WAIT) from None


async def chunks(*, copy: Copy) -> AsyncGenerator[bytes, None]:
    """The bytes as they come. Raises where the download broke off, so that the browser sees that it did."""
    at = 0
    try:
        while True:
            if at < copy.came:
                copy.file.seek(at)
                piece = copy.file.read(min(PIECE, copy.came - at))
                at += len(piece)
                yield piece
            elif copy.complete:
                return
            elif copy.problem is not None:
                raise copy.problem
            else:
                await copy.moved()
    finally:
        copy.leave()


async def by_content_id(*, source: Source, content_id: str) -> int | None:
    """The index of the picture that a body names by content id, asked for at Microsoft; None where none has it.

    What Microsoft says is kept, so that the next look needs no request. Raises as `opened` does.
    """
    wanted = _bare(content_id)
    async with AsyncExitStack() as stack:
        await _take_place(source, stack)
        graph = graph_for(workspace=source.ref.workspace, connection=source.ref.connection)
        listed = await graph_attachments.attachments(graph, message_id=source.immutable_id, root=source.ref.root)
    by_id = {one.id: one.content_id for one in listed if one.content_id}
    await hop(lambda: reading.learn_content_ids(source=source, by_id=by_id))
    for index, one in enumerate(source.attachments):
        if _bare(by_id.get(str(one.get("id")), "")) == wanted:
            return index
    return None


def _bare(content_id: str) -> str:
    return content_id.strip("<> ").lower()
