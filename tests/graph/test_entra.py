"""The way to Microsoft's sign-in pages, the way back, and fresh tokens."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.graph.microsoft import CLIENT, HOST, KEYS, NONCE, TENANT, Microsoft, id_token
from tests.graph.wiring import NOW

from workestra.graph.clientauth import Certificate
from workestra.graph.entra import Entra, Grant, admin_consent_url, admin_consented, returned
from workestra.graph.errors import Cause, SignInRefused, Throttled, Unreachable
from workestra.graph.idtoken import PERSONAL_TENANT

BACK = "https://w.example/connect/back"
SCOPES = ["openid", "profile", "offline_access", "Mail.Read"]
VERIFIER = "v" * 43


async def url_of(microsoft: Microsoft, **more: str | None) -> tuple[str, dict[str, str]]:
    url = await microsoft.entra().sign_in_url(
        redirect_uri=BACK, state="st", nonce=NONCE, verifier=VERIFIER, scopes=SCOPES, **more
    )
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v for k, (v,) in parse_qs(parts.query).items()}


async def redeem(microsoft: Microsoft) -> Grant:
    return await microsoft.entra().redeem(
        code="the-code", redirect_uri=BACK, verifier=VERIFIER, nonce=NONCE, now=NOW, scopes=SCOPES
    )


async def refresh(microsoft: Microsoft, tenant_id: str = TENANT) -> Grant:
    return await microsoft.entra().refresh(refresh_token="rt-1", scopes=SCOPES, tenant_id=tenant_id, now=NOW)


async def test_sign_in_url_binds_state_nonce_and_the_verifiers_hash() -> None:
    where, query = await url_of(Microsoft())
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    assert where == f"{HOST}/common/oauth2/v2.0/authorize"
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert query["code_challenge_method"] == "S256"
    assert (query["state"], query["nonce"], query["client_id"]) == ("st", NONCE, CLIENT)
    assert (query["response_type"], query["response_mode"]) == ("code", "query")
    assert (query["redirect_uri"], query["scope"]) == (BACK, " ".join(SCOPES))
    assert json.loads(query["claims"]) == {"access_token": {"xms_cc": {"values": ["cp1"]}}}
    assert not {"prompt", "login_hint", "domain_hint"} & set(query)
    assert VERIFIER not in str(query)


async def test_sign_in_url_passes_hints_and_the_claims_of_a_challenge() -> None:
    challenge = '{"access_token":{"nbf":{"essential":true}},"id_token":{"auth_time":null}}'
    _, query = await url_of(Microsoft(), login_hint="ana@example.com", domain_hint="example.com", claims=challenge)
    assert (query["login_hint"], query["domain_hint"]) == ("ana@example.com", "example.com")
    assert json.loads(query["claims"]) == {
        "access_token": {"nbf": {"essential": True}, "xms_cc": {"values": ["cp1"]}},
        "id_token": {"auth_time": None},
    }


async def test_choosing_an_account_excludes_naming_one() -> None:
    _, query = await url_of(Microsoft(), prompt="select_account")
    assert query["prompt"] == "select_account"
    with pytest.raises(ValueError, match="login_hint"):
        await url_of(Microsoft(), prompt="select_account", login_hint="ana@example.com")


async def test_code_becomes_tokens_scopes_and_a_person() -> None:
    microsoft = Microsoft()
    microsoft.grants()
    grant = await redeem(microsoft)
    assert (grant.access_token, grant.refresh_token, grant.expires_in) == ("at-1", "rt-2", 4712)
    assert grant.scopes == {"Mail.Read", "User.Read"}
    assert grant.identity is not None
    form = {name: value for name, (value,) in microsoft.forms[0].items()}
    assert form.pop("claims")
    assert form == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_id": CLIENT,
        "client_secret": "s3cret&=",
        "scope": " ".join(SCOPES),
    }
    assert microsoft.asked[1] == "POST /common/oauth2/v2.0/token"


async def test_grant_does_not_print_its_tokens() -> None:
    microsoft = Microsoft()
    microsoft.grants()
    assert "at-1" not in repr(await redeem(microsoft))
    assert "rt-2" not in repr(await redeem(microsoft))


@pytest.mark.parametrize(
    ("authority", "tenant_id", "path"),
    [
        ("common", TENANT, f"/{TENANT}/oauth2/v2.0/token"),
        ("common", PERSONAL_TENANT, "/consumers/oauth2/v2.0/token"),
        ("organizations", TENANT, f"/{TENANT}/oauth2/v2.0/token"),
        (TENANT, TENANT, f"/{TENANT}/oauth2/v2.0/token"),
        ("contoso.example", TENANT, "/contoso.example/oauth2/v2.0/token"),
    ],
)
async def test_refresh_asks_the_persons_own_tenant(authority: str, tenant_id: str, path: str) -> None:
    microsoft = Microsoft(tenant=authority)
    microsoft.grants()
    await refresh(microsoft, tenant_id)
    assert microsoft.asked[-1] == f"POST {path}"


async def test_refresh_hands_on_the_rotated_token() -> None:
    microsoft = Microsoft()
    microsoft.grants(id_token=None)
    grant = await refresh(microsoft)
    assert grant.refresh_token == "rt-2"
    assert grant.identity is None
    assert microsoft.forms[0]["refresh_token"] == ["rt-1"]


async def test_refresh_without_rotation_keeps_the_token_it_had() -> None:
    microsoft = Microsoft()
    microsoft.grants(refresh_token=None, scope=None, expires_in="3599")
    grant = await refresh(microsoft)
    assert (grant.refresh_token, grant.expires_in, grant.scopes) == ("rt-1", 3599, frozenset(SCOPES))


async def test_rotated_token_is_not_lost_to_a_bad_id_token() -> None:
    microsoft = Microsoft()
    microsoft.grants(id_token=id_token(key=KEYS[1], kid="key-1"))
    assert (await refresh(microsoft)).refresh_token == "rt-2"


async def test_strange_lifetime_counts_as_none() -> None:
    microsoft = Microsoft()
    for value in ("soon", [], -5, None):
        microsoft.grants(expires_in=value)
        assert (await refresh(microsoft)).expires_in == 0


@pytest.mark.parametrize(
    ("error", "number", "more", "cause"),
    [
        ("invalid_grant", 70008, {}, Cause.EXPIRED),
        ("invalid_grant", 700082, {"suberror": "bad_token"}, Cause.EXPIRED),
        ("invalid_grant", 70000, {"suberror": "bad_token"}, Cause.EXPIRED),
        ("invalid_grant", 50173, {}, Cause.REVOKED),
        ("invalid_grant", 65001, {"suberror": "consent_required"}, Cause.REVOKED),
        ("invalid_grant", 50076, {"suberror": "basic_action", "claims": "{}"}, Cause.MFA),
        ("interaction_required", 50079, {}, Cause.MFA),
        ("interaction_required", 53003, {}, Cause.CONDITIONAL_ACCESS),
        ("invalid_grant", 54005, {}, Cause.CODE_USED),
        ("invalid_grant", 50020, {}, Cause.WRONG_TENANT),
        ("invalid_grant", 50105, {}, Cause.ACCOUNT),
        ("access_denied", 65004, {}, Cause.DECLINED),
        ("access_denied", 90094, {}, Cause.ADMIN_CONSENT),
        ("invalid_client", 7000215, {}, Cause.MISCONFIGURED),
        ("invalid_client", 7000222, {}, Cause.MISCONFIGURED),
        ("unauthorized_client", 700016, {}, Cause.MISCONFIGURED),
        ("invalid_grant", 123456, {}, Cause.EXPIRED),
        ("something_new", 123456, {}, Cause.OTHER),
    ],
)
async def test_refusal_names_its_cause(error: str, number: int, more: dict[str, str], cause: Cause) -> None:
    microsoft = Microsoft()
    microsoft.refuses(error, number, **more)
    with pytest.raises(SignInRefused) as caught:
        await refresh(microsoft)
    assert caught.value.cause is cause
    assert (caught.value.code, caught.value.aadsts, caught.value.status) == (error, (number,), 400)
    assert caught.value.advice == "ask"
    assert caught.value.claims == more.get("claims")
    assert caught.value.request_id == "t"


async def test_trouble_that_passes_is_unreachable_and_no_reason_to_sign_in() -> None:
    microsoft = Microsoft()
    for error, number in (("temporarily_unavailable", 90033), ("server_error", 0), ("invalid_grant", 90024)):
        microsoft.refuses(error, number)
        with pytest.raises(Unreachable):
            await refresh(microsoft)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500, json={"error": "x"}),
        httpx2.Response(502, content=b"<html>"),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, json={"access_token": ""}),
        httpx2.Response(200, json={"access_token": 5}),
        httpx2.Response(200, content=b" " * 2_000_000),
        httpx2.Response(302, headers={"location": "https://evil.example"}),
        httpx2.Response(400, content=b"Bad Request"),
    ],
)
async def test_answer_without_tokens_or_reason_is_unreachable(answer: httpx2.Response) -> None:
    microsoft = Microsoft()
    microsoft.token_answer = answer
    with pytest.raises(Unreachable):
        await refresh(microsoft)


async def test_busy_sign_in_service_says_how_long_to_wait() -> None:
    microsoft = Microsoft()
    for status in (429, 503):
        microsoft.token_answer = httpx2.Response(status, json={}, headers={"retry-after": "17"})
        with pytest.raises(Throttled) as caught:
            await refresh(microsoft)
        assert caught.value.retry_after == 17


async def test_service_that_is_away_is_unreachable() -> None:
    microsoft = Microsoft()
    microsoft.away = True
    with pytest.raises(Unreachable):
        await refresh(microsoft)


async def test_discovery_is_asked_once_a_day_and_survives_an_outage() -> None:
    microsoft = Microsoft()
    entra = microsoft.entra()

    async def go() -> None:
        await entra.sign_in_url(redirect_uri=BACK, state="s", nonce="n", verifier=VERIFIER, scopes=SCOPES)

    await go()
    await go()
    assert len(microsoft.asked) == 1
    microsoft.clock += 86_401
    microsoft.away = True
    await go()
    await go()
    assert len(microsoft.asked) == 2
    microsoft.clock += 61
    microsoft.away = False
    await go()
    assert len(microsoft.asked) == 3


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_authority_that_names_a_plain_http_endpoint_is_not_used(endpoint: str) -> None:
    microsoft = Microsoft()
    microsoft.endpoints = {endpoint: "http://login.example/x"}
    with pytest.raises(Unreachable):
        await refresh(microsoft)


@pytest.mark.parametrize(
    "authority",
    [
        "http://login.example/common",
        "https://login.example",
        "ftp://localhost/common",
        "common",
        "http://127.0.0.1.evil.example/x",
    ],
)
async def test_authority_must_be_https_with_a_tenant(authority: str) -> None:
    with pytest.raises(ValueError, match="authority"):
        Entra(authority=authority, client_id=CLIENT, client_secret="s", http=httpx2.AsyncClient(trust_env=False))


@pytest.mark.parametrize("host", ["http://127.0.0.1:8400", "http://localhost:8400", "http://[::1]:8400"])
async def test_plain_http_is_good_enough_on_this_machine(host: str) -> None:
    microsoft = Microsoft(host=host)
    where, _ = await url_of(microsoft)
    assert where == f"{host}/common/oauth2/v2.0/authorize"


def test_application_has_exactly_one_proof() -> None:
    for more in ({}, {"client_secret": "s", "certificate": Certificate(certificate="", private_key="")}):
        with pytest.raises(ValueError, match="one of them"):
            Entra(authority=f"{HOST}/common", client_id=CLIENT, http=httpx2.AsyncClient(trust_env=False), **more)  # type: ignore[arg-type]


async def test_certificate_signs_a_short_assertion_instead_of_sending_a_secret() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "workestra")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    microsoft = Microsoft()
    microsoft.grants()
    entra = microsoft.entra(
        certificate=Certificate(
            certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(), private_key=private
        )
    )
    await entra.refresh(refresh_token="rt-1", scopes=SCOPES, tenant_id=TENANT, now=NOW)
    form = microsoft.forms[0]
    assert "client_secret" not in form
    assert form["client_id"] == [CLIENT]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    token = jwt.decode(form["client_assertion"][0], RSAKey.import_key(private), algorithms=["PS256"])
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    assert token.header["x5t#S256"] == thumbprint
    now = int(NOW.timestamp())
    assert {k: token.claims[k] for k in ("iss", "sub", "iat", "nbf", "exp")} == {
        "iss": CLIENT,
        "sub": CLIENT,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    assert token.claims["aud"] == f"{HOST}/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("authority", "tenant"),
    [("common", "organizations"), ("consumers", "organizations"), (TENANT, TENANT), (f"{TENANT}/", TENANT)],
)
def test_approval_is_never_asked_for_on_common(authority: str, tenant: str) -> None:
    scopes = ["Mail.Read", "Mail.Send"]
    url = admin_consent_url(
        authority=f"{HOST}/{authority}", client_id=CLIENT, redirect_uri=BACK, state="st", scopes=scopes
    )
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{HOST}/{tenant}/v2.0/adminconsent"
    assert parse_qs(parts.query) == {
        "client_id": [CLIENT],
        "redirect_uri": [BACK],
        "scope": ["Mail.Read Mail.Send"],
        "state": ["st"],
    }


def test_approval_is_given_only_where_nothing_speaks_against_it() -> None:
    admin_consented(query={"admin_consent": "True", "tenant": TENANT, "scope": "Mail.Read", "state": "s"})
    declined = {"error": "access_denied", "error_description": "AADSTS65004: declined", "admin_consent": "True"}
    for query in (declined, {"admin_consent": "False"}, {"tenant": TENANT}, {}):
        with pytest.raises(SignInRefused):
            admin_consented(query=query)


def test_return_with_a_code_gives_the_code() -> None:
    assert returned(query={"code": "c", "state": "s"}) == "c"


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ({"error": "access_denied", "error_description": "AADSTS65004: declined"}, Cause.DECLINED),
        ({"error": "access_denied", "error_description": "the user cancelled"}, Cause.DECLINED),
        ({"error": "access_denied", "error_description": "AADSTS90094: admin"}, Cause.ADMIN_CONSENT),
        ({"error": "interaction_required", "error_description": "AADSTS53003: x"}, Cause.CONDITIONAL_ACCESS),
        ({"error": "temporarily_unavailable"}, Cause.TEMPORARILY_UNAVAILABLE),
        ({"error": "server_error", "code": "c"}, Cause.TEMPORARILY_UNAVAILABLE),
        ({"error": "access_denied", "admin_consent": "True"}, Cause.DECLINED),
        ({}, Cause.OTHER),
        ({"code": ""}, Cause.OTHER),
    ],
)
def test_return_with_an_error_says_why(query: dict[str, str], cause: Cause) -> None:
    with pytest.raises(SignInRefused) as caught:
        returned(query=query)
    assert caught.value.cause is cause
    assert caught.value.advice == ("retry" if cause is Cause.TEMPORARILY_UNAVAILABLE else "ask")
