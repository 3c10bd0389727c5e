"""Nobody signs in with an id_token that fails any one check."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.graph.microsoft import (
    CLIENT,
    HOST,
    KEYS,
    NONCE,
    OTHER_TENANT,
    PERSON,
    TENANT,
    Microsoft,
    claims,
    id_token,
    published,
)
from tests.graph.wiring import NOW

from workestra.graph import authority, idtoken
from workestra.graph.entra import Entra, Grant
from workestra.graph.errors import Cause, SignInRefused
from workestra.graph.idtoken import PERSONAL_TENANT


async def redeem(microsoft: Microsoft, token: str, *, nonce: str = NONCE, late: float = 0) -> Grant:
    microsoft.grants(id_token=token)
    return await microsoft.entra().redeem(
        code="c",
        redirect_uri="https://w.example/back",
        verifier="v" * 43,
        nonce=nonce,
        now=NOW + timedelta(seconds=late),
    )


async def refused(microsoft: Microsoft, token: str, **more: Any) -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        await redeem(microsoft, token, **more)
    return caught.value


def b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_good_token_names_its_person() -> None:
    grant = await redeem(Microsoft(), id_token())
    assert grant.identity is not None
    assert (grant.identity.tenant_id, grant.identity.object_id) == (TENANT, PERSON)
    assert (grant.identity.name, grant.identity.address) == ("Ana", "ana@example.com")
    assert grant.identity.personal is False


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        (int(NOW.timestamp()) - 300, NOW - timedelta(minutes=5)),
        (None, None),
        ("yesterday", None),
        (10**30, None),
        (float("nan"), None),
    ],
)
async def test_token_says_when_it_was_issued_by_microsofts_clock_if_it_does(told: object, moment: object) -> None:
    identity = (await redeem(Microsoft(), id_token(iat=told))).identity
    assert identity is not None
    assert identity.issued_at == moment


async def test_personal_account_is_told_by_its_tenant() -> None:
    token = id_token(tid=PERSONAL_TENANT, iss=f"{HOST}/{PERSONAL_TENANT}/v2.0")
    grant = await redeem(Microsoft(), token)
    assert grant.identity is not None and grant.identity.personal


async def test_ids_of_a_person_do_not_depend_on_case() -> None:
    token = id_token(oid=PERSON.upper(), tid=TENANT.upper())
    grant = await redeem(Microsoft(), token)
    assert grant.identity is not None
    assert (grant.identity.tenant_id, grant.identity.object_id) == (TENANT, PERSON)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "99999999-2222-3333-4444-555555555555"}, "another application"),
        ({"aud": [CLIENT, "other"]}, "another application"),
        ({"aud": None}, "another application"),
        ({"iss": f"https://evil.example/{TENANT}/v2.0"}, "issuer"),
        ({"iss": f"{HOST}/{OTHER_TENANT}/v2.0"}, "issuer"),
        ({"iss": f"{HOST}/{{tenantid}}/v2.0"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"tid": OTHER_TENANT}, "issuer"),
        ({"tid": None}, "no tenant"),
        ({"tid": f"{TENANT}/../x"}, "no tenant"),
        ({"exp": int(NOW.timestamp()) - 301}, "expired"),
        ({"exp": None}, "expired"),
        ({"nbf": int(NOW.timestamp()) + 301}, "not valid yet"),
        ({"nonce": "nonce-2"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"oid": None}, "no person"),
        ({"oid": ""}, "no person"),
    ],
)
async def test_token_with_one_wrong_claim_is_refused(changes: dict[str, Any], why: str) -> None:
    caught = await refused(Microsoft(), id_token(**changes))
    assert caught.cause is Cause.BAD_ID_TOKEN
    assert why in caught.message


async def test_claims_of_the_wrong_type_are_refused() -> None:
    for changes in ({"exp": "never"}, {"nbf": "x"}, {"tid": 5}, {"oid": ["x"]}, {"aud": 5}, {"iss": {}}):
        try:
            token = id_token(**changes)
        except (TypeError, ValueError):
            continue
        assert (await refused(Microsoft(), token)).cause is Cause.BAD_ID_TOKEN


async def test_clocks_may_differ_a_little() -> None:
    now = int(NOW.timestamp())
    await redeem(Microsoft(), id_token(exp=now - 200, nbf=now - 4000))
    await redeem(Microsoft(), id_token(nbf=now + 200))


async def test_sign_in_without_a_nonce_of_its_own_is_refused() -> None:
    await refused(Microsoft(), id_token(nonce=""), nonce="")


async def test_unsigned_token_is_refused() -> None:
    await refused(Microsoft(), f"{b64({'alg': 'none', 'kid': 'key-1'})}.{b64(claims())}.")


@pytest.mark.parametrize("secret", [KEYS[0].as_pem(private=False), str(KEYS[0].as_dict(private=False)["n"]).encode()])
async def test_token_signed_with_the_public_key_as_a_shared_secret_is_refused(secret: bytes) -> None:
    body = f"{b64({'alg': 'HS256', 'kid': 'key-1'})}.{b64(claims())}"
    digest = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    await refused(Microsoft(), f"{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}")


async def test_token_claiming_rs256_with_anothers_key_is_refused() -> None:
    await refused(Microsoft(), id_token(key=KEYS[1], kid="key-1"))


async def test_other_signature_algorithms_are_refused_though_the_key_is_right() -> None:
    for algorithm in ("RS384", "RS512", "PS256"):
        token = jwt.encode({"alg": algorithm, "kid": "key-1"}, claims(), KEYS[0], algorithms=[algorithm])
        await refused(Microsoft(), token)
        with pytest.raises(SignInRefused):
            idtoken.key_id(token)
        with pytest.raises(SignInRefused):
            idtoken.identity(
                id_token=token,
                key=published(KEYS[0])[0],
                client_id=CLIENT,
                issuer=f"{HOST}/{TENANT}/v2.0",
                nonce=NONCE,
                now=NOW,
            )


async def test_changed_claims_break_the_signature() -> None:
    header, _, signature = id_token().split(".")
    await refused(Microsoft(), f"{header}.{b64(claims(oid='someone-else'))}.{signature}")


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "....", f"{b64([])}.x.y", f"{b64({'alg': 'RS256'})}.x.y", "é.é.é", "a" * 300_000]
)
async def test_garbage_is_refused(token: str) -> None:
    await refused(Microsoft(), token)


async def test_token_that_brings_its_own_key_is_refused() -> None:
    mine = RSAKey.generate_key(2048, {"kid": "mine"})
    header = {"alg": "RS256", "kid": "mine", "jwk": mine.as_dict(private=False)}
    token = jwt.encode(header, claims(), mine)
    await refused(Microsoft(), token)


async def test_key_published_for_another_issuer_does_not_count() -> None:
    microsoft = Microsoft()
    microsoft.keys = published(KEYS[0], issuer=f"{HOST}/{PERSONAL_TENANT}/v2.0")
    await refused(microsoft, id_token())
    microsoft.keys = published(KEYS[0], issuer=f"{HOST}/{{tenantid}}/v2.0")
    await redeem(microsoft, id_token())


async def test_missing_token_is_refused() -> None:
    microsoft = Microsoft()
    microsoft.grants(id_token=None)
    with pytest.raises(SignInRefused):
        await microsoft.entra().redeem(code="c", redirect_uri="r", verifier="v", nonce=NONCE, now=NOW)


async def test_foreign_tenant_with_the_victims_address_is_somebody_else() -> None:
    token = id_token(tid=OTHER_TENANT, iss=f"{HOST}/{OTHER_TENANT}/v2.0", oid="1" * 8 + "-2222-3333-4444-" + "5" * 12)
    grant = await redeem(Microsoft(), token)
    assert grant.identity is not None
    assert grant.identity.address == "ana@example.com"
    assert (grant.identity.tenant_id, grant.identity.object_id) != (TENANT, PERSON)


async def test_single_tenant_authority_accepts_its_own_tenant_only() -> None:
    microsoft = Microsoft(tenant=TENANT, issuer_tenant=TENANT)
    await redeem(microsoft, id_token())
    await refused(microsoft, id_token(tid=OTHER_TENANT, iss=f"{HOST}/{OTHER_TENANT}/v2.0"))


async def test_work_only_authority_refuses_a_personal_account() -> None:
    token = id_token(tid=PERSONAL_TENANT, iss=f"{HOST}/{PERSONAL_TENANT}/v2.0")
    assert (await refused(Microsoft(tenant="organizations"), token)).cause is Cause.WRONG_TENANT
    assert (await refused(Microsoft(tenant="consumers"), id_token())).cause is Cause.WRONG_TENANT


async def sign_in(microsoft: Microsoft, entra: Entra, token: str) -> None:
    """One more sign-in at the same service; raises SignInRefused where the token is not believed."""
    microsoft.grants(id_token=token)
    await entra.redeem(code="c", redirect_uri="r", verifier="v", nonce=NONCE, now=NOW)


def key_fetches(microsoft: Microsoft) -> int:
    return sum(asked.endswith("/keys") for asked in microsoft.asked)


async def test_rotated_key_is_fetched_when_a_token_names_it() -> None:
    microsoft = Microsoft()
    entra = microsoft.entra()
    await sign_in(microsoft, entra, id_token(key=KEYS[0]))
    await sign_in(microsoft, entra, id_token(key=KEYS[0]))
    assert key_fetches(microsoft) == 1
    microsoft.keys = published(KEYS[1])
    await sign_in(microsoft, entra, id_token(key=KEYS[1]))
    assert key_fetches(microsoft) == 2
    with pytest.raises(SignInRefused):
        await sign_in(microsoft, entra, id_token(key=KEYS[0]))


async def test_keys_that_roll_twice_within_a_minute_refuse_nobody() -> None:
    microsoft = Microsoft()
    entra = microsoft.entra()
    for number in range(3):
        key = RSAKey.generate_key(2048, {"kid": f"roll-{number}"})
        microsoft.keys = published(key)
        await sign_in(microsoft, entra, id_token(key=key))
        microsoft.clock += 5


async def test_tokens_with_made_up_keys_do_not_make_us_ask_without_end() -> None:
    microsoft = Microsoft()
    entra = microsoft.entra()
    for n in range(100):
        with pytest.raises(SignInRefused):
            await sign_in(microsoft, entra, id_token(kid=f"made-up-{n}"))
        microsoft.clock += 1
    assert key_fetches(microsoft) <= authority.REFETCHES + 100 / authority.REFETCH_PAUSE


async def test_a_rotation_after_a_flood_of_made_up_keys_heals_within_a_minute() -> None:
    microsoft = Microsoft()
    entra = microsoft.entra()
    for n in range(20):
        with pytest.raises(SignInRefused):
            await sign_in(microsoft, entra, id_token(kid=f"made-up-{n}"))
    microsoft.keys = published(KEYS[1])
    microsoft.clock += authority.REFETCH_PAUSE + 1
    await sign_in(microsoft, entra, id_token(key=KEYS[1]))


async def test_sign_ins_at_the_same_moment_share_one_fetch() -> None:
    microsoft = Microsoft()
    microsoft.grants(id_token=id_token())

    async def far_away(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0)
        return microsoft(request)

    entra = microsoft.entra(wire=far_away)
    await asyncio.gather(
        *(entra.redeem(code="c", redirect_uri="r", verifier="v", nonce=NONCE, now=NOW) for _ in range(12))
    )
    assert key_fetches(microsoft) == 1
