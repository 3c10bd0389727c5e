"""Durable steps of a process, counted, and the process killed at the one that is asked for.

A durable step is what outlives the process: a commit of a transaction that wrote, a statement that commits by
itself, a request that Microsoft answered, a job taken from the queue or given back. Each commit is two points,
just before and just after it. A kill is SIGKILL, so no handler and no `finally` has a say.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import httpx2
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

WRITES = ("insert", "update", "delete", "with")


class Steps:
    """Counts the points that this process passes. `kill_at`: the number of the one to die at; 0: none."""

    def __init__(self, *, kill_at: int, tell: int) -> None:
        self.passed = 0
        self._kill_at = kill_at
        self._tell = tell  # file descriptor that hears of the kill
        self._guard = threading.Lock()

    def point(self, name: str) -> None:
        """Pass a point, or die at it."""
        with self._guard:
            self.passed += 1
            if self.passed == self._kill_at:
                os.write(self._tell, f"killed {name}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Put the points into Django's commits and statements and into the HTTP client of this process."""
        self._in_commits()
        self._in_statements()
        self._in_requests()

    def _in_commits(self) -> None:
        commit = BaseDatabaseWrapper._commit

        def counted(database: Any) -> Any:
            raw = database.connection
            row = raw.execute("select pg_current_xact_id_if_assigned()").fetchone()
            if row is None or row[0] is None:
                return commit(database)  # it only read
            self.point("before a commit")
            commit(database)
            return self.point("after a commit")

        BaseDatabaseWrapper._commit = counted

    def _in_statements(self) -> None:
        execute = CursorWrapper.execute

        def counted(cursor: Any, sql: Any, params: Any = None) -> Any:
            alone = not cursor.db.in_atomic_block and str(sql).lstrip()[:6].lower().strip() in WRITES
            if alone:
                self.point("before a statement")
            answer = execute(cursor, sql, params)
            if alone:
                self.point("after a statement")
            return answer

        CursorWrapper.execute = counted

    def _in_requests(self) -> None:
        send = httpx2.AsyncClient.send

        async def counted(client: Any, request: Any, **more: Any) -> Any:
            answer = await send(client, request, **more)
            self.point(f"after {request.method} {request.url.path.rsplit('/', 1)[-1][:24]}")
            return answer

        httpx2.AsyncClient.send = counted  # type: ignore[method-assign]
