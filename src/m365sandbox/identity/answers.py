"""How a sign-in goes back to the app: by query, by fragment, or by a form that posts itself."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from ..people import Person
from . import pages
from .asking import ReturnToApp
from .scopes import for_personal
from .state import Flow, Identity


def back_to_app(*, redirect_uri: str, response_mode: str, values: dict[str, str]) -> Response:
    """The response that carries `values` to the app's redirect address."""
    if response_mode == "form_post":
        return pages.posting_form(action=redirect_uri, values=values)
    encoded = urlencode(values)
    if response_mode == "fragment":
        return RedirectResponse(f"{redirect_uri}#{encoded}", status_code=302)
    joint = "&" if "?" in redirect_uri else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{encoded}", status_code=302)


def refusal(back: ReturnToApp, *, now: datetime, base_url: str) -> Response:
    """An error redirect with state; admin consent says admin_consent=True even then."""
    values = back.problem.query(now=now, base_url=base_url)
    if back.admin_consent:
        values["admin_consent"] = "True"
    if back.state is not None:
        values["state"] = back.state
    return back_to_app(redirect_uri=back.redirect_uri, response_mode=back.response_mode, values=values)


def success(*, flow: Flow, person: Person, identity: Identity) -> Response:
    """The redirect at the end of a sign-in: a code, or the word that an admin has agreed."""
    request = flow.request
    if request.admin_consent:
        values = {
            "admin_consent": "True",
            "tenant": person.tenant.id,
            "scope": " ".join(sorted(for_personal(request.scopes) if person.personal else request.scopes)),
        }
    else:
        values = {"code": identity.issue_code(flow=flow, person=person)}
        if request.wants_client_info:
            values["client_info"] = client_info(person)
    if request.state is not None:
        values["state"] = request.state
    if not request.admin_consent:
        values["session_state"] = str(uuid.uuid5(uuid.NAMESPACE_OID, flow.session.id))
    identity.finish(flow)
    return back_to_app(redirect_uri=request.redirect_uri, response_mode=request.response_mode, values=values)


def client_info(person: Person) -> str:
    """base64url of {uid, utid}: how Microsoft's libraries tell accounts apart."""
    document = json.dumps({"uid": person.id, "utid": person.tenant.id}, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()
