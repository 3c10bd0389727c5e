"""A worker killed at any durable step leaves nothing that its successor does not make good (I7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.crash.life import Life
from tests.crash.portrait import unlike

from m365sandbox.server import serve_app_in_thread
from workestra.project.asgi import application


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    handle = serve_app_in_thread(application)
    yield handle.url
    handle.stop()


@pytest.fixture(scope="module")
def whole(web: str, django_db_setup: None, django_db_blocker: Any) -> tuple[int, dict[str, Any]]:
    """(points that the life has, its end) without a crash."""
    with django_db_blocker.unblock():
        life = Life(web=web)
        with life.lived():
            assert life.unlike_outlook() == []
            assert life.idle_requests() == 0
            return life.passed, life.portrait()


@pytest.mark.parametrize("share", [0.12, 0.37, 0.7])
def test_a_worker_killed_on_the_way_ends_as_if_nothing_had_happened(
    db: None, web: str, whole: tuple[int, dict[str, Any]], share: float
) -> None:
    points, end = whole
    life = Life(web=web, kill_at=int(points * share))
    with life.lived():
        assert life.killed
        assert life.unlike_outlook() == []
        assert unlike(one=end, other=life.portrait()) == []
        assert (life.forbidden(), life.throttled()) == ([], 0)
        assert life.idle_requests() == 0
