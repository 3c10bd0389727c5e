"""Anything may happen in any order; once it stops, the store equals the mailbox (I1 to I3, I5, I8, I9, I11 to I13).

RULES=n plays n histories instead of a few; SEED=n other ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.statemachine.machine import Machine

from m365sandbox.server import serve_app_in_thread
from workestra.project.asgi import application

HISTORIES = int(os.environ.get("RULES", "4"))
STEPS = int(os.environ.get("STEPS", "16"))
SEED = int(os.environ.get("SEED", "0"))


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    handle = serve_app_in_thread(application)
    yield handle.url
    handle.stop()


def test_whatever_happens_in_whatever_order_it_ends_equal(db: None, web: str) -> None:
    Machine.web = web
    play = seed(SEED)(Machine)
    run_state_machine_as_test(
        play,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # a history takes seconds: what failed is printed whole, not made smaller
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
