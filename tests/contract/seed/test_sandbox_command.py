"""The command that serves the sandbox, as a newcomer types it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from m365sandbox.__main__ import main

SOURCE = Path(__file__).parents[3] / "src"


@contextmanager
def sandbox(*options: str) -> Iterator[dict[str, Any]]:
    """A sandbox process on a free port; what it said about itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "m365sandbox", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0


def test_command_serves_people_mail_and_imports_until_interrupted(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(b"Subject: from a file\n\nbody")
    with (
        sandbox("--messages", "30", "--import", str(tmp_path), "--mailbox", "ben@larkfield.example") as told,
        httpx2.Client(trust_env=False) as client,
    ):
        assert told["imported"] == 1
        page = client.get(told["url"])
        assert all(person["address"] in page.text for person in told["people"])
        counts = {
            box["address"]: box["messages"] for box in client.get(f"{told['url']}/_sandbox/mailboxes").json()["value"]
        }
        assert (counts["ana@larkfield.example"], counts["ben@larkfield.example"]) == (30, 31)
        assert counts["support@larkfield.example"] == 3
        assert client.get(f"{told['graph']}/me").status_code == 401


def test_tls_mode_is_trusted_through_the_authority_it_writes(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    with sandbox("--messages", "0", "--small", "--tls", "--ca-file", str(authority)) as told:
        assert told["url"].startswith("https://")
        assert told["ca_file"] == str(authority)
        context = ssl.create_default_context(cafile=str(authority))
        with httpx2.Client(verify=context, trust_env=False) as client:
            document = client.get(f"{told['url']}/common/v2.0/.well-known/openid-configuration").json()
        assert document["issuer"].startswith("https://")


def test_issuer_url_is_what_documents_carry() -> None:
    with (
        sandbox("--messages", "0", "--small", "--issuer-url", "https://login.elsewhere.example/") as told,
        httpx2.Client(trust_env=False) as client,
    ):
        found = client.get(f"{told['listening']}/consumers/v2.0/.well-known/openid-configuration").json()
    assert told["graph"] == "https://login.elsewhere.example/v1.0"
    assert found["issuer"].startswith("https://login.elsewhere.example/9188040d-")
    assert found["token_endpoint"].startswith("https://login.elsewhere.example/consumers/")


def test_registered_client_is_taken_from_the_command_line() -> None:
    with (
        sandbox("--messages", "0", "--small", "--client-id", "my-app", "--client-secret", "s3") as told,
        httpx2.Client(trust_env=False) as client,
    ):
        form = {"client_id": "my-app", "client_secret": "s3", "grant_type": "refresh_token", "refresh_token": "x"}
        answer = client.post(f"{told['login']}/common/oauth2/v2.0/token", data=form)
    assert answer.json()["error_codes"] == [9002313]


def test_import_from_nowhere_ends_the_command_with_the_reason(tmp_path: Path, capsys: Any) -> None:
    assert main(["--messages", "0", "--small", "--import", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_import_into_nobodys_mailbox_ends_the_command_with_the_reason(tmp_path: Path, capsys: Any) -> None:
    assert main(["--small", "--messages", "0", "--import", str(tmp_path), "--mailbox", "no@x.example"]) == 2
    assert "no@x.example" in capsys.readouterr().err
