"""Discovery and keys (OpenID Connect on the Microsoft identity platform; SBX 1)."""

from __future__ import annotations

import pytest
from tests.contract.identity.office import CLEO, Office

from m365sandbox.people import PERSONAL_TENANT


def document(office: Office, tenant: str) -> dict[str, object]:
    answer = office.client.get(f"{office.url}/{tenant}/v2.0/.well-known/openid-configuration")
    assert answer.status_code == 200
    body: dict[str, object] = answer.json()
    return body


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_shared_audience_names_the_literal_tenant_template_as_issuer(office: Office, tenant: str) -> None:
    assert document(office, tenant)["issuer"] == f"{office.url}/{{tenantid}}/v2.0"


def test_consumers_and_its_guid_name_the_personal_tenant_as_issuer(office: Office) -> None:
    for tenant in ("consumers", PERSONAL_TENANT):
        assert document(office, tenant)["issuer"] == f"{office.url}/{PERSONAL_TENANT}/v2.0"


def test_tenant_is_found_by_guid_and_by_domain(office: Office) -> None:
    tenant = office.world.directory.person(address=CLEO).tenant  # type: ignore[union-attr]
    for segment in (tenant.id, tenant.domain, tenant.domain.upper()):
        assert document(office, segment)["issuer"] == f"{office.url}/{tenant.id}/v2.0"


def test_addresses_of_the_document_are_on_this_server_and_keep_the_tenant(office: Office) -> None:
    found = document(office, "organizations")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"):
        assert str(found[name]).startswith(f"{office.url}/organizations/")


def test_pkce_is_not_advertised_and_codes_are_the_default(office: Office) -> None:
    found = document(office, "common")
    assert "code_challenge_methods_supported" not in found
    assert found["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]


def test_unknown_tenant_is_refused_with_90002(office: Office) -> None:
    answer = office.client.get(f"{office.url}/nobody.example/v2.0/.well-known/openid-configuration")
    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


def test_keys_have_microsofts_members_and_no_alg(office: Office) -> None:
    (key,) = office.client.get(f"{office.url}/common/discovery/v2.0/keys").json()["keys"]
    assert set(key) == {"kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"}
    assert key["kid"] == key["x5t"]
    assert key["issuer"] == f"{office.url}/{{tenantid}}/v2.0"


def test_rotated_key_appears_beside_the_old_one(office: Office) -> None:
    before = {key["kid"] for key in office.client.get(f"{office.url}/common/discovery/v2.0/keys").json()["keys"]}
    made = office.control("POST", "rotate-keys")["kid"]
    after = {key["kid"] for key in office.client.get(f"{office.url}/common/discovery/v2.0/keys").json()["keys"]}
    assert after == before | {made}
