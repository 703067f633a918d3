"""A site is a user of the broker that may speak below its own name, and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import re

from events.broker_users import definitions, hashed

MARKET = definitions([("market", "hash"), ("market-2", "other")], "city")


def _rule(kind: str, name: str) -> dict[str, str]:
    return next(each for each in MARKET[kind] if each["user"] == name)


def test_a_password_is_kept_as_the_broker_keeps_it() -> None:
    kept = base64.b64decode(hashed("secret", b"salt"))
    assert kept == b"salt" + hashlib.sha256(b"saltsecret").digest()


def test_every_site_has_a_rule_for_topics_without_which_it_could_write_to_all() -> None:
    assert {each["name"] for each in MARKET["users"]} == {each["user"] for each in MARKET["topic_permissions"]}
    assert all(each["vhost"] == "city" for kind in ("permissions", "topic_permissions") for each in MARKET[kind])
    write = _rule("topic_permissions", "market")["write"]
    assert re.match(write, "market.events")
    assert not any(re.match(write, topic) for topic in ("market-2.events", "other.market.events", "marketplace.events"))


def test_a_site_keeps_queues_of_its_own_client_id_alone() -> None:
    own = _rule("permissions", "market")
    for name in ("mqtt-subscription-marketqos1", "mqtt-subscription-market.2qos0"):
        assert all(re.search(own[right], name) for right in ("configure", "write", "read"))
    for name in ("mqtt-subscription-market-2qos1", "mqtt-subscription-frigateqos1", "mqtt", "routing"):
        assert not any(re.search(own[right], name) for right in ("configure", "write", "read"))
    assert re.search(own["write"], "amq.topic")
    assert not re.search(own["configure"], "amq.topic")
    assert not any(re.search(own["write"], name) for name in ("gridsvc.events", "amq.default", "amqXtopic"))
