"""The tables `reports` and `reporters`: what was said, and apart from it by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.category import Category
from gridsvc.domain.report import Report
from gridsvc.store.rows import rows_text

_ADD = Statement(
    Nothing,
    """
    INSERT INTO reports (
           id, acceptance_number, case_id, source, reported_by, edition, category, description, address,
           place, claimed_lon, claimed_lat, claimed_datum, accuracy_m, occurred_at, received_at, component,
           component_distance_m, attributes)
    SELECT id, acceptance_number, case_id, source, reported_by, edition, category, description, address,
           ST_SetSRID(ST_MakePoint(lon, lat), 4326), claimed_lon, claimed_lat, claimed_datum, accuracy_m,
           occurred_at, received_at, component, component_distance_m, attributes
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, acceptance_number text, case_id uuid, source text, reported_by text, edition text,
           category text, description text, address text, lon float8, lat float8, claimed_lon double precision,
           claimed_lat double precision, claimed_datum text, accuracy_m double precision,
           occurred_at timestamptz, received_at timestamptz, component text, component_distance_m float8,
           attributes jsonb)
    """,
)

_ADD_REPORTERS = Statement(
    Nothing,
    """
    INSERT INTO reporters (report_id, name, phone)
    SELECT report_id, name, phone
      FROM json_to_recordset($1::text::json) AS r (report_id uuid, name text, phone text)
    """,
)


@dataclass(frozen=True)
class NumberedReport:
    """A report with its category and acceptance number, and how far it lies from the component it names."""

    report: Report
    category: Category
    acceptance_number: str
    attributes: Mapping[str, str]  # in one form
    component_distance_m: float | None = None


async def add(conn: Conn, numbered: Sequence[NumberedReport], now: datetime) -> None:
    """Keep new reports; reporters' data go to a table of their own."""
    await _ADD.run(conn, rows_text([_fields(each, now) for each in numbered]))
    reporters = [
        {"report_id": each.report.id, "name": each.report.reporter.name, "phone": each.report.reporter.phone}
        for each in numbered
        if each.report.reporter is not None
    ]
    if reporters:
        await _ADD_REPORTERS.run(conn, rows_text(reporters))


def _fields(each: NumberedReport, now: datetime) -> dict[str, object]:
    report = each.report
    return {
        "id": report.id,
        "acceptance_number": each.acceptance_number,
        "case_id": report.case_id,
        "source": report.source,
        "reported_by": report.reported_by,
        "edition": each.category.edition,
        "category": each.category.code,
        "description": report.description,
        "address": report.address,
        "lon": report.place.lon if report.place else None,
        "lat": report.place.lat if report.place else None,
        "claimed_lon": report.claim.lon if report.claim else None,
        "claimed_lat": report.claim.lat if report.claim else None,
        "claimed_datum": report.claim.datum if report.claim else None,
        "accuracy_m": report.place.accuracy_m if report.place else None,
        "occurred_at": report.occurred_at or now,
        "received_at": now,
        "component": report.component,
        "component_distance_m": each.component_distance_m,
        "attributes": each.attributes,
    }


@dataclass(frozen=True)
class ReportRow:
    """One report of a case, as staff see it; the reporter masked (gridsvc/store/reporters.py opens)."""

    id: UUID
    case: UUID
    acceptance_number: str
    source: str
    description: str
    address: str
    occurred_at: datetime
    received_at: datetime
    has_reporter: bool
    attributes: dict[str, str]


OF_CASE = Statement(
    ReportRow,
    """
    WITH RECURSIVE family (id) AS (   -- the case and all that was merged into it
      SELECT $1::uuid
       UNION ALL
      SELECT c.id FROM cases c JOIN family f ON c.merged_into = f.id
    )
    SELECT r.id, r.case_id AS case, r.acceptance_number, r.source, r.description, r.address, r.occurred_at,
           r.received_at, EXISTS (SELECT FROM reporters p WHERE p.report_id = r.id) AS has_reporter,
           r.attributes
      FROM family f
      JOIN reports r ON r.case_id = f.id
     ORDER BY r.received_at, r.id
    """,
)
