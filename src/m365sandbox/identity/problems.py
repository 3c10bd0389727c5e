"""Microsoft's sign-in errors: AADSTS numbers with the OAuth error and the form in which each one is answered.

A problem travels as a JSON body from the token endpoint and as query parameters of a redirect; both carry
trace id, correlation id and time. (Microsoft identity platform: AADSTS error codes.)
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# fmt: off
CATALOGUE: dict[int, tuple[str, int, str, str]] = {
    # number: (error, HTTP status at the token endpoint, suberror, text)
    16000: ("interaction_required", 400, "", "Either multiple user identities are available for the current "
            "request or the selected account is not supported for the scenario."),
    50011: ("invalid_request", 400, "", "The redirect URI '{redirect_uri}' specified in the request does not "
            "match the redirect URIs configured for the application '{client_id}'. Make sure the redirect URI "
            "sent in the request matches one added to your application in the Azure portal."),
    50020: ("invalid_grant", 400, "", "User account '{address}' from identity provider does not exist in tenant "
            "'{tenant}' and cannot access the application in that tenant. The account needs to be added as an "
            "external user in the tenant first. Sign out and sign in again with a different account."),
    50034: ("invalid_grant", 400, "", "The user account {address} does not exist in the directory. To sign into "
            "this application, the account must be added to the directory."),
    50053: ("invalid_grant", 400, "", "The account is locked: too many sign-in attempts with an incorrect "
            "user ID or password."),
    50055: ("invalid_grant", 400, "user_password_expired", "The password is expired."),
    50057: ("invalid_grant", 400, "", "The user account is disabled."),
    50058: ("login_required", 400, "", "A silent sign-in request was sent but no user is signed in."),
    50074: ("invalid_grant", 400, "basic_action", "Strong Authentication is required."),
    50076: ("invalid_grant", 400, "basic_action", "Due to a configuration change made by your "
            "administrator, or because you moved to a new location, you must use multi-factor authentication "
            "to access '00000003-0000-0000-c000-000000000000'."),
    50089: ("invalid_grant", 400, "", "Authentication failed due to flow token expired."),
    50105: ("interaction_required", 400, "", "Your administrator has configured the application to block users "
            "unless they are specifically granted ('assigned') access to the application."),
    50126: ("invalid_grant", 400, "", "Error validating credentials due to invalid username or password."),
    50132: ("invalid_grant", 400, "", "The session is not valid due to password expiration or recent "
            "password change."),
    50133: ("invalid_grant", 400, "bad_token", "Session is invalid due to expiration or recent password change."),
    50173: ("invalid_grant", 400, "bad_token", "The provided grant has expired due to it being revoked, a fresh "
            "auth token is needed. The user might have changed or reset their password."),
    50194: ("invalid_request", 400, "", "Application '{client_id}' is not configured as a multi-tenant "
            "application. Usage of the /common endpoint is not supported for such apps. Use a tenant-specific "
            "endpoint."),
    53003: ("interaction_required", 400, "message_only", "Access has been blocked by Conditional Access policies. "
            "The access policy does not allow token issuance."),
    54005: ("invalid_grant", 400, "", "OAuth2 Authorization code was already redeemed, please retry with a new "
            "valid code or use an existing refresh token."),
    65001: ("invalid_grant", 400, "consent_required", "The user or administrator has not consented to use the "
            "application with ID '{client_id}' named '{app}'. Send an interactive authorization request for "
            "this user and resource."),
    65004: ("access_denied", 400, "", "User declined to consent to access the app."),
    70000: ("invalid_grant", 400, "bad_token", "The user could not be authenticated as the grant is expired. "
            "The user must sign in again."),
    70003: ("unsupported_grant_type", 400, "", "The app requested an unsupported grant type '{grant_type}'."),
    70005: ("unsupported_response_type", 400, "", "The response_type '{response_type}' is not supported."),
    70008: ("invalid_grant", 400, "token_expired", "The provided authorization code or refresh token has expired "
            "due to inactivity. Send a new interactive authorization request for this user and resource."),
    70011: ("invalid_scope", 400, "", "The provided request must include a 'scope' input parameter. The provided "
            "value for the input parameter 'scope' is not valid. The scope {scope} is not valid."),
    70016: ("authorization_pending", 400, "", "OAuth 2.0 device flow error. Authorization is pending."),
    70043: ("invalid_grant", 400, "bad_token", "The refresh token has expired or is invalid due to sign-in "
            "frequency checks by conditional access."),
    90002: ("invalid_request", 400, "", "Tenant '{tenant}' not found. Check to make sure you have the correct "
            "tenant ID and are signing into the correct cloud."),
    90014: ("invalid_request", 400, "", "The required field '{field}' is missing from the credential. Ensure "
            "that you have all the necessary parameters for the login request."),
    90023: ("invalid_request", 400, "", "{reason}"),
    90033: ("temporarily_unavailable", 503, "", "A transient error has occurred. Please try again."),
    90094: ("access_denied", 400, "", "An administrator of {tenant} has set a policy that prevents you from "
            "granting {app} the permissions it is requesting. Contact an administrator of {tenant}, who can "
            "grant permissions to this app on your behalf."),
    90130: ("invalid_request", 400, "", "Application '{client_id}' is not supported over the /common or "
            "/consumers endpoints. Please use the /organizations or tenant-specific endpoint."),
    500112: ("invalid_grant", 400, "", "The reply address '{redirect_uri}' does not match the reply address "
             "provided when requesting Authorization code."),
    500113: ("invalid_request", 400, "", "No reply address is registered for the application."),
    500208: ("access_denied", 400, "", "The domain is not a valid login domain for the account type."),
    501481: ("invalid_grant", 400, "", "The Code_Verifier does not match the code_challenge supplied in the "
             "authorization request."),
    501491: ("invalid_request", 400, "", "Invalid size of Code_Challenge parameter."),
    650053: ("invalid_client", 400, "", "The application '{app}' asked for scope '{scope}' that doesn't exist "
             "on the resource '00000003-0000-0000-c000-000000000000'. Contact the app vendor."),
    700003: ("invalid_grant", 400, "", "The grant was issued for another client than '{client_id}'."),
    700005: ("invalid_grant", 400, "", "Provided Authorization Code is intended to use against other tenant, "
             "thus rejected."),
    700016: ("unauthorized_client", 400, "", "Application with identifier '{client_id}' was not found in the "
             "directory. This can happen if the application has not been installed by the administrator of "
             "the tenant or consented to by any user in the tenant."),
    700054: ("unsupported_response_type", 400, "", "response_type 'id_token' is not enabled for the application."),
    700082: ("invalid_grant", 400, "bad_token", "The refresh token has expired due to inactivity."),
    700084: ("invalid_grant", 400, "bad_token", "The refresh token was issued to a single page app (SPA), and "
             "therefore has a fixed, limited lifetime, which can't be extended."),
    900144: ("invalid_request", 400, "", "The request body must contain the following parameter: '{field}'."),
    900971: ("invalid_request", 400, "", "No reply address provided."),
    7000215: ("invalid_client", 401, "", "Invalid client secret provided. Ensure the secret being sent in the "
              "request is the client secret value, not the client secret ID, for a secret added to app "
              "'{client_id}'."),
    7000218: ("invalid_client", 401, "", "The request body must contain the following parameter: "
              "'client_assertion' or 'client_secret'."),
    7000222: ("invalid_client", 401, "", "The provided client secret keys for app '{client_id}' are expired."),
    9002313: ("invalid_request", 400, "", "Invalid request. Request is malformed or invalid."),
}
# fmt: on


@dataclass(slots=True)
class Problem(Exception):
    """One AADSTS error on its way to the client. `error` overrides the catalogue's OAuth error."""

    number: int
    details: dict[str, str] = field(default_factory=dict)
    error: str = ""
    claims: str = ""
    suberror: str | None = None

    @property
    def name(self) -> str:
        """The OAuth error name."""
        return self.error or (CATALOGUE[self.number][0] if self.number in CATALOGUE else "invalid_grant")

    @property
    def status(self) -> int:
        """The HTTP status at the token endpoint."""
        return CATALOGUE[self.number][1] if self.number in CATALOGUE else 400

    @property
    def text(self) -> str:
        """The sentence after the number, with its details filled in."""
        if self.number not in CATALOGUE:
            return f"AADSTS{self.number}: The sign-in was refused."
        wording = CATALOGUE[self.number][3].format_map({**_BLANKS, **self.details})
        return f"AADSTS{self.number}: {wording}"

    def body(self, *, now: datetime, base_url: str) -> dict[str, Any]:
        """The JSON body of the token endpoint."""
        stamp, trace, correlation = _stamp(now), str(uuid.uuid4()), str(uuid.uuid4())
        answer: dict[str, Any] = {
            "error": self.name,
            "error_description": _describe(self.text, trace, correlation, stamp),
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"{base_url}/error?code={self.number}",
        }
        known = CATALOGUE.get(self.number)
        suberror = self.suberror if self.suberror is not None else (known[2] if known else "")
        if suberror:
            answer["suberror"] = suberror
        if self.claims:
            answer["claims"] = self.claims
        return answer

    def query(self, *, now: datetime, base_url: str) -> dict[str, str]:
        """The parameters of an error redirect, without state."""
        answer = {
            "error": self.name,
            "error_description": _describe(self.text, str(uuid.uuid4()), str(uuid.uuid4()), _stamp(now)),
            "error_uri": f"{base_url}/error?code={self.number}",
        }
        if self.claims:
            answer["claims"] = self.claims
        return answer


# fmt: off
_BLANKS = dict.fromkeys((
    "redirect_uri", "client_id", "address", "tenant", "app", "scope", "field", "reason", "grant_type",
    "response_type",
), "")
# fmt: on


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H:%M:%SZ")


def _describe(text: str, trace: str, correlation: str, stamp: str) -> str:
    return f"{text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}"
