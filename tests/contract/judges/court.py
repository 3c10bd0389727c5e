"""Where Microsoft's own libraries judge the sandbox: a served world over TLS and an app made with MSAL."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msal
import pytest
import requests

from m365sandbox import seed
from m365sandbox.app import create_world, serve_in_thread
from m365sandbox.identity.visitor import Page, Visitor
from m365sandbox.server import Handle

BACK = "http://localhost:5000/connect/back"
ANA, NORA = "ana@larkfield.example", "nora.ellis@outlook.example"
SCOPES = ["Mail.Read", "Mail.ReadWrite", "User.Read", "Contacts.Read"]
MESSAGES = 230


@dataclass(slots=True)
class Court:
    """A served sandbox and the authority that vouches for it."""

    served: Handle
    ca_path: Path
    sessions: list[requests.Session] = field(default_factory=list)

    @property
    def trust(self) -> ssl.SSLContext:
        """A context that trusts the sandbox and nobody else."""
        return ssl.create_default_context(cafile=str(self.ca_path))

    def session(self) -> requests.Session:
        """MSAL's HTTP client; the environment's certificate settings must not overrule `verify`."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca_path)
        self.sessions.append(session)
        return session

    def app(self, tenant: str = "common", **options: Any) -> msal.ConfidentialClientApplication:
        """An unmodified MSAL client."""
        return msal.ConfidentialClientApplication(
            seed.CLIENT_ID,
            client_credential=seed.CLIENT_SECRET,
            authority=f"{self.served.url}/{tenant}",
            instance_discovery=False,
            http_client=self.session(),
            **options,
        )

    def walk(self, url: str, address: str) -> Page:
        """Sign in as this person in a browser of their own."""
        with httpx2.Client(verify=self.trust, trust_env=False) as client:
            return Visitor(client).sign_in(url, address=address, password=seed.PASSWORD)

    def decline(self, url: str, address: str) -> Page:
        """Sign in and refuse consent."""
        with httpx2.Client(verify=self.trust, trust_env=False) as client:
            visitor = Visitor(client)
            page = visitor.press(visitor.open(url), address)
            return visitor.press(visitor.press(page, "Sign in", password=seed.PASSWORD), "Cancel")

    def signed_in(self, app: msal.ConfidentialClientApplication, address: str) -> dict[str, Any]:
        """MSAL's authorization code flow from beginning to end."""
        flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=BACK, response_mode="form_post")
        returned = self.walk(flow["auth_uri"], address).returned
        assert returned is not None
        result: dict[str, Any] = app.acquire_token_by_auth_code_flow(flow, returned)
        assert "access_token" in result, result
        return result

    def control(self, method: str, path: str, **body: Any) -> Any:
        """The sandbox's control API."""
        with httpx2.Client(verify=self.trust, trust_env=False) as client:
            answer = client.request(method, f"{self.served.url}/_sandbox/{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

    def truth(self, address: str, *, folder: str) -> list[dict[str, Any]]:
        """What really lies in a folder."""
        with httpx2.Client(verify=self.trust, trust_env=False) as client:
            text = client.get(f"{self.served.url}/_sandbox/mailboxes/{address}/truth").text
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if line["folder"] == folder]


@pytest.fixture
def court() -> Iterator[Court]:
    world = create_world(5, people={ANA: MESSAGES}, small=True)
    with serve_in_thread(world, tls=True) as served:
        assert served.ca_path is not None
        made = Court(served, served.ca_path)
        yield made
        for session in made.sessions:
            session.close()
