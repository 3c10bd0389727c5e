"""The token endpoint: codes, proof keys, secrets, refresh tokens, id_tokens (RFC 6749, RFC 7636, OpenID Connect)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.contract.identity.office import ANA, CLEO, NORA, VERIFIER, Office, number_of

from m365sandbox import seed
from m365sandbox.people import PERSONAL_TENANT


def claims_of(office: Office, id_token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(office.client.get(f"{office.url}/common/discovery/v2.0/keys").json())
    return dict(jwt.decode(id_token, keys, algorithms=["RS256"]).claims)


def test_code_is_redeemed_for_tokens_and_the_scopes_really_granted(office: Office) -> None:
    answer = office.redeem(office.code(ANA))
    body = answer.json()
    assert answer.headers["cache-control"].startswith("no-store")
    assert body["token_type"] == "Bearer"
    assert set(body["scope"].split()) == {
        *("openid", "profile", "email", "User.Read", "Mail.Read", "Mail.ReadWrite", "Mail.Send", "Mail.Read.Shared"),
    }
    assert office.graph("/me", body["access_token"]).json()["userPrincipalName"] == ANA


def test_access_tokens_live_sixty_to_ninety_minutes_at_random(office: Office) -> None:
    first = office.connected(ANA)
    lives = {office.refresh(first["refresh_token"]).json()["expires_in"] for _ in range(20)}
    assert all(3600 <= life <= 5400 for life in lives)
    assert len(lives) > 5


def test_code_works_once(office: Office) -> None:
    code = office.code(ANA)
    assert office.redeem(code).status_code == 200
    again = office.redeem(code)
    assert (again.status_code, number_of(again), again.json()["error"]) == (400, 54005, "invalid_grant")


def test_code_dies_after_ten_minutes(office: Office) -> None:
    code = office.code(ANA)
    office.clock.forward(minutes=10)
    assert number_of(office.redeem(code)) == 70008


def test_code_of_common_is_refused_on_another_tenant_path(office: Office) -> None:
    code = office.code(ANA)
    assert number_of(office.redeem(code, "organizations")) == 700005
    assert office.redeem(code, "COMMON").status_code == 200


def test_consumers_and_its_guid_are_one_tenant_path(office: Office) -> None:
    code = office.code(NORA, "consumers")
    assert office.redeem(code, PERSONAL_TENANT).status_code == 200


@pytest.mark.parametrize(
    ("differs", "number", "error", "status"),
    [
        ({"code_verifier": "w" * 43}, 501481, "invalid_grant", 400),
        ({"code_verifier": None}, 501481, "invalid_grant", 400),
        ({"redirect_uri": "http://localhost:5000/other"}, 500112, "invalid_grant", 400),
        ({"redirect_uri": None}, 900144, "invalid_request", 400),
        ({"code": "garbage"}, 9002313, "invalid_grant", 400),
        ({"grant_type": None}, 900144, "invalid_request", 400),
        ({"grant_type": "password"}, 70003, "unsupported_grant_type", 400),
        ({"client_id": None}, 900144, "invalid_request", 400),
        ({"client_id": "nobody"}, 700016, "unauthorized_client", 400),
        ({"client_secret": None}, 7000218, "invalid_client", 401),
        ({"client_secret": "guess"}, 7000215, "invalid_client", 401),
    ],
)
def test_wrong_redemption_is_refused_and_does_not_use_the_code_up(
    office: Office, differs: dict[str, str | None], number: int, error: str, status: int
) -> None:
    code = office.code(ANA)
    answer = office.redeem(code, **differs) if "code" not in differs else office.redeem("garbage")
    assert (answer.status_code, number_of(answer), answer.json()["error"]) == (status, number, error)
    assert office.redeem(code).status_code == 200


def test_refusal_has_all_the_fields_of_microsofts_body(office: Office) -> None:
    body = office.redeem("garbage").json()
    assert set(body) >= {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"}
    assert body["error_description"].endswith(
        f"\r\nTrace ID: {body['trace_id']}\r\nCorrelation ID: {body['correlation_id']}"
        f"\r\nTimestamp: {body['timestamp']}"
    )


def test_expired_secret_is_told_apart_from_a_wrong_one(office: Office) -> None:
    office.world.directory.apps[seed.CLIENT_ID].secret_expired = True
    assert number_of(office.redeem("any")) == 7000222


def test_basic_client_authentication_works(office: Office) -> None:
    plain = base64.b64encode(f"{seed.CLIENT_ID}:{seed.CLIENT_SECRET}".encode()).decode()
    answer = office.client.post(
        f"{office.url}/common/oauth2/v2.0/token",
        headers={"authorization": f"Basic {plain}"},
        data={
            "grant_type": "authorization_code",
            "code": office.code(ANA),
            "redirect_uri": "http://localhost:5000/connect/back",
            "code_verifier": VERIFIER,
        },
    )
    assert answer.status_code == 200


def test_json_body_is_not_a_token_request(office: Office) -> None:
    answer = office.client.post(f"{office.url}/common/oauth2/v2.0/token", json={"grant_type": "refresh_token"})
    assert number_of(answer) == 900144


def test_plain_challenge_is_compared_as_it_is(office: Office) -> None:
    code = office.code(ANA, code_challenge=VERIFIER, code_challenge_method=None)
    assert office.redeem(code).status_code == 200


def test_refresh_token_comes_only_with_offline_access_and_id_token_only_with_openid(office: Office) -> None:
    body = office.connected(CLEO, scope="Mail.Read")
    assert "refresh_token" not in body
    assert "id_token" not in body


def test_refresh_rotates_and_the_old_token_stays_alive(office: Office) -> None:
    first = office.connected(ANA)["refresh_token"]
    second = office.refresh(first).json()["refresh_token"]
    assert second != first
    assert office.refresh(first).status_code == office.refresh(second).status_code == 200
    assert office.control("GET", "refreshes") == {ANA: 3}


def test_refresh_token_dies_after_ninety_days(office: Office) -> None:
    first = office.connected(ANA)["refresh_token"]
    office.clock.forward(days=89)
    second = office.refresh(first).json()["refresh_token"]
    office.clock.forward(days=2)
    assert number_of(office.refresh(first)) == 700082
    assert office.refresh(second).status_code == 200


def test_refresh_beyond_what_was_consented_is_refused(office: Office) -> None:
    first = office.connected(ANA, scope="openid offline_access Mail.Read")["refresh_token"]
    answer = office.refresh(first, scope="Mail.Read Contacts.Read")
    assert (number_of(answer), answer.json()["suberror"]) == (65001, "consent_required")


def test_access_token_carries_scopes_consented_earlier(office: Office) -> None:
    office.connected(ANA, scope="openid offline_access Mail.Read Mail.Send")
    later = office.connected(ANA, scope="openid offline_access Contacts.Read")
    assert {"Mail.Read", "Mail.Send", "Contacts.Read"} <= set(later["scope"].split())


def test_refresh_on_a_foreign_tenant_path_is_refused(office: Office) -> None:
    token = office.connected(ANA)["refresh_token"]
    assert number_of(office.refresh(token, "quillmark.example")) == 50020
    assert number_of(office.refresh(token, "consumers")) == 70000
    assert office.refresh(token, "larkfield.example").status_code == 200


def test_personal_refresh_on_common_can_be_refused_as_seen_in_the_wild(office: Office) -> None:
    token = office.connected(NORA)["refresh_token"]
    office.identity.refuse_personal_refresh_on_common = True
    assert number_of(office.refresh(token)) == 70000
    assert office.refresh(token, "consumers").status_code == 200


def test_id_token_names_the_person_the_tenant_and_the_nonce(office: Office) -> None:
    claims = claims_of(office, office.connected(ANA)["id_token"])
    ana = office.world.directory.person(address=ANA)
    assert ana is not None
    assert claims["iss"] == f"{office.url}/{ana.tenant.id}/v2.0"
    assert (claims["tid"], claims["oid"], claims["aud"]) == (ana.tenant.id, ana.id, seed.CLIENT_ID)
    assert (claims["nonce"], claims["ver"], claims["preferred_username"]) == ("the-nonce", "2.0", ANA)
    assert claims["iat"] <= office.clock.now.timestamp() < claims["exp"]
    assert claims["sub"] != claims["oid"]


def test_id_token_without_profile_hides_name_and_object_id(office: Office) -> None:
    claims = claims_of(office, office.connected(ANA, scope="openid User.Read")["id_token"])
    assert not {"oid", "name", "preferred_username", "email"} & set(claims)


def test_personal_account_has_the_consumer_tenant_and_an_opaque_access_token(office: Office) -> None:
    body = office.connected(NORA)
    claims = claims_of(office, body["id_token"])
    assert claims["tid"] == PERSONAL_TENANT
    assert claims["oid"].startswith("00000000-0000-0000-")
    assert "." not in body["access_token"]


def test_client_info_comes_when_asked_for(office: Office) -> None:
    page = office.sign_in(ANA, client_info="1")
    assert page.returned is not None
    body = office.redeem(page.returned["code"], client_info="1").json()
    assert body["client_info"] == page.returned["client_info"]
    padded = body["client_info"] + "=" * (-len(body["client_info"]) % 4)
    document = json.loads(base64.urlsafe_b64decode(padded))
    assert set(document) == {"uid", "utid"}
    assert "client_info" not in office.connected(CLEO)


def test_userinfo_answers_for_a_good_token_only(office: Office) -> None:
    token = office.connected(ANA)["access_token"]
    url = f"{office.url}/oidc/userinfo"
    assert office.client.get(url, headers={"authorization": f"Bearer {token}"}).json()["email"] == ANA
    assert office.client.get(url, headers={"authorization": "Bearer no"}).status_code == 401
