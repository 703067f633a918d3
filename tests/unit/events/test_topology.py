"""The table of queues holds what the versions we span agree on."""

from __future__ import annotations

import pytest

from events.catalog import CATALOG
from events.topology import DEAD_ARGUMENTS, QUEUES, URGENT, Queue, is_heard

PORTABLE = {
    "x-queue-type", "x-delivery-limit", "x-overflow", "x-dead-letter-exchange",
    "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-single-active-consumer",
}  # fmt: skip


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_a_queue_hears_only_what_is_announced(queue: Queue) -> None:
    assert set(queue.hears) <= set(CATALOG)


@pytest.mark.parametrize("arguments", [*(q.arguments for q in QUEUES), DEAD_ARGUMENTS])
def test_arguments_are_those_that_every_supported_broker_takes(arguments: dict[str, str | int]) -> None:
    assert set(arguments) <= PORTABLE
    assert arguments["x-queue-type"] == "quorum"
    assert int(arguments["x-delivery-limit"]) > 0, "-1 drops messages on 3.10; without one, 4.x takes 20"


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_a_dead_letter_is_never_lost_on_the_way(queue: Queue) -> None:
    assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
    assert queue.arguments["x-overflow"] == "reject-publish", "drop-head silently means at most once"
    assert queue.arguments["x-dead-letter-routing-key"] == f"{queue.name}.dead"


def test_news_of_an_emergency_overtakes_in_the_outbox_and_in_a_queue_of_its_own() -> None:
    assert {name for name, kind in CATALOG.items() if kind.URGENT} == set(URGENT.hears)
    others = {name for queue in QUEUES if queue is not URGENT for name in queue.hears}
    assert others.isdisjoint(URGENT.hears)


def test_of_devices_only_what_a_site_says_by_the_first_word_of_its_topic_is_heard() -> None:
    assert [queue.name for queue in QUEUES if queue.topics] == ["mqtt"]
    assert all(topic.startswith("*.") and topic.count(".") == 1 for queue in QUEUES for topic in queue.topics)


def test_every_queue_has_its_own_name_and_dead_queue() -> None:
    names = [name for queue in QUEUES for name in (queue.name, queue.dead)]

    assert len(names) == len(set(names))


def test_news_that_no_queue_hears_is_not_the_brokers_fault() -> None:
    assert is_heard("case.filed")
    assert not is_heard("case.noted")
