"""Where a phone may say it is reached, what it is told, and what becomes of a try at several phones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gridsvc.domain.pushing import LONGEST_WAIT, Answer, host_of, outcome_of, private_hosts, said_of, wait_until
from gridsvc.errors import BadSettings
from gridsvc.settings import PushSettings

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
PRIVATE = private_hosts("https://push.city.test:8443 http://10.0.0.7")


@pytest.mark.parametrize(
    ("endpoint", "may"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://web.push.apple.com/QOp", True),
        ("https://push.city.test:8443/x", True),
        ("http://10.0.0.7/x", True),
        ("http://fcm.googleapis.com/x", False),  # anybody on the way reads whom it is for
        ("https://fcm.googleapis.com:8443/x", False),  # nobody looks for open ports by us
        ("https://push.city.test/x", True),  # a public one, where its name says so: looked at when it is asked
        ("https://10.0.0.7/x", False),
        ("https://127.0.0.1/x", False),
        ("https://[::1]/x", False),
        ("https://[::ffff:10.0.0.7]/x", False),
        ("https://2130706433/x", False),  # 127.0.0.1 as one number
        ("https://0x7f000001/x", False),
        ("https://somebody@fcm.googleapis.com/x", False),
        ("https://fcm.googleapis.com\\@10.0.0.7/x", False),
        ("https://fcm.googleapis.com/x y", False),
        ("https://fcm.googleapis.com:x/", False),
        ("ftp://fcm.googleapis.com/x", False),
        ("x", False),
    ],
)
def test_a_push_service_is_public_and_https_or_named_by_the_city(endpoint: str, may: bool) -> None:
    assert (host_of(endpoint, PRIVATE) is not None) == may


def test_only_hosts_are_named() -> None:
    assert private_hosts("") == ()
    assert [each.origin for each in private_hosts("http://[::1]:8080 https://a/")] == ["http://[::1]:8080", "https://a:443"]
    for wrong in ("push.city.test", "https://a/b", "https://u@a", "ftp://a", "https://a:99999999", "https://a?b"):
        with pytest.raises(BadSettings, match="GRIDSVC_PUSH_HOSTS"):
            PushSettings(private=f"https://good.test {wrong}")
    with pytest.raises(BadSettings, match="GRIDSVC_PUSH_CONTACT"):
        PushSettings(contact="desk@city.example")


def test_a_push_service_hears_a_kind_and_an_id() -> None:
    assert said_of("case.assigned", UUID(int=7)) == (
        b'{"kind": "case.assigned", "id": "00000000-0000-0000-0000-000000000007"}'
    )


def test_one_phone_that_took_it_is_enough_and_who_may_take_it_later_is_asked_again() -> None:
    took, gone, busy = Answer(status=201), Answer(status=410), Answer(status=429, wait_until=NOW)
    assert outcome_of([gone, busy, took]).good
    later = outcome_of([gone, busy, Answer(said="TimeoutError")])
    assert (later.good, later.hopeless, later.said, later.not_before) == (False, False, "429", NOW)
    for hopeless in ([gone], [Answer(status=403)], [Answer(status=302)], [Answer(said="x", refused=True)], []):
        assert outcome_of(hopeless).hopeless, hopeless
    assert [each.gone for each in (took, gone, busy, Answer(status=404))] == [False, True, False, True]


@pytest.mark.parametrize(
    ("header", "until"),
    [
        (None, None),
        ("120", NOW + timedelta(seconds=120)),
        ("999999999999", NOW + LONGEST_WAIT),
        ("Fri, 27 Nov 2026 08:01:00 GMT", NOW + timedelta(minutes=1)),
        ("Fri, 27 Nov 2026 07:00:00 GMT", None),
        ("Sat, 28 Nov 2026 08:00:00 GMT", NOW + LONGEST_WAIT),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_honoured_for_an_hour_at_most(header: str | None, until: datetime | None) -> None:
    assert wait_until(header, NOW) == until
