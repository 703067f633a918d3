"""Import departments, teams and people from files: all of it, the good rows, or only a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.domain.roster import Fault, Roster, read_roster
from gridsvc.errors import Defect, ImportRefused
from gridsvc.ids import new_id
from gridsvc.store import outbox, people, teams
from gridsvc.store.people import Keeping, KnownUser


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Files that were read against the database: what they hold, and who of it is kept already."""

    roster: Roster
    users: Mapping[str, KnownUser]

    @property
    def need_hash(self) -> list[str]:
        """Users whose initial password will be set: they have none, and the file gives one."""
        return [
            person.username
            for person in self.roster.people
            if person.password is not None
            and not (person.username in self.users and self.users[person.username].has_password)
        ]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did. `changes` counts rows written; zero: everything was so before."""

    departments: int
    teams: int
    people: int
    changes: int


async def plan_import(conn: Conn, files: Sequence[tuple[str, bytes]], *, partial: bool, now: datetime) -> Plan:
    """Read and check `files` (name, content); nothing is written.

    Raises ImportRefused with every fault when a row is at fault, unless `partial`.
    """
    roster = read_roster(files, await people.known(conn, now))
    if roster.refused and not partial:
        count = len(roster.refused)
        raise ImportRefused(
            f"nothing was imported: {count} fault{'s' if count > 1 else ''}; "
            "mend the rows, or leave them out with --partial",
            [_defect(fault) for fault in roster.faults],
        )
    users = await people.known_users(conn, [person.username for person in roster.people])
    return Plan(roster=roster, users=users)


def _defect(fault: Fault) -> Defect:
    return Defect("bad_row", str(fault), row=fault.row, field=fault.field, refuses=fault.refuses)


async def import_people(conn: Conn, plan: Plan, hashes: Mapping[str, str], now: datetime) -> Imported:
    """Write what `plan` holds. `hashes` are those of the initial passwords, by user name.

    A person in the files has afterwards exactly the roles, beats, shifts, skills and teams of the files; people,
    departments and passwords beyond them stay as they are. Twice changes nothing. An officer who is
    none any more goes off duty, announced.
    """
    departments = await people.keep_departments(conn, plan.roster.departments)
    kept_teams = await teams.keep_teams(conn, plan.roster.teams)
    users = await people.known_users(conn, [person.username for person in plan.roster.people])
    keeping = [
        Keeping(
            id=users[person.username].id if person.username in users else new_id(),
            person=person,
            password_hash=hashes.get(person.username),
        )
        for person in plan.roster.people
    ]
    kept = await people.keep_people(conn, keeping, now)
    news = [OfficerDutyChanged(event_id=new_id(), at=now, officer_id=o, on_duty=False) for o in kept.off_duty]
    await outbox.append(conn, news, now)
    return Imported(
        departments=len(plan.roster.departments),
        teams=len(plan.roster.teams),
        people=len(keeping),
        changes=departments + kept_teams + kept.changes,
    )
