"""Real mail through the whole product: CPython's e-mail samples, delivered, synced, listed and opened."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client
from tests.compare import differences
from tests.mail.render.test_real_mail import SAMPLES
from tests.sandboxes import Outlook, ref_of, run

from m365sandbox.app import import_letters
from m365sandbox.eml import letters_from
from workestra.kit import clock
from workestra.mail.doors import connections
from workestra.mail.flows.history import history
from workestra.mail.models import Message
from workestra.tenancy.models import Member
from workestra.tenancy.rows import scope


def test_every_sample_is_synced_and_opens_without_an_error(
    ana: Member, outlook: Outlook, client_for: Callable[[Member], Client]
) -> None:
    count = import_letters(outlook.world, outlook.person("ana").address, letters_from(SAMPLES))
    assert count >= 40
    connection = outlook.connect(ana)
    with scope(workspace=ana.workspace_id):
        connections.start_backfill(member=ana, connection_id=connection.pk, choice="all", now=clock.now())
    run(history(ref=ref_of(connection)))
    assert differences(outlook, connection, "ana") == []
    browser = client_for(ana)
    threads: set[str] = set()
    page = "/inbox"
    while page:
        html = browser.get(page).content.decode()
        threads |= set(re.findall(r"/inbox/t/(\d+)", html))
        following = re.search(r'hx-get="(/inbox\?[^"]*after=[^"]+)"', html)
        page = following[1].replace("&amp;", "&") if following else ""
    with scope(workspace=ana.workspace_id):
        held = list(Message.objects.filter(connection=connection).values_list("pk", "thread_id"))
    assert len(held) == count
    assert {str(thread) for _, thread in held} == threads
    for thread in sorted(threads):
        assert browser.get(f"/inbox/t/{thread}").status_code == 200
    for message, _ in held:
        assert browser.get(f"/m/{message}/body").status_code == 200
        assert browser.get(f"/m/{message}/body?quotes=1").status_code == 200
