"""How grants end: expiry, revocation, claims challenges, policies (SBX 5; claims challenges)."""

from __future__ import annotations

import base64
import json

import pytest
from tests.contract.identity.office import ANA, BEN, NORA, Office, number_of

CAPABLE = json.dumps({"access_token": {"xms_cc": {"values": ["cp1"]}}})


def with_capability(claims: str) -> str:
    """A claims request that answers a challenge and declares cp1."""
    document = json.loads(claims)
    document["access_token"]["xms_cc"] = {"values": ["cp1"]}
    return json.dumps(document)


def test_expired_access_token_is_refused_by_graph_and_a_renewed_one_taken(office: Office) -> None:
    first = office.connected(ANA)
    office.clock.forward(minutes=91)
    refused = office.graph("/me", first["access_token"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert office.graph("/me", office.refresh(first["refresh_token"]).json()["access_token"]).status_code == 200


def test_fixed_life_of_access_tokens_is_kept(office: Office) -> None:
    office.tokens.minutes = 2
    assert office.connected(ANA)["expires_in"] == 120


def test_expire_access_ends_one_persons_tokens_and_keeps_the_refresh_token(office: Office) -> None:
    ana = office.connected(ANA)
    office.new_browser()
    ben = office.connected(BEN)
    assert office.control("POST", "expire-access", address=ANA) == {"expired": 1}
    assert office.graph("/me", ana["access_token"]).status_code == 401
    assert office.graph("/me", ben["access_token"]).status_code == 200
    assert office.refresh(ana["refresh_token"]).status_code == 200


@pytest.mark.parametrize("number", [50173, 70043, 700082, 50132])
def test_revoked_refresh_token_answers_with_the_number_given(office: Office, number: int) -> None:
    body = office.connected(ANA)
    assert office.control("POST", "revoke", address=ANA, number=number) == {"revoked": 1}
    answer = office.refresh(body["refresh_token"])
    assert (number_of(answer), answer.json()["error"]) == (number, "invalid_grant")
    assert office.graph("/me", body["access_token"]).status_code == 200


def test_revoked_person_can_sign_in_again(office: Office) -> None:
    old = office.connected(ANA)["refresh_token"]
    office.control("POST", "revoke", address=ANA)
    new = office.connected(ANA)["refresh_token"]
    assert office.refresh(new).status_code == 200
    assert number_of(office.refresh(old)) == 50173


def test_personal_revocation_is_told_as_70000_bad_token(office: Office) -> None:
    body = office.connected(NORA)
    office.control("POST", "revoke", address=NORA)
    answer = office.refresh(body["refresh_token"])
    assert (number_of(answer), answer.json()["suberror"]) == (70000, "bad_token")


def test_policy_that_blocks_later_ends_the_refresh_with_53003(office: Office) -> None:
    body = office.connected(ANA)
    office.control("PATCH", "person", address=ANA, blocked="53003")
    answer = office.refresh(body["refresh_token"])
    assert (number_of(answer), answer.json()["suberror"]) == (53003, "message_only")


def test_withdrawn_consent_ends_the_refresh_with_65001(office: Office) -> None:
    body = office.connected(ANA)
    office.control("POST", "withdraw-consent", address=ANA)
    assert number_of(office.refresh(body["refresh_token"])) == 65001


def test_challenge_reaches_capable_clients_only(office: Office) -> None:
    plain = office.connected(ANA)
    capable = office.connected(ANA, claims=CAPABLE)
    claims = office.control("POST", "challenge", address=ANA)["claims"]
    assert office.graph("/me", plain["access_token"]).status_code == 200
    refused = office.graph("/me", capable["access_token"])
    header = refused.headers["www-authenticate"]
    assert refused.status_code == 401
    assert 'error="insufficient_claims"' in header
    told = header.partition('claims="')[2].partition('"')[0]
    assert json.loads(base64.b64decode(told)) == json.loads(claims)


def test_refresh_with_the_claims_meets_a_silent_challenge_and_one_without_does_not(office: Office) -> None:
    body = office.connected(ANA, claims=CAPABLE)
    claims = office.control("POST", "challenge", address=ANA)["claims"]
    same = office.refresh(body["refresh_token"], claims=CAPABLE).json()
    assert office.graph("/me", same["access_token"]).status_code == 401
    met = office.refresh(body["refresh_token"], claims=with_capability(claims)).json()
    assert office.graph("/me", met["access_token"]).status_code == 200
    later = office.refresh(met["refresh_token"], claims=CAPABLE).json()
    assert office.graph("/me", later["access_token"]).status_code == 200


def test_interactive_challenge_refuses_the_refresh_and_is_met_in_person(office: Office) -> None:
    body = office.connected(ANA, claims=CAPABLE)
    office.clock.forward(seconds=1)
    claims = office.control("POST", "challenge", address=ANA, interactive=True)["claims"]
    answer = office.refresh(body["refresh_token"], claims=with_capability(claims))
    told = answer.json()
    assert (number_of(answer), told["suberror"], told["claims"]) == (50076, "basic_action", claims)
    page = office.visitor.open(office.link(login_hint=ANA, claims=with_capability(told["claims"])))
    assert page.step == "mfa"
    back = office.visitor.press(page, "Yes").returned
    assert back is not None
    fresh = office.redeem(back["code"]).json()
    assert office.graph("/me", fresh["access_token"]).status_code == 200
    assert office.refresh(fresh["refresh_token"], claims=CAPABLE).status_code == 200
    assert number_of(office.refresh(body["refresh_token"])) == 50076


def test_token_endpoint_fails_as_often_as_told(office: Office) -> None:
    body = office.connected(ANA)
    office.control("POST", "token-problem", number=90033, times=2)
    answers = [office.refresh(body["refresh_token"]) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json()["error"] == "temporarily_unavailable"


def test_id_tokens_signed_after_a_rotation_name_the_new_key(office: Office) -> None:
    office.connected(ANA)
    kid = office.control("POST", "rotate-keys")["kid"]
    head = office.connected(ANA)["id_token"].partition(".")[0]
    assert json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"] == kid


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("revoke", {"address": "nobody@nowhere.example"}),
        ("revoke", {}),
        ("challenge", {"address": ANA, "claims": "[]"}),
        ("token-problem", {"number": "many"}),
    ],
)
def test_nonsense_given_to_the_control_api_is_explained(office: Office, path: str, body: dict[str, str]) -> None:
    answer = office.client.post(f"{office.url}/_sandbox/identity/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
