"""Exchanges, queues, bindings and dead letters: one table that `events/broker.py` declares.

Every argument is accepted by RabbitMQ 3.10 and means the same in 4.x. Left out on purpose:
`x-max-priority` (3.10 refuses the queue), a delivery limit of -1 (3.10 drops the message on its
first return), limits set by policy alone (a node without the policy would run without them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEWS: Final = "gridsvc.events"
"""The topic exchange that every announcement is published to; the routing key is its TYPE."""

DEAD: Final = "gridsvc.dead"
"""The direct exchange of messages that the broker gave up on; the routing key is the dead queue's name."""

DEVICES: Final = "amq.topic"
"""The exchange to which the broker's MQTT plugin publishes; the routing key is the topic with dots for slashes."""

# How often the broker hands a message out before it gives up. Only crashes and lost connections count:
# we never return a message. Small numbers make ordinary restarts dangerous, because each returns the
# whole prefetch; our own count of attempts (gridsvc/store/failures.py) stops a poison message first.
DELIVERY_LIMIT: Final = 20

# A dead letter must not be lost for having been handed out often; -1 is not portable, so: very often.
DEAD_DELIVERY_LIMIT: Final = 1_000_000


@dataclass(frozen=True)
class Queue:
    """One queue of ours: which types of announcement it hears, and where its dead letters go.

    `topics` are what it hears of devices: patterns of routing keys on DEVICES.
    """

    name: str
    hears: tuple[str, ...]
    topics: tuple[str, ...] = ()

    @property
    def dead(self) -> str:
        """The queue that keeps what the broker gave up on."""
        return f"{self.name}.dead"

    @property
    def arguments(self) -> Mapping[str, str | int]:
        """Durable on a majority of nodes, bounded hand-outs, dead letters that are never dropped on the way.

        `at-least-once` dead-lettering needs `reject-publish`; with the default overflow 3.10 takes the
        declaration and silently falls back to at most once.
        """
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": self.dead,
            "x-dead-letter-strategy": "at-least-once",
        }


DEAD_ARGUMENTS: Final[Mapping[str, str | int]] = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DEAD_DELIVERY_LIMIT,
    "x-overflow": "reject-publish",
}

ROUTING: Final = Queue(
    "routing",
    (
        "case.filed", "case.waiting", "case.reopened", "case.unacknowledged", "officer.duty_changed",
        "case.corrected", "case.unlinked", "case.reported", "case.located", "case.unmerged", "case.handed_in",
        "case.self_handled", "case.check_wanted", "case.relieved",
    ),
)  # fmt: skip

NOTICES: Final = Queue(
    "notices",
    (
        "case.assigned", "case.pooled", "case.escalated", "case.returned",
        "case.reworked", "case.reminded", "case.supervised", "case.reported",
        "case.referred", "case.unmerged", "case.appealed", "case.appeal_settled",
        "case.check_sent", "case.checked", "case.order_replied", "case.check_unmanned",
        "case.desk_asked", "case.not_reached", "calendar.year_missing", "outage.declared",
        "case.co_assigned", "case.co_handed_in", "case.co_declined", "case.co_called_off",
        "case.linked", "case.cause_reopened",
        "case.to_call_back", "case.called_back", "case.undone", "case.merged", "case.regridded",
        "case.handed_over", "case.relieved", "officer.left",
        "camera.offline", "camera.online",
        "case.visited",
    ),
)  # fmt: skip

# Emergencies have a queue, and a worker, of their own: priorities are not portable (see above), and whoever
# must come at once does not stand behind a thousand ordinary letters.
URGENT: Final = Queue("urgent", ("case.alarm", "case.called", "case.answered", "case.call_ended"))

# What Frigate says on the topics of a site, the first word of each; pictures and states of switches are not heard.
MQTT: Final = Queue("mqtt", (), ("*.available", "*.events", "*.reviews", "*.tracked_object_update", "*.triggers"))

QUEUES: Final = (ROUTING, NOTICES, URGENT, MQTT)


def is_heard(announced: str) -> bool:
    """Whether a queue of ours hears this type, so that a broker which cannot route it is at fault.

    The other types are published all the same, for queues that come and go (a live feed, a partner);
    the broker drops them where nobody listens, and that is right.
    """
    return any(announced in queue.hears for queue in QUEUES)
