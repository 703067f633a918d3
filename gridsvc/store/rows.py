"""Rows on their way into a set-based INSERT: one JSON text, unfolded by json_to_recordset.

One parameter for any number of rows; PostgreSQL turns JSON arrays into text[] by the column
definitions that stand in the statement. Places travel as two numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

_ENCODER = msgspec.json.Encoder()


def rows_text(rows: Iterable[Mapping[str, object]]) -> str:
    """The JSON text of `rows`; times, ids and enums as text."""
    return _ENCODER.encode(list(rows)).decode()


def bytea_text(value: bytes) -> str:
    """Bytes as PostgreSQL reads them from text."""
    return "\\x" + value.hex()
