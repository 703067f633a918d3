"""Announcements for tests that care how news travels and not what it says."""

from __future__ import annotations

from datetime import UTC, datetime

from events.broker import Letter
from events.catalog import Announcement, CaseFiled, CaseNoted, CaseReported
from events.codec import encode
from gridsvc.ids import new_id

_COMMON = {
    "version": 2,
    "state": "filed",
    "duty_line": "city_management",
    "severity": "normal",
    "divisions": ("62", "6201", "620102"),
    "actor": "worker:test",
}


def filed() -> CaseFiled:
    """News that the queue "routing" hears."""
    at = datetime.now(UTC)
    return CaseFiled(event_id=new_id(), at=at, case_id=new_id(), cycle=1, **_COMMON)  # type: ignore[arg-type]


def reported() -> CaseReported:
    """News that the queue "notices" hears."""
    at = datetime.now(UTC)
    return CaseReported(event_id=new_id(), at=at, case_id=new_id(), pool="filing", **_COMMON)  # type: ignore[arg-type]


def noted() -> CaseNoted:
    """News that no queue of ours hears."""
    return CaseNoted(event_id=new_id(), at=datetime.now(UTC), case_id=new_id(), **_COMMON)  # type: ignore[arg-type]


def letter_of(news: Announcement) -> Letter:
    """The letter that the relay would send of it."""
    return Letter(news.event_id, news.TYPE, encode(news))
