"""Who is let in, for how long, and who is put out."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from aiohttp import ClientSession

from gridsvc.actions.sign_in import Candidate, Throttled, knock
from gridsvc.api.identity import IDENTITY, SIGNER
from gridsvc.api.tokens import ApiKey
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Role
from gridsvc.ids import new_id
from gridsvc.store import users
from tests.conftest import CityClock
from tests.integration.api.conftest import NORTH, SOUTH, Api, Client, Said, a, running, settings_for, wait_for_locks

PASSWORD = "a long enough pass phrase"
SESSION = "/api/v1/auth/session"


async def sign_in(client: Client, username: str = "wang", password: str = PASSWORD, **headers: str) -> Said:
    return await client.post("/api/v1/auth/login", {"username": username, "password": password}, **headers)


def with_token(api: Api, token: str) -> Client:
    return replace(api.nobody, headers={"Authorization": f"Bearer {token}"})


async def test_name_and_password_give_tokens_and_say_who_one_is(api: Api) -> None:
    user_id = await api.user(a(Role.DISPATCHER), a(Role.OFFICER, SOUTH), username="wang", password=PASSWORD)
    said = await sign_in(api.nobody, " Wang ")
    assert said.status == 200, said.body
    assert said.body["expires_in"] == 600
    assert said.body["user"] == {
        "id": str(user_id), "username": "wang", "display_name": "Wang",
        "roles": [
            {"role": "dispatcher", "division": NORTH, "department": None, "duty_line": None},
            {"role": "officer", "division": SOUTH, "department": None, "duty_line": "sanitation"},
        ],
    }  # fmt: skip
    me = await with_token(api, said.body["access_token"]).get(SESSION)
    assert me.body["user"]["id"] == str(user_id)


async def test_a_wrong_password_and_an_unknown_name_sound_the_same(api: Api) -> None:
    await api.user(username="wang", password=PASSWORD)
    wrong, unknown = await sign_in(api.nobody, password="something else"), await sign_in(api.nobody, "nobody")
    assert (wrong.status, wrong.code) == (401, "wrong_password")
    assert wrong.body == unknown.body


async def test_a_user_without_a_password_or_deactivated_cannot_sign_in(api: Api) -> None:
    await api.user(username="li")
    await api.user(username="zhao", password=PASSWORD)
    async with transaction(api.pool, SERVICE) as (conn, _):
        await users.DEACTIVATE.run(conn, "zhao")
    assert (await sign_in(api.nobody, "li")).code == "wrong_password"
    assert (await sign_in(api.nobody, "zhao")).code == "wrong_password"


async def test_ten_failures_in_a_quarter_close_the_name_until_the_quarter_is_over(
    api: Api, city_clock: CityClock
) -> None:
    await api.user(username="wang", password=PASSWORD)
    await fail_to_sign_in(api, "wang", 10)
    shut = await sign_in(api.nobody)
    assert (shut.status, shut.code) == (429, "too_many_tries")
    assert 0 < int(shut.headers["Retry-After"]) <= 900
    await api.user(username="li", password=PASSWORD)
    assert (await sign_in(api.nobody, "li")).status == 200, "another name is not throttled with it"
    await city_clock.forward(timedelta(minutes=15, seconds=1))
    assert (await sign_in(api.nobody)).status == 200


async def test_tries_at_once_cannot_slip_past_the_throttle(api: Api) -> None:
    await api.user(username="wang", password=PASSWORD)
    said = await asyncio.gather(*(sign_in(api.nobody, password=f"guess {n}") for n in range(25)))
    assert Counter(answer.code for answer in said) == {"wrong_password": 10, "too_many_tries": 15}


async def test_a_try_waits_until_the_one_before_it_is_counted(pool: ConnPool, owner_database: str) -> None:
    """By steps: the second may not look before the first has committed."""
    async with asyncio.TaskGroup() as group, transaction(pool, SERVICE) as (conn, now):
        assert isinstance(await knock(conn, "wang", "192.0.2.1", 1, now), Candidate)
        second = group.create_task(_knock(pool))
        await wait_for_locks(owner_database, "%pg_advisory_xact_lock%", 1)
    assert isinstance(second.result(), Throttled)


async def _knock(pool: ConnPool) -> Throttled | Candidate:
    async with transaction(pool, SERVICE) as (conn, now):
        return await knock(conn, "wang", "192.0.2.2", 1, now)


async def test_one_address_that_tries_many_names_is_throttled(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute(
            "INSERT INTO login_failures SELECT 'from:127.0.0.1', $1::timestamptz FROM generate_series(1, 50)", now
        )
    await api.user(username="wang", password=PASSWORD)
    assert (await sign_in(api.nobody)).code == "too_many_tries"


async def test_an_address_is_believed_only_as_far_as_the_proxies_are_trusted(
    api: Api, database: str, http: ClientSession
) -> None:
    await api.user(username="wang", password=PASSWORD)
    await sign_in(api.nobody, password="wrong", X_Forwarded_For="192.0.2.1")
    async with running(settings_for(database, GRIDSVC_TRUSTED_PROXIES="1")) as (_, url):
        await sign_in(Client(http, url), password="wrong", X_Forwarded_For="192.0.2.66, 192.0.2.7")
    async with transaction(api.pool, SERVICE) as (conn, _):
        rows = await conn.fetch("SELECT subject FROM login_failures WHERE subject LIKE 'from:%' ORDER BY at")
    assert [row["subject"] for row in rows] == ["from:127.0.0.1", "from:192.0.2.7"]


async def test_a_success_forgets_the_failures_of_the_name(api: Api) -> None:
    await api.user(username="wang", password=PASSWORD)
    await fail_to_sign_in(api, "wang", 9)
    assert (await sign_in(api.nobody)).status == 200
    await fail_to_sign_in(api, "wang", 9)
    assert (await sign_in(api.nobody)).status == 200


async def fail_to_sign_in(api: Api, username: str, times: int) -> None:
    for _ in range(times):
        assert (await sign_in(api.nobody, username, "wrong")).code == "wrong_password"


# ---- access tokens ------------------------------------------------------------------------------


async def test_without_a_credential_nothing_but_the_open_routes_answers(api: Api) -> None:
    said = await api.nobody.get(SESSION)
    assert (said.status, said.code) == (401, "not_signed_in")
    assert said.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("why", "header", "claims"),
    [
        ("it is for somebody else's service", {}, {"aud": "another"}),
        ("somebody else issued it", {}, {"iss": "another"}),
        ("it is of another kind", {"typ": "JWT"}, {}),
        ("it names no session", {}, {"sid": None}),
        ("it names another user than the session's", {}, {"sub": "018f0000-0000-7000-8000-000000000000"}),
        ("it has run out", {}, {"exp": 1_600_000_000}),
        ("it never runs out", {}, {"exp": None}),
    ],
)
async def test_a_well_signed_token_is_refused_when(
    api: Api, why: str, header: dict[str, str], claims: dict[str, Any]
) -> None:
    somebody = await api.somebody(a(Role.DISPATCHER))
    token = somebody.headers["Authorization"].split(" ")[1]
    key = api.app[SIGNER].access_key
    said = jwt.decode(token, key, algorithms=["HS256"], audience="gridsvc-api", options={"verify_exp": False})
    changed = {name: value for name, value in {**said, **claims}.items() if value is not None}
    forged = jwt.encode(changed, key, algorithm="HS256", headers={"typ": "at+jwt", **header})
    assert (await with_token(api, forged).get(SESSION)).code == "not_signed_in", why
    same = jwt.encode(said, key, algorithm="HS256", headers={"typ": "at+jwt"})
    assert (await with_token(api, same).get(SESSION)).status == 200, "the forger's tools are right"


async def test_an_unsigned_token_and_one_of_another_algorithm_are_refused(api: Api) -> None:
    somebody = await api.somebody(a(Role.DISPATCHER))
    token = somebody.headers["Authorization"].split(" ")[1]
    key = api.app[SIGNER].access_key
    claims = jwt.decode(token, key, algorithms=["HS256"], audience="gridsvc-api", options={"verify_exp": False})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"typ": "at+jwt"})
    other = jwt.encode(claims, key * 2, algorithm="HS512", headers={"typ": "at+jwt"})
    for forged in (unsigned, other, token[:-2], token + "x", "", "a.b.c"):
        assert (await with_token(api, forged).get(SESSION)).code == "not_signed_in", forged


async def test_a_token_runs_out_by_the_citys_clock(
    database: str, pool: ConnPool, city: None, http: ClientSession, city_clock: CityClock
) -> None:
    async with running(settings_for(database), identity_s=0) as (app, url):
        api = Api(app, http, url, pool)
        somebody = await api.somebody(a(Role.DISPATCHER))
        await city_clock.forward(timedelta(minutes=9, seconds=50))
        assert (await somebody.get(SESSION)).status == 200
        await city_clock.forward(timedelta(seconds=11))
        assert (await somebody.get(SESSION)).code == "not_signed_in"


async def test_who_is_deactivated_or_loses_a_role_is_out_when_the_look_has_aged(
    database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async with running(settings_for(database), identity_s=0) as (app, url):
        api = Api(app, http, url, pool)
        user_id = await api.user(a(Role.DISPATCHER), username="wang", password=PASSWORD)
        wang = with_token(api, (await sign_in(api.nobody)).body["access_token"])
        assert (await wang.get("/api/v1/officers")).status == 200
        async with transaction(pool, SERVICE) as (conn, _):
            await conn.execute("DELETE FROM grants WHERE user_id = $1", user_id)
        assert (await wang.get("/api/v1/officers")).code == "not_allowed"
        async with transaction(pool, SERVICE) as (conn, _):
            await users.DEACTIVATE.run(conn, "wang")
        assert (await wang.get(SESSION)).code == "not_signed_in"


async def test_signing_out_ends_the_session_at_once(api: Api) -> None:
    somebody, other = await api.somebody(a(Role.DISPATCHER)), await api.somebody(a(Role.DISPATCHER))
    assert (await somebody.get(SESSION)).status == 200
    assert (await somebody.post("/api/v1/auth/logout")).status == 204
    assert (await somebody.get(SESSION)).code == "not_signed_in"
    assert (await other.get(SESSION)).status == 200


# ---- refresh tokens -----------------------------------------------------------------------------


async def refresh(api: Api, token: str) -> Said:
    return await api.nobody.post("/api/v1/auth/refresh", {"refresh_token": token})


async def signed_in(api: Api) -> dict[str, Any]:
    await api.user(a(Role.OFFICER), username="wang", password=PASSWORD)
    body: dict[str, Any] = (await sign_in(api.nobody)).body
    return body


async def test_a_refresh_token_is_traded_for_the_next(api: Api) -> None:
    first = await signed_in(api)
    second = (await refresh(api, first["refresh_token"])).body
    assert second["refresh_token"] != first["refresh_token"]
    assert second["user"] == first["user"]
    assert (await with_token(api, second["access_token"]).get(SESSION)).status == 200
    assert (await refresh(api, second["refresh_token"])).status == 200


async def test_a_lost_answer_may_be_asked_for_again_for_thirty_seconds_and_is_the_same(
    api: Api, city_clock: CityClock
) -> None:
    first = await signed_in(api)
    second = (await refresh(api, first["refresh_token"])).body
    await city_clock.forward(timedelta(seconds=25))
    again = (await refresh(api, first["refresh_token"])).body
    assert again["refresh_token"] == second["refresh_token"]


async def test_two_refreshes_at_once_get_the_same_successor(api: Api) -> None:
    first = await signed_in(api)
    said = await asyncio.gather(*(refresh(api, first["refresh_token"]) for _ in range(5)))
    assert len({answer.body["refresh_token"] for answer in said}) == 1


async def test_a_spent_token_after_the_grace_ends_the_session_for_everybody(api: Api, city_clock: CityClock) -> None:
    first = await signed_in(api)
    second = (await refresh(api, first["refresh_token"])).body
    await city_clock.forward(timedelta(seconds=31))
    assert (await refresh(api, first["refresh_token"])).code == "not_signed_in"
    assert (await refresh(api, second["refresh_token"])).code == "not_signed_in"
    assert (await with_token(api, second["access_token"]).get(SESSION)).code == "not_signed_in"


async def test_a_token_two_generations_old_ends_the_session_even_within_the_grace(api: Api) -> None:
    first = await signed_in(api)
    second = (await refresh(api, first["refresh_token"])).body
    third = (await refresh(api, second["refresh_token"])).body
    assert (await refresh(api, first["refresh_token"])).code == "not_signed_in"
    assert (await refresh(api, third["refresh_token"])).code == "not_signed_in"


async def test_a_session_ends_after_its_days_however_often_it_was_refreshed(api: Api, city_clock: CityClock) -> None:
    token = (await signed_in(api))["refresh_token"]
    await city_clock.forward(timedelta(days=29))
    token = (await refresh(api, token)).body["refresh_token"]
    await city_clock.forward(timedelta(days=1, seconds=1))
    assert (await refresh(api, token)).code == "not_signed_in"


@pytest.mark.parametrize("text", ["x", "gsr_", "gsr_AAAA", "gsk_AAAA", "gsr_" + "A" * 64])
async def test_what_is_no_refresh_token_is_refused(api: Api, text: str) -> None:
    assert (await refresh(api, text)).code == "not_signed_in"


# ---- browsers -----------------------------------------------------------------------------------


async def browser(api: Api) -> tuple[Client, str]:
    await api.user(a(Role.OFFICER), username="wang", password=PASSWORD)
    said = await sign_in(api.nobody, Origin=api.url, Sec_Fetch_Site="same-origin")
    cookie = said.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    return replace(api.nobody, headers={"Cookie": f"gridsvc={said.cookies['gridsvc']}"}), said.body["csrf_token"]


async def test_a_page_works_by_cookie_and_writes_with_its_anti_forgery_token(api: Api) -> None:
    page, csrf = await browser(api)
    assert (await page.get(SESSION)).body["csrf_token"] == csrf
    duty = "/api/v1/officers/me/duty"
    assert (await page.post(duty, {"on_duty": True})).code == "forgery_check_failed"
    assert (await page.post(duty, {"on_duty": True}, X_CSRF_Token="x" * 43)).code == "forgery_check_failed"
    assert (await page.post(duty, {"on_duty": True}, X_CSRF_Token=csrf, Origin=api.url)).status == 200


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_foreign_page_can_neither_write_nor_sign_in_even_with_the_token(
    api: Api, foreign: dict[str, str]
) -> None:
    page, csrf = await browser(api)
    said = await page.post("/api/v1/officers/me/duty", {"on_duty": True}, X_CSRF_Token=csrf, **foreign)
    assert (said.status, said.code) == (403, "forgery_check_failed")
    assert (await sign_in(api.nobody, **foreign)).code == "forgery_check_failed"


async def test_a_socket_by_cookie_is_opened_to_our_own_pages_only(api: Api) -> None:
    page, _ = await browser(api)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert (await page.get(SESSION, **upgrade)).code == "forgery_check_failed"
    assert (await page.get(SESSION, **upgrade, Origin="https://evil.example")).code == "forgery_check_failed"
    assert (await page.get(SESSION, **upgrade, Origin=api.url)).status == 200


async def test_signing_out_takes_the_cookie_back(api: Api) -> None:
    page, csrf = await browser(api)
    said = await page.post("/api/v1/auth/logout", X_CSRF_Token=csrf)
    assert "Max-Age=0" in said.headers["Set-Cookie"]
    assert (await page.get(SESSION)).code == "not_signed_in"


async def test_a_cookie_that_we_did_not_sign_is_refused(api: Api) -> None:
    page, _ = await browser(api)
    value = page.headers["Cookie"].removeprefix("gridsvc=")
    name, proof = value.split(".")
    for forged in (f"{name}.{proof[:-1]}", f"{name}.", name, f"{'A' * 22}.{proof}", "é.é"):
        said = await replace(page, headers={"Cookie": f"gridsvc={forged}"}).get(SESSION)
        assert said.code == "not_signed_in", forged


async def renewed(page: Client, csrf: str) -> Client:
    said = await page.post(f"{SESSION}/renew", X_CSRF_Token=csrf)
    assert (said.status, "HttpOnly" in said.headers["Set-Cookie"]) == (204, True)
    return replace(page, headers={"Cookie": f"gridsvc={said.cookies['gridsvc']}"})


async def test_a_cookie_is_renewed_and_the_one_before_runs_out_when_the_newer_is_used(
    api: Api, city_clock: CityClock
) -> None:
    page, csrf = await browser(api)
    first, again = await renewed(page, csrf), await renewed(page, csrf)
    assert first == again, "whose answer was lost gets the same"
    await city_clock.forward(timedelta(days=1))
    assert (await page.get(SESSION)).status == 200, "nobody has used the newer one"
    assert (await first.get(SESSION)).body["csrf_token"] == csrf
    assert (await page.get(SESSION)).status == 200, "it was under way"
    second = await renewed(first, csrf)
    assert second != first
    assert (await second.get(SESSION)).status == 200


async def test_a_copy_of_a_cookie_ends_the_session_for_both_when_it_comes_after_the_newer_one(
    api: Api, city_clock: CityClock
) -> None:
    page, csrf = await browser(api)
    newer = await renewed(page, csrf)
    assert (await newer.get(SESSION)).status == 200
    await city_clock.forward(timedelta(seconds=61))
    api.app[IDENTITY].forget_user(UUID((await newer.get(SESSION)).body["user"]["id"]))  # as after ten seconds
    assert (await page.get(SESSION)).code == "not_signed_in"
    assert (await newer.get(SESSION)).code == "not_signed_in"


async def test_a_token_is_refreshed_and_not_renewed(api: Api) -> None:
    await api.user(a(Role.OFFICER), username="wang", password=PASSWORD)
    said = await sign_in(api.nobody)
    bearer = replace(api.nobody, headers={"Authorization": f"Bearer {said.body['access_token']}"})
    refused = await bearer.post(f"{SESSION}/renew")
    assert (refused.status, refused.code) == (400, "bad_request")


async def test_on_https_the_cookie_is_bound_to_the_host_and_the_browser_to_https(
    database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async with running(settings_for(database, GRIDSVC_PUBLIC_URL="https://grid.example")) as (app, url):
        api = Api(app, http, url, pool)
        await api.user(username="wang", password=PASSWORD)
        assert (await sign_in(api.nobody, Origin=url)).code == "forgery_check_failed"
        said = await sign_in(api.nobody, Origin="https://grid.example")
        assert said.headers["Set-Cookie"].startswith("__Host-gridsvc=")
        assert "Secure" in said.headers["Set-Cookie"]
        assert said.headers["Strict-Transport-Security"] == "max-age=31536000"


# ---- programs -----------------------------------------------------------------------------------


async def test_a_key_may_call_what_its_scopes_say_and_nothing_else(api: Api) -> None:
    program = await api.program("grid:read")
    assert (await program.get("/api/v1/categories")).status == 200
    assert (await program.get("/api/v1/officers")).code == "not_allowed"
    assert (await program.get(SESSION)).code == "not_allowed", "a key has no session"
    assert (await program.post("/api/v1/officers/me/duty", {"on_duty": True})).code == "not_allowed"


async def test_a_revoked_an_expired_and_a_forged_key_are_refused(api: Api, city_clock: CityClock) -> None:
    program = await api.program("grid:read")
    forged = ApiKey.new(new_id()).text
    for text in (forged, program.headers["X-API-Key"][:-1], "gsk_", "gsk_xyz_abc", "nonsense"):
        said = await replace(program, headers={"X-API-Key": text}).get("/api/v1/categories")
        assert said.code == "not_signed_in", text
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute("UPDATE api_keys SET expires_at = $1", now + timedelta(hours=1))
    await city_clock.forward(timedelta(hours=1, seconds=1))
    assert (await program.get("/api/v1/categories")).code == "not_signed_in"


async def test_a_bad_credential_is_not_made_good_by_another(api: Api) -> None:
    program = await api.program("grid:read")
    said = await replace(program, headers={**program.headers, "Authorization": "Bearer x"}).get("/api/v1/categories")
    assert said.code == "not_signed_in"
    said = await replace(program, headers={"Authorization": "Basic d2FuZzp4"}).get("/api/v1/categories")
    assert said.code == "not_signed_in"


# ---- where somebody is signed in ------------------------------------------------------------------


async def test_a_lost_phone_is_ended_from_another_device_and_nobody_elses_is_seen(api: Api) -> None:
    somebody, other = await api.somebody(a(Role.OFFICER)), await api.somebody(a(Role.OFFICER))
    await api.user(a(Role.OFFICER), username="wang", password=PASSWORD)
    phone = {"username": "wang", "password": PASSWORD, "label": "duty phone 7"}
    lost = (await api.nobody.post("/api/v1/auth/login", phone)).body
    mine = with_token(api, (await sign_in(api.nobody)).body["access_token"])

    listed = (await mine.get("/api/v1/auth/sessions")).body["items"]
    assert [(each["label"], each["current"]) for each in listed] == [("", True), ("duty phone 7", False)]
    device = f"/api/v1/auth/sessions/{listed[1]['id']}"
    assert [each["current"] for each in (await somebody.get("/api/v1/auth/sessions")).body["items"]] == [True]
    assert (await other.ask("DELETE", device)).status == 404

    assert (await mine.ask("DELETE", device)).status == 204
    assert (await mine.ask("DELETE", device)).status == 204, "twice does no harm"
    assert (await refresh(api, lost["refresh_token"])).code == "not_signed_in"
    assert (await with_token(api, lost["access_token"]).get(SESSION)).code == "not_signed_in"
    assert len((await mine.get("/api/v1/auth/sessions")).body["items"]) == 1
