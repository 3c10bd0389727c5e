"""The queue takes unknown names without a word, so that names are compared here."""

from __future__ import annotations

from procrastinate.contrib.django import app

import workestra.mail.jobs  # noqa: F401  registers the tasks
from workestra.mail import dispatch


def test_every_name_that_can_be_enqueued_is_a_task() -> None:
    assert set(dispatch.TASKS) - set(app.tasks) == set()


def test_every_task_of_ours_can_be_enqueued_by_its_name() -> None:
    ours = {name for name in app.tasks if name.startswith("mail.")}
    assert ours == set(dispatch.TASKS)
