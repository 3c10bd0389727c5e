"""`python -m m365sandbox`: the sandbox on a port, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
import uuid
from pathlib import Path

from . import eml, seed
from .app import build, create_world, import_letters
from .server import Server, Tls, address, configure, listen
from .world import World


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, fill the world, serve it. Returns the exit status."""
    chosen = _parser().parse_args(arguments)
    world = create_world(
        chosen.seed,
        messages=chosen.messages,
        small=chosen.small,
        mean_html=chosen.mean_html,
        access_minutes=chosen.access_token_minutes,
        life=int(time.time()),
    )
    _register(world, client_id=chosen.client_id, client_secret=chosen.client_secret)
    imported = 0
    if chosen.import_from:
        try:
            letters = eml.letters_from(chosen.import_from, now=world.clock())
            imported = import_letters(world, chosen.mailbox, letters)
        except (LookupError, OSError) as problem:
            print(f"--import: {problem}", file=sys.stderr)
            return 2
    world.latency(chosen.latency_ms)
    try:
        bound = listen(chosen.host, chosen.port)
    except OSError as problem:
        print(f"cannot listen on {chosen.host}:{chosen.port}: {problem}. Choose another --port.", file=sys.stderr)
        return 1
    tls = Tls.create(names=(chosen.host,), ca_file=chosen.ca_file) if chosen.tls else None
    listening = address(bound, host=chosen.host, tls=tls)
    issuer_url = chosen.issuer_url.rstrip("/")
    world.public_url = issuer_url
    told = _described if not chosen.json else _as_json
    print(told(world, url=issuer_url or listening, listening=listening, tls=tls, imported=imported), flush=True)
    server = Server(configure(build(world, issuer_url=issuer_url), tls=tls))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[bound])
    if tls:
        tls.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m m365sandbox", description="A local stand-in for Microsoft 365 sign-in and Microsoft Graph."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8365, help="port, 0 for any free one (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="which world: ids and mail follow from it")
    parser.add_argument("--messages", type=_count, default=2000, help="letters in Ana's mailbox; others get fewer")
    parser.add_argument("--mean-html", type=_count, default=seed.MEAN_HTML, help="mean bytes of HTML bodies")
    parser.add_argument("--small", action="store_true", help="only Ana, Ben, an admin, Cleo and a personal account")
    parser.add_argument("--import", dest="import_from", type=Path, metavar="DIR", help="real .eml, .txt, mbox files")
    parser.add_argument("--mailbox", default="ana@larkfield.example", help="where --import puts them")
    parser.add_argument("--tls", action="store_true", help="https with a certificate authority of its own")
    parser.add_argument("--ca-file", type=Path, default=Path("m365sandbox-ca.pem"), help="where --tls writes it")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how long each Graph request takes")
    parser.add_argument("--client-id", default=seed.CLIENT_ID, help="the app's client id")
    parser.add_argument("--client-secret", default=seed.CLIENT_SECRET, help="the app's secret")
    parser.add_argument("--issuer-url", default="", help="the address that tokens and links carry")
    parser.add_argument("--access-token-minutes", type=float, help="fixed life (default: 60 to 90 at random)")
    parser.add_argument("--json", action="store_true", help="print addresses and people as one line of JSON")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _port(text: str) -> int:
    number = _count(text)
    if number > 65535:
        raise argparse.ArgumentTypeError("must not be above 65535")
    return number


def _register(world: World, *, client_id: str, client_secret: str) -> None:
    (app,) = world.directory.apps.values()
    try:
        app.client_id = str(uuid.UUID(client_id))
    except ValueError:
        app.client_id = client_id
    app.client_secret = client_secret
    world.directory.apps = {app.client_id.casefold(): app}


def _as_json(world: World, *, url: str, listening: str, tls: Tls | None, imported: int) -> str:
    (app,) = world.directory.apps.values()
    people = world.directory.people.values()
    document = {
        "url": url,
        "listening": listening,
        "graph": f"{url}/v1.0",
        "login": url,
        "ca_file": str(tls.ca_path.resolve()) if tls else None,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "imported": imported,
        "people": [
            {"address": one.address, "password": one.password, "tenant": one.tenant.id, "name": one.name}
            for one in people
        ],
        "shared": [box.address for box in world.directory.shared.values()],
    }
    return json.dumps(document, ensure_ascii=False)


def _described(world: World, *, url: str, listening: str, tls: Tls | None, imported: int) -> str:
    (app,) = world.directory.apps.values()
    people = list(world.directory.people.values())
    lines = [f"Microsoft 365 sandbox on {url} (sign-in) and {url}/v1.0 (Graph)"]
    if url != listening:
        lines.append(f"Listening on {listening}")
    if tls:
        lines.append(f"Certificate authority: {tls.ca_path.resolve()}")
    lines.append(f"App: {app.client_id}, secret {app.client_secret}")
    if imported:
        lines.append(f"Imported letters: {imported}")
    width = max(len(one.address) for one in people)
    lines.extend(f"  {one.address:<{width}}  {one.password}  {one.name}, {one.tenant.name}" for one in people)
    lines.append("Shared mailboxes: " + ", ".join(box.address for box in world.directory.shared.values()))
    lines.append("Ctrl-C ends it.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
