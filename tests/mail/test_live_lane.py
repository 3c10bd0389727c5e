"""From a change in Outlook over its notice to the store, through the web process's own door (SYN 1 to 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.compare import differences, store
from tests.mail import hands
from tests.mail.hands import Time, alive, soon, subscribed, sync, told, wait_for, work
from tests.sandboxes import Outlook, ref_of, run

from workestra.kit import clock
from workestra.mail.doors import schedule, watches
from workestra.mail.flows.watch import watch
from workestra.mail.models import Connection, Subscription
from workestra.tenancy.models import Member


def _box(outlook: Outlook, name: str = "ana") -> Any:
    return outlook.mailbox(name)


def test_connecting_subscribes_to_the_inbox_and_the_sent_items(watched: Connection, outlook: Outlook) -> None:
    subscriptions = list(outlook.world.subscriptions.values())
    assert sorted(one.resource.lower().split("'")[1] for one in subscriptions) == ["inbox", "sentitems"]
    assert all(one.immutable and len(one.client_state or "") >= 40 for one in subscriptions)
    assert all(one.lifecycle_url for one in subscriptions)
    for row in subscribed(watched):
        secret = outlook.world.subscriptions[row.graph_id or ""].client_state or ""
        assert bytes(row.secret_digest) == watches.digest(secret=secret)


def test_looking_after_it_again_changes_nothing(watched: Connection, outlook: Outlook) -> None:
    before = set(outlook.world.subscriptions)
    run(watch(ref=ref_of(watched)))
    assert set(outlook.world.subscriptions) == before


def test_every_kind_of_change_arrives_by_notice_alone(watched: Connection, outlook: Outlook) -> None:
    box = _box(outlook)
    items = [outlook.deliver(at=soon()) for _ in range(5)]
    told(watched, 5)
    work(watched)
    assert len(store(watched)) == 5
    box.mark_read(items[0])
    box.flag(items[1])
    box.categorise(items[2], ["Red category"])
    box.move(items[3], "archive")
    box.move(items[4], "deleteditems")
    told(watched, 5)
    deltas = hands.asked(outlook, "/delta")
    work(watched)
    assert differences(outlook, watched, "ana") == []
    assert hands.asked(outlook, "/delta") == deltas
    assert sum(one.removed for one in hands.runs(watched) if one.kind == "notice") == 1, "the log counts what left"


def test_what_a_notice_leads_to_in_vain_delta_decides_about_at_once(watched: Connection, outlook: Outlook) -> None:
    item = outlook.deliver(at=soon())
    told(watched)
    work(watched)
    _box(outlook).purge(item)
    told(watched)
    work(watched)
    assert store(watched) == {}
    assert differences(outlook, watched, "ana") == []


def test_a_letter_that_delta_brought_stays_although_a_notice_finds_nothing_by_its_id(
    watched: Connection, reachable: Outlook
) -> None:
    reachable.world.switches.unreadable_seconds = 600
    reachable.world.courier.faults.drop = 1.0
    item = reachable.deliver(at=soon())
    sync(watched)
    assert len(store(watched)) == 1
    reachable.world.courier.faults.drop = 0.0
    _box(reachable).mark_read(item)
    told(watched)
    work(watched)
    assert differences(reachable, watched, "ana") == []


def test_two_workspaces_with_the_same_mailbox_share_its_subscriptions(
    watched: Connection, cleo: Member, reachable: Outlook
) -> None:
    other = reachable.connect(cleo)
    work(other)
    assert len(reachable.world.subscriptions) == 2
    reachable.deliver(at=soon())
    told(watched)
    told(other)
    work(watched)
    work(other)
    assert differences(reachable, watched, "ana") == []
    assert differences(reachable, other, "ana") == []
    assert len(store(other)) == 1


def test_a_letter_that_is_not_readable_yet_is_asked_for_again(
    watched: Connection, reachable: Outlook, time: Time
) -> None:
    reachable.world.switches.unreadable_seconds = 600
    reachable.deliver(at=soon())
    told(watched)
    work(watched)
    assert store(watched) == {}
    assert hands.notices(watched), "it waits"
    reachable.world.courier.unreadable.clear()
    time.passes(seconds=3)
    work(watched)
    assert len(store(watched)) == 1
    assert hands.notices(watched) == []


def test_a_letter_that_never_becomes_readable_is_left_to_delta(
    watched: Connection, reachable: Outlook, time: Time
) -> None:
    reachable.world.switches.unreadable_seconds = 600
    reachable.deliver(at=soon())
    told(watched)
    for _ in range(6):
        work(watched)
        time.passes(seconds=61)
    work(watched)
    assert hands.notices(watched) == []
    reachable.world.courier.unreadable.clear()
    sync(watched)
    assert differences(reachable, watched, "ana") == []


def test_what_a_lost_notice_told_comes_with_the_next_delta(watched: Connection, reachable: Outlook) -> None:
    reachable.world.courier.faults.drop = 1.0
    reachable.deliver(at=soon())
    sync(watched)
    assert differences(reachable, watched, "ana") == []


def test_notices_told_twice_and_in_any_order_end_equal(watched: Connection, reachable: Outlook) -> None:
    faults, box = reachable.world.courier.faults, _box(reachable)
    faults.duplicate, faults.reorder, faults.echo = 1.0, True, True
    items = [reachable.deliver(at=soon()) for _ in range(5)]
    for item in items:
        box.mark_read(item)
    box.move(items[0], "archive")
    box.move(items[0], "inbox")
    told(watched, 8)
    wait_for(lambda: sum(reachable.world.courier.waiting().values()) == 0)
    work(watched)
    assert differences(reachable, watched, "ana") == []
    assert hands.notices(watched) == []


def _lifecycle(connection: Connection, outlook: Outlook, event: str) -> str:
    [inbox] = [one for one in outlook.world.subscriptions.values() if "inbox" in one.resource.lower()]
    loop = outlook.handle.loop
    assert loop is not None
    loop.call_soon_threadsafe(outlook.world.courier.lifecycle, inbox, event)
    told(connection)
    return inbox.id


def test_a_removed_subscription_is_made_anew_and_what_was_missed_is_fetched(
    watched: Connection, reachable: Outlook
) -> None:
    old = _lifecycle(watched, reachable, "subscriptionRemoved")
    reachable.deliver(at=soon())
    work(watched)
    assert alive(watched) == 2
    assert old not in reachable.world.subscriptions
    assert len(reachable.world.subscriptions) == 2
    assert differences(reachable, watched, "ana") == []
    assert len(store(watched)) == 1


def test_missed_notices_are_made_good_by_a_delta_sync(watched: Connection, reachable: Outlook) -> None:
    reachable.world.courier.faults.drop_next = 1
    reachable.deliver(at=soon())
    _lifecycle(watched, reachable, "missed")
    work(watched)
    assert len(store(watched)) == 1
    assert differences(reachable, watched, "ana") == []


def test_a_subscription_that_must_be_reauthorised_is_renewed_with_the_present_token(
    watched: Connection, reachable: Outlook
) -> None:
    old = _lifecycle(watched, reachable, "reauthorizationRequired")
    patches = hands.asked(reachable, f"/subscriptions/{old}", method="PATCH")
    work(watched)
    assert hands.asked(reachable, f"/subscriptions/{old}", method="PATCH") == patches + 1
    assert all(row.reauthorize_at is None for row in subscribed(watched))
    work(watched)
    assert hands.asked(reachable, f"/subscriptions/{old}", method="PATCH") == patches + 1


def test_subscriptions_are_renewed_in_time_and_never_run_out(
    watched: Connection, outlook: Outlook, time: Time
) -> None:
    before = {row.graph_id: row.expires_at for row in subscribed(watched)}
    for _ in range(5):
        time.passes(hours=20)
        work(watched)
        assert alive(watched) == 2
    after = {row.graph_id: row.expires_at for row in subscribed(watched)}
    assert after.keys() == before.keys(), "renewed, not made anew"
    assert all(until > before[one] + timedelta(hours=24) for one, until in after.items() if until)


def test_after_a_long_sleep_they_are_made_anew_and_nothing_is_missing(
    watched: Connection, reachable: Outlook, time: Time
) -> None:
    time.passes(days=5)
    reachable.deliver(at=soon())
    work(watched)
    assert alive(watched) == 2
    assert differences(reachable, watched, "ana") == []
    assert len(store(watched)) == 1


def test_a_twin_whose_secret_nobody_knows_is_ended_and_made_anew(watched: Connection, reachable: Outlook) -> None:
    before = set(reachable.world.subscriptions)
    Subscription.objects.filter(mailbox_id=watched.mailbox_id).update(graph_id=None, expires_at=None)
    run(watch(ref=ref_of(watched)))
    assert alive(watched) == 2
    assert {row.graph_id for row in subscribed(watched)} == set(reachable.world.subscriptions)
    assert not before & set(reachable.world.subscriptions)
    reachable.deliver(at=soon())
    told(watched)


def test_two_that_subscribe_the_same_mailbox_at_once_leave_one_that_works(
    ana: Member, cleo: Member, reachable: Outlook
) -> None:
    import asyncio

    mine, other = reachable.connect(ana), reachable.connect(cleo)

    async def both() -> None:
        await asyncio.gather(watch(ref=ref_mine), watch(ref=ref_other))

    ref_mine, ref_other = ref_of(mine), ref_of(other)
    run(both())
    run(watch(ref=ref_mine))
    Subscription.objects.filter(mailbox_id=mine.mailbox_id).update(problem_at=None)
    run(watch(ref=ref_mine))
    assert {row.graph_id for row in subscribed(mine)} == set(reachable.world.subscriptions)
    for row in subscribed(mine):
        secret = reachable.world.subscriptions[row.graph_id or ""].client_state or ""
        assert bytes(row.secret_digest) == watches.digest(secret=secret)


def test_notices_of_one_mailbox_make_one_job(watched: Connection, reachable: Outlook) -> None:
    for _ in range(5):
        reachable.deliver(at=soon())
    told(watched, 5)
    schedule.hand_out_notices(now=clock.now())
    schedule.hand_out_notices(now=clock.now())
    assert hands.todo(watched).count("mail.pull") == 1


def test_what_a_notice_tells_before_the_answer_that_makes_its_subscription_is_not_missed(
    ana: Member, reachable: Outlook
) -> None:
    connection = reachable.connect(ana)
    work(connection)
    before = reachable.world.courier.delivered
    reachable.world.courier.faults.hasty = True
    _lifecycle(connection, reachable, "subscriptionRemoved")
    reachable.deliver(at=soon())
    work(connection)
    assert reachable.world.courier.delivered > before + 1
    assert alive(connection) == 2
    assert len(store(connection)) == 1
    assert differences(reachable, connection, "ana") == []
