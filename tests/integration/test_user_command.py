"""`gridsvc user`: accounts and keys from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

import asyncpg
import pytest

from gridsvc import passwords
from gridsvc.api.tokens import ApiKey
from gridsvc.commands import user
from gridsvc.db import ConnPool
from gridsvc.errors import GridError, Refused, Unknown
from tests.integration.api.conftest import make_city, settings_for


@pytest.fixture
async def city(owner_database: str) -> None:
    await make_city(owner_database)


async def command(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    user.add(parser.add_subparsers())
    return await user.run(parser.parse_args(["user", *words]), settings_for(database))


async def test_a_person_is_added_with_a_role_and_given_another(
    database: str, pool: ConnPool, city: None, tmp_path: Path
) -> None:
    secret = tmp_path / "p"
    secret.write_text("a long enough one\n")
    base = ["add", "Wang", "--name", "王丽", "--password-file", str(secret)]
    assert await command(database, *base, "--role", "dispatcher", "--division", "620102") == 0
    assert await command(database, *base, "--role", "officer", "--division", "620103", "--duty-line", "sanitation") == 0
    row = await pool.fetchrow("SELECT username, display_name, password_hash FROM users")
    assert row is not None
    assert (row["username"], row["display_name"]) == ("wang", "王丽")
    assert passwords.check_password(row["password_hash"], "a long enough one")
    grants = await pool.fetch("SELECT role, division_code FROM grants ORDER BY role")
    assert [tuple(grant) for grant in grants] == [("dispatcher", "620102"), ("officer", "620103")]
    assert await pool.fetchval("SELECT duty_line FROM officers") == "sanitation"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--role officer --division 620102", "--duty-line"),
        ("--role handler --division 620102", "--department"),
        ("--role admin --division 999999", "no division 999999"),
        ("--role handler --division 620102 --department nobody", "no such department"),
    ],
)
async def test_a_role_that_cannot_be_is_refused_and_nothing_is_kept(
    database: str, pool: ConnPool, city: None, words: str, says: str
) -> None:
    with pytest.raises(GridError, match=says):
        await command(database, "add", "wang", "--no-password", *words.split())
    assert await pool.fetchval("SELECT count(*) FROM users") == 0


async def test_a_password_that_is_too_short_is_refused(database: str, city: None, tmp_path: Path) -> None:
    secret = tmp_path / "p"
    secret.write_text("short\n")
    with pytest.raises(Refused, match="want 8 to 256"):
        await command(database, "add", "wang", "--role", "admin", "--division", "6201", "--password-file", str(secret))


async def test_a_key_is_printed_once_and_only_its_hash_is_kept(
    database: str, pool: ConnPool, city: None, capsys: pytest.CaptureFixture[str]
) -> None:
    await command(database, "token", "hotline", "--scope", "reports:write", "--division", "620102", "--days", "30")
    key = ApiKey.read(capsys.readouterr().out.strip())
    assert key is not None
    row = await pool.fetchrow("SELECT * FROM api_keys")
    assert row is not None
    assert (row["id"], row["secret_hash"], row["scopes"]) == (key.id, key.digest, ["reports:write"])
    assert (row["expires_at"] - row["created_at"]).days == 30
    await command(database, "token", "--revoke", str(key.id))
    assert await pool.fetchval("SELECT revoked_at IS NOT NULL FROM api_keys")
    with pytest.raises(Unknown):
        await command(database, "token", "--revoke", str(key.id))


@pytest.mark.parametrize(
    "words", ["hotline --division 620102", "hotline --scope reports:write", "hotline --scope all --division 620102"]
)
async def test_a_key_without_area_or_scope_or_with_an_unknown_one_is_refused(
    database: str, city: None, words: str
) -> None:
    with pytest.raises(Refused):
        await command(database, "token", *words.split())


async def test_who_is_deactivated_has_no_session_left_and_stays_in_the_list(
    database: str, pool: ConnPool, city: None, capsys: pytest.CaptureFixture[str]
) -> None:
    await command(database, "add", "wang", "--no-password", "--role", "admin", "--division", "6201")
    await pool.execute(
        "INSERT INTO sessions SELECT gen_random_uuid(), id, 'app', '', '\\x00', NULL, now(), now(), now() FROM users"
    )
    await command(database, "deactivate", "wang")
    assert "sessions ended: 1" in capsys.readouterr().out
    await command(database, "list")
    assert capsys.readouterr().out == "wang\twang\tout\tadmin@6201\n"
    with pytest.raises(Unknown):
        await command(database, "deactivate", "wang")


async def test_without_a_database_it_says_which_setting_is_missing(database: str) -> None:
    parser = argparse.ArgumentParser()
    user.add(parser.add_subparsers())
    with pytest.raises(GridError, match="GRIDSVC_DATABASE_URL"):
        await user.run(parser.parse_args(["user", "list"]), settings_for(""))


async def test_the_schema_itself_refuses_a_handler_without_a_department(pool: ConnPool, city: None) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("INSERT INTO grants SELECT gen_random_uuid(), 'handler', '6201'")


async def test_what_a_program_signs_with_is_shown_once_rotated_required_and_revoked(
    database: str, pool: ConnPool, city: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async def told(*words: str) -> list[str]:
        assert await command(database, *words) == 0
        return capsys.readouterr().out.split()

    [text] = await told("token", "analyser", "--scope", "camera-events:write", "--division", "620102")
    key = ApiKey.read(text)
    assert key is not None
    with pytest.raises(Refused, match="no secret to sign with"):
        await command(database, "secret", "require", str(key.id))
    first, secret = await told("secret", "give", str(key.id))
    assert secret.startswith("whsec_")
    await told("secret", "require", str(key.id))
    assert await pool.fetchval("SELECT signed_only FROM api_keys")
    _, newer, *_ = await told("secret", "rotate", str(key.id), "--grace-hours", "1")
    assert newer not in ("", secret)
    with pytest.raises(Refused, match="revoke the older one"):
        await command(database, "secret", "give", str(key.id))
    listed = await told("secret", "list")
    assert (listed.count("required"), listed.count("analyser")) == (2, 2)
    assert not {secret, newer} & set(listed), "what was shown once is never shown again"
    await told("secret", "revoke", first)
    assert "revoked" in await told("secret", "list")
    await told("secret", "release", str(key.id))
    for wrong in (("revoke", first), ("give", first), ("release", first)):
        with pytest.raises(Unknown):
            await command(database, "secret", *wrong)
    for unclear in (("give",), ("list", first)):
        with pytest.raises(Refused, match="wants"):
            await command(database, "secret", *unclear)
