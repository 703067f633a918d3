"""Logs as lines of JSON: a fixed action, ids, and never a person's words.

Every record names its `action` from ACTIONS; the text may change, the action may not.
Names, phones, addresses, descriptions and tokens never enter a log.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, TextIO

ACTIONS: Final[dict[str, str]] = {
    "process_started": "a process is up and works",
    "process_stopping": "a process was told to stop, or a part of it failed",
    "request_failed": "an HTTP request ended in an answer of 500; the traceback is with it",
    "database_lost": "the database went away; the part tries again",
    "broker_connected": "publishing or consuming works again",
    "broker_lost": "the broker went away; the part tries again",
    "letters_sent": "a batch of outbox rows was confirmed by the broker",
    "letter_refused": "the broker would not take a letter; it is tried again by row",
    "message_failed": "an action on a message failed; it is tried again by row",
    "message_dead": "an action failed for the last time; the row waits for a person",
    "dead_letter_kept": "a message that the broker gave up on became a row that is tried again",
    "nobody_to_tell": "news concerns a case for which nobody holds any role",
    "outbox_late": "the oldest outbox row has waited too long",
    "consumers_missing": "the broker answers, and gives no consumers or has other queues; the process ends",
    "message_unreadable": "a message that is none of ours; kept as dead",
    "notices_sent": "notices went on to a channel beside the app; how many of the tries failed",
    "channel_sealed": "what is sealed of a channel opens with no secret in force: nothing can be sent by it",
    "rungs_fired": "a sweep fired rungs of ladders",
    "notices_released": "digests were told whose people's quiet hours were over",
    "calls_widened": "calls to emergencies that nobody accepted in time went further",
    "round_failed": "a periodic round failed; the next one tries again",
    "map_prepared": "the shapes of a grid set were made for the map, because they were missing",
    "case_re_emitted": "the reconciler sent a waiting case to routing again",
    "check_re_emitted": "the reconciler said again that somebody should look at a case",
    "clock_jumped": "the database's clock jumped; no rung fires until it is looked at",
    "work_handed_over": "the sweeper handed over what was open with officers who left",
    "suspensions_ended": "the sweeper resumed cases whose suspension was over",
    "outages_followed": "clocks of some pages of cases were computed anew, because of an outage",
    "clocks_recomputed": "open clocks were computed anew by a new edition of their calendar",
    "cases_regridded": "open cases followed the grid set in force into their new cells",
    "calendar_missing": "open deadlines reach into a year whose calendar nobody has published",
    "cameras_changed": "cameras fell silent for longer than they may, or are there again",
    "cameras_placed": "it was found anew which cells cameras see",
    "head_signed": "the day's history was folded and signed",
    "notices_pushed": "notices went out over an open socket",
    "socket_failed": "a socket was closed by a fault of ours; its client comes again",
    "live_begun": "a web process began to follow the live feed, or its numbers began anew",
    "live_resync": "a watcher of the live feed was too slow and was told to load the snapshot anew",
    "sign_in_throttled": "too many failed sign-ins for one name or address",
    "session_reuse": "a used refresh token, or a cookie that was replaced, came again; its session is ended",
    "csp_report": "a browser kept a page from what its policy forbids, for the first time in this process",
    "reporter_opened": "a person opened a reporter's data and said why",
    "patrols_judged": "patrols told what is open before their end, or were judged after it",
    "visits_opened": "visits that are due became cases",
    "visit_refused": "no case could be opened for a visit plan; it rests until it is imported anew",
    "visit_opened": "a person opened the form of a visit and said why",
    "picture_refused": "an uploaded file could not be read as a picture",
    "original_opened": "a person opened what was sent before it was drawn anew, and said why",
    "photograph_used_twice": "a photograph of a case was used before, of another case or for another purpose",
    "uploads_ended": "uploads of which nothing more came were forgotten",
    "attachments_removed": "attachments and originals were removed after their time",
    "camera_incidents_decided": "incidents that cameras saw opened cases, joined some, or came to nothing",
    "camera_storms": "cameras send far beyond their rate; each gets one case about itself",
    "trail_days": "partitions of officers' ways and stays were made ahead, or dropped after their time",
    "certificate_taken_up": "the web process uses a new certificate for the local network",
    "certificate_refused": "a new certificate for the local network cannot be used; the one before stays",
    "camera_days": "partitions of camera events were made ahead, or dropped after their time",
    "camera_quarantined": "a message of a camera could not be read; it is kept until somebody replays it",
    "device_registered": "a device or platform of GA/T 1400 proved its secret and is known",
    "device_unregistered": "a device or platform of GA/T 1400 took its leave",
    "device_refused": "a device or platform of GA/T 1400 could not prove that it is one; `code` says why",
    "camera_muted": "a camera was wrong too often with one kind; nothing comes of that until somebody lifts it",
    "mqtt_failed": "a message of a site could not be taken in; it is in quarantine",
    "mqtt_stranger": "messages came over MQTT below the name of no site that stands; they are counted, not kept",
    "sip_listening": "devices of GB/T 28181 can register",
    "sip_failed": "taking in a message by SIP failed; it was not answered, and its device says it again",
    "sip_sealed": "the password of a device opens with no secret in force; it cannot register",
    "sip_stranger": "devices that nobody knows spoke by SIP; they were refused and counted",
    "camera_looked": "somebody looks through a camera; the look says who and why",
    "camera_pictures_settled": "pictures of cameras became evidence, or were refused",
    "camera_pictures_removed": "pictures of cameras were removed after their time",
    "old_rows_removed": "rows past their keeping time were removed",
}

# What LogRecord has by itself; anything else was given by `extra` and is written out.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object per record: at, level, logger, action, text, then the ids given by `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "action": getattr(record, "action", None),
            "text": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _OWN and k != "action"})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = "".join(_where(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)


def _where(error: BaseException) -> Iterator[str]:
    """The classes of an error and its causes, what the schema calls each fault, and where each arose.

    Not their texts: PostgreSQL's holds the rejected row, and with it a resident's words.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _where(cause)
        yield "and from it\n"
    schema = [getattr(error, name, None) for name in ("sqlstate", "table_name", "column_name", "constraint_name")]
    yield " ".join([f"{type(error).__module__}.{type(error).__qualname__}", *(str(word) for word in schema if word)])
    yield "\n"
    yield from traceback.format_tb(error.__traceback__)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _where(each)


def start_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every record of this process to `stream` (standard error) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("aiohttp.access").setLevel("WARNING")
    # asyncpg's pool logs a traceback for each connection it fails to refill while the server is away.
    logging.getLogger("asyncpg.pool").setLevel("CRITICAL")
