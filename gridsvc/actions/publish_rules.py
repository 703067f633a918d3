"""Routing rules come into force: drafted and checked, published, and gone back from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.routing_check import check_rules
from gridsvc.domain.routing_rules import ReadRules, RoutingEdition, RuleFault
from gridsvc.errors import Defect, ImportRefused, RulesRefused, Unknown
from gridsvc.store import routing_rules
from gridsvc.store.routing_rules import EditionRow
from gridsvc.store.rulebook import rulebook


@dataclass(frozen=True)
class Drafted:
    """The number of a new draft, and what somebody should look at before it is published."""

    number: int
    warnings: list[RuleFault]


async def draft_rules(conn: Conn, read: ReadRules, by: str, now: datetime, *, file: str = "") -> Drafted:
    """Keep what was read as a draft, if this city can route by it. In the caller's transaction, as the service.

    Raises ImportRefused with every fault; `file` is where the rules stand.
    """
    found = [*read.faults, *await faults_of(conn, read.edition, now)]
    faults = [each for each in found if each.refuses]
    if faults:
        raise refused(faults, file)
    await routing_rules.lock(conn)
    number = await routing_rules.add_draft(conn, read.edition, by, now)
    return Drafted(number, [each for each in found if not each.refuses])


async def faults_of(conn: Conn, edition: RoutingEdition, now: datetime) -> list[RuleFault]:
    """What is wrong with an edition in this city as it is now. As the service."""
    book = await rulebook(conn)
    known = await routing_rules.known(conn, now)
    return check_rules(edition, known, list(book.categories.values()), book.default_edition)


async def publish_rules(conn: Conn, number: int, by: str, now: datetime) -> int | None:
    """Put a draft in force; the number of the edition before it. In the caller's transaction, as the service.

    The draft is checked once more: teams and categories may have gone. Raises ImportRefused where it has faults,
    RulesRefused for what is no draft, Unknown for no edition.
    """
    await routing_rules.lock(conn)
    row = await edition_row(conn, number)
    if row.state != "draft":
        raise RulesRefused(
            f"edition {number} is {row.state} and never changes; want a draft: gridsvc rules import",
            given=row.state, wanted="draft", reason="not_a_draft", name=number,
        )  # fmt: skip
    faults = [each for each in await faults_of(conn, row.edition(), now) if each.refuses]
    if faults:
        raise refused(faults, f"edition {number}")
    return await routing_rules.put_in_force(conn, number, by, now)


async def roll_back_rules(conn: Conn, by: str, now: datetime) -> tuple[int, int]:
    """Put the edition in force that the present one replaced; the numbers of the present one and of that.

    Twice goes back further. Raises RulesRefused where the present one replaced none.
    """
    await routing_rules.lock(conn)
    present = await routing_rules.IN_FORCE.one(conn)
    assert present is not None  # noqa: S101 - one is always in force
    if present.replaces is None:
        raise RulesRefused(
            f"edition {present.number} replaced none; there is nothing to go back to",
            given=present.number, wanted="an edition that replaced another",
            reason="replaced_none", name=present.number,
        )  # fmt: skip
    await routing_rules.put_back(conn, present.replaces, by, now)
    return present.number, present.replaces


async def edition_row(conn: Conn, number: int) -> EditionRow:
    """The edition of that number. Raises Unknown."""
    row = await routing_rules.OF_NUMBER.one(conn, number)
    if row is None:
        raise Unknown(f"no edition {number} of the routing rules", given=number)
    return row


def refused(faults: list[RuleFault], file: str) -> ImportRefused:
    """The refusal that names every fault, with where the rules stand."""
    where = f"{file}: " if file else ""
    return ImportRefused(
        f"nothing was kept: {len(faults)} fault{'s' if len(faults) > 1 else ''} in the routing rules",
        [Defect("bad_rule", f"{where}{fault}", field=_field(fault)) for fault in faults],
    )


def _field(fault: RuleFault) -> str:
    return f"{fault.rule}.{fault.field}" if fault.rule else fault.field
