"""Every statement prepares against the real schema, and its columns are its row's fields in name, order and type."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields
from typing import Any

import gridsvc
from gridsvc.db import STATEMENTS, Conn, Nothing, Statement

# PostgreSQL's type -> what asyncpg gives for it, as a row's annotation must say.
GIVEN = {
    "int2": "int", "int4": "int", "int8": "int", "float4": "float", "float8": "float", "text": "str", "bool": "bool",
    "uuid": "UUID", "timestamptz": "datetime", "date": "date", "time": "time", "interval": "timedelta",
    "bytea": "bytes", "geometry": "shapely", "text[]": "[str", "int4[]": "[int", "uuid[]": "[UUID",
}  # fmt: skip


def _all_statements() -> list[Statement[Any]]:
    for module in pkgutil.walk_packages(gridsvc.__path__, "gridsvc."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return STATEMENTS


async def test_every_statement_fits_the_schema(conn: Conn) -> None:
    wrong = []
    for statement in _all_statements():
        prepared = await conn.prepare(statement.sql)
        columns = [given.name for given in prepared.get_attributes() if given.type.name != "void"]
        if columns != statement.columns():
            wrong.append(f"{statement.row.__qualname__}: the statement gives {columns}, the row wants otherwise")
    assert wrong == []


async def test_every_column_has_the_type_that_its_row_says(conn: Conn) -> None:
    wrong = []
    for statement in _all_statements():
        if statement.row is Nothing:
            continue
        said = {field.name: str(field.type) for field in fields(statement.row)}
        for attribute in (await conn.prepare(statement.sql)).get_attributes():
            given = GIVEN.get(attribute.type.name)
            if given is not None and given not in said[attribute.name]:
                wrong.append(f"{statement.row.__qualname__}.{attribute.name}: {said[attribute.name]}, given {given}")
    assert wrong == []


def test_the_walk_found_the_statements() -> None:
    """A test of nothing passes too: there are more than a hundred, in the store, in db and in the starter."""
    assert len(_all_statements()) > 100
