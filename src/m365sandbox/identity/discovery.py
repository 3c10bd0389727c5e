"""The discovery document and the published keys, member for member as Microsoft's."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .state import Identity
from .tenants import TEMPLATE, Audience

# fmt: off
_CLAIMS = (
    "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud",
    "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash",
    "email",
)
# fmt: on


def document(*, audience: Audience, base_url: str) -> dict[str, Any]:
    """openid-configuration. PKCE works although it is not advertised, as with Microsoft."""
    root = f"{base_url}/{audience.segment}"
    host = urlsplit(base_url).netloc
    return {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer(audience=audience, base_url=base_url),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{base_url}/oidc/userinfo",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
        "claims_supported": list(_CLAIMS),
        "kerberos_endpoint": f"{root}/kerberos",
        "tenant_region_scope": "EU" if audience.tenant else None,
        "cloud_instance_name": host,
        "cloud_graph_host_name": host,
        "msgraph_host": host,
        "rbac_url": f"{base_url}/rbac",
    }


def keys(*, identity: Identity, base_url: str) -> dict[str, Any]:
    """The JWKS. The issuer of each key is Microsoft's template, whatever the tenant."""
    template = f"{base_url}/{TEMPLATE}/v2.0"
    return {"keys": [key.published(issuer=template) for key in identity.keys.keys]}


def issuer(*, audience: Audience, base_url: str) -> str:
    """The issuer of a discovery document: the literal {tenantid} on common and organizations."""
    return f"{base_url}/{audience.issuer_tenant}/v2.0"
