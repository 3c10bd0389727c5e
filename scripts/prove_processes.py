"""Proof: real processes, killed at random, lose nothing, double nothing and do nothing that nobody asked for.

Two web processes, three workers, PostgreSQL and the sandbox, each a process; two mailboxes in two workspaces, each
with a backfill. For MINUTES somebody works in Outlook the whole time, while every few seconds a worker, the web
process that Microsoft calls, the other one, or PostgreSQL itself is killed (-9), or a worker is frozen long enough
to be taken for dead and then goes on. What is killed is started again, PostgreSQL by the product itself. Access
tokens have to be renewed every two minutes, so that workers meet over them.

Judged by four counters: lost (in Outlook and not in the store), duplicated (twice), unexpected (in the store and
not so in Outlook, processes that ended by themselves, requests that move or delete mail, 429s that we brought about)
and recovered (what happened in Outlook while something was dead or frozen, and is right in the end).

    .venv/bin/python scripts/prove_processes.py [--minutes 10] [--messages 2000] [--seed 5]
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2
from prove_stage import Product, differences

from workestra.project.cli import ports

PEOPLE = {"ana@larkfield.example": "ana@proof.example", "ben@larkfield.example": "ben@other.example"}
FOLDERS = ("inbox", "archive", "sentitems", "deleteditems", "junkemail")
FROZEN = 11.0  # seconds: longer than a worker is missed
LINGERS = 8.0  # seconds after a kill in which what happens in Outlook meets its consequences


class Outlook:
    """What people do in Outlook, over the sandbox's control API, and what it saw of us."""

    def __init__(self, *, url: str, chance: random.Random) -> None:
        self.url = url
        self.done: Counter[str] = Counter()
        self.touched: dict[float, str] = {}  # when -> immutable id
        self._known: dict[str, list[str]] = {}  # address -> ids that may be acted upon
        self._chance = chance
        self._http = httpx2.Client(base_url=f"{url}/_sandbox", trust_env=False, timeout=60)
        self._asked = 0
        self.forbidden: list[str] = []
        self.throttled = 0
        self.most = 0

    def act(self) -> None:
        """One thing that somebody does."""
        address = self._chance.choice(list(PEOPLE))
        verb = self._chance.choice(
            ["arrive"] * 4 + ["read"] * 3 + ["unread", "flag", "edit", "move", "move", "delete", "purge"]
        )
        if verb == "arrive" or not self._ids(address):
            number = self.done.total()
            letter = {
                "from": "Pat <pat@customer.example>",
                "to": address,
                "subject": f"Proof {number}",
                "html": f"<p>Number {number}</p>",
                "folder": self._chance.choice(["inbox", "inbox", "inbox", "archive"]),
            }
            said = self._http.post(f"/mailboxes/{address}/letters", json=letter).raise_for_status().json()
            self._known.setdefault(address, []).append(said["id"])
        else:
            one = self._chance.choice(self._ids(address))
            more = {"move": {"folder": self._chance.choice(FOLDERS)}, "edit": {"html": f"<p>{time.time()}</p>"}}
            said = {"id": one}
            answer = self._http.post(f"/mailboxes/{address}/messages/{verb}", json={"id": one, **more.get(verb, {})})
            if answer.status_code == 404:
                self._known[address].remove(one)  # gone for good
                return
            answer.raise_for_status()
        self.done[verb] += 1
        self.touched[time.monotonic()] = said["id"]

    def _ids(self, address: str) -> list[str]:
        if address not in self._known:
            lines = self._http.get(f"/mailboxes/{address}/truth").text.splitlines()
            self._known[address] = [json.loads(line)["id"] for line in lines[-400:]]
        return self._known[address]

    def look(self) -> None:
        """Read the request log since the last look."""
        counters = self._http.get("/requests?last=0").json()["counters"]
        news = counters["total"] - self._asked
        self._asked = counters["total"]
        self.throttled = counters["by_status"].get("429", 0)
        self.most = max(counters["max_in_flight"].values(), default=0)
        for one in self._http.get(f"/requests?last={min(19_999, news + 200)}").json()["value"]:
            line = f"{one['method']} {one['path']}"
            deletes = one["method"] == "DELETE" and "/subscriptions/" not in one["path"]
            moves = one["method"] == "POST" and one["path"].endswith(("/move", "/copy", "/permanentDelete"))
            if (deletes or moves) and line not in self.forbidden:
                self.forbidden.append(line)

    @property
    def requests(self) -> int:
        """How many requests we made until the last look."""
        return self._asked


class Parts:
    """The processes that may die, and how each is started."""

    def __init__(self, *, product: Product, second: int) -> None:
        self._product = product
        self._starts: dict[str, Callable[[], subprocess.Popen[bytes]]] = {
            "web": lambda: product.start("web", "--port", str(product.port)),
            "second web": lambda: product.start("web", "--port", str(second)),
            **{f"worker {number}": (lambda: product.start("worker")) for number in (1, 2, 3)},
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.ended: list[str] = []
        self.kills: Counter[str] = Counter()

    def start(self, name: str) -> None:
        """Start this part."""
        self._running[name] = self._starts[name]()

    def start_all(self) -> None:
        """Start what does not run."""
        for name in self._starts:
            if name not in self._running:
                self.start(name)

    def look(self) -> None:
        """Whoever ended without being killed is written down and started again."""
        for name, process in list(self._running.items()):
            if process.poll() is not None:
                self.ended.append(f"{name} ended by itself with {process.returncode}")
                self.start(name)

    def kill(self, name: str) -> None:
        """-9."""
        self.kills[name.rstrip(" 123")] += 1
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def freeze(self, name: str) -> None:
        """Let it stand still."""
        self.kills["worker frozen"] += 1
        self._running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on as if nothing had been."""
        self._running[name].send_signal(signal.SIGCONT)

    def kill_postgres(self) -> None:
        """-9 to the first process of the server."""
        self.kills["PostgreSQL"] += 1
        number = int((self._product.home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        subprocess.run(["kill", "-9", str(number)], check=False)


def chaos(*, parts: Parts, outlook: Outlook, chance: random.Random, minutes: float) -> list[tuple[float, float]]:
    """Work and kill until the time is over. Returns the stretches in which something was out of order."""
    end = time.monotonic() + minutes * 60
    bad: list[tuple[float, float]] = []
    told = time.monotonic()
    while time.monotonic() < end:
        _work(outlook, parts, chance.uniform(3, 9))
        begun = time.monotonic()
        victim = chance.choice(
            ["worker 1", "worker 2", "worker 3"] * 3
            + ["web"] * 2
            + ["second web", "PostgreSQL", "PostgreSQL"]
            + ["freeze"] * 2
        )
        if victim == "PostgreSQL":
            parts.kill_postgres()
            _work(outlook, parts, 4)
        elif victim == "freeze":
            name = chance.choice(["worker 1", "worker 2", "worker 3"])
            parts.freeze(name)
            _work(outlook, parts, FROZEN)
            parts.thaw(name)
        else:
            parts.kill(victim)
            _work(outlook, parts, chance.uniform(0, 4))
            parts.start(victim)
        bad.append((begun, time.monotonic() + LINGERS))
        if time.monotonic() - told > 60:
            told = time.monotonic()
            outlook.look()
            print(
                f"{parts.kills.total():4} kills, {outlook.done.total()} things done, {outlook.requests:,} requests",
                flush=True,
            )
    return bad


def _work(outlook: Outlook, parts: Parts, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        outlook.act()
        time.sleep(0.15)
    parts.look()


def judged(*, product: Product, outlook: Outlook, patience: float) -> tuple[dict[str, int], list[str]]:
    """Wait until both mailboxes are equal, or patience is over; the sums over both, and what differs."""
    end = time.monotonic() + patience
    while True:
        sums: Counter[str] = Counter()
        told: list[str] = []
        for address in PEOPLE:
            counts, lines = differences(product=product, sandbox=outlook.url, address=address)
            sums.update(counts)
            told += lines
        if (not told and not sums["twice"]) or time.monotonic() > end:
            return sums, told
        time.sleep(5)


def main() -> int:
    """Run the proof; 0 if the counters are 0, 0, 0 and more than that."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    port = ports.next_free(start=8500)
    command = [sys.executable, "-m", "m365sandbox", "--port", str(port), "--messages", str(asked.messages), "--small"]
    command += ["--json", "--access-token-minutes", "7", "--latency-ms", "40"]
    with tempfile.TemporaryDirectory(prefix="workestra-processes-") as folder:
        sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert sandbox.stdout is not None
        said = json.loads(sandbox.stdout.readline())
        product = Product(
            home=Path(folder),
            sandbox=f"http://127.0.0.1:{port}",
            client_id=said["client_id"],
            client_secret=said["client_secret"],
        )
        try:
            return _prove(asked, chance, product, Outlook(url=f"http://127.0.0.1:{port}", chance=chance))
        finally:
            product.stop()
            sandbox.terminate()
            sandbox.wait()


def _prove(asked: argparse.Namespace, chance: random.Random, product: Product, outlook: Outlook) -> int:
    product.run("migrate")
    for number, email in enumerate(PEOPLE.values()):
        product.create_user(email=email, workspace=f"Proof {number}")
    parts = Parts(product=product, second=ports.next_free(start=product.port + 1))
    parts.start_all()
    for address, email in PEOPLE.items():
        product.connect(email=email, address=address)
        product.run("backfill", address, "--range", "all")
    print(f"{asked.minutes:g} minutes, seed {asked.seed}: kills begin", flush=True)
    bad = chaos(parts=parts, outlook=outlook, chance=chance, minutes=asked.minutes)
    begun = time.monotonic()
    sums, told = judged(product=product, outlook=outlook, patience=240)
    outlook.look()
    parts.look()
    recovered = sum(any(low <= at <= high for low, high in bad) for at in outlook.touched)
    unexpected = [
        *parts.ended,
        *outlook.forbidden,
        *([f"{outlook.throttled} requests were throttled"] if outlook.throttled else []),
        *([f"{outlook.most} requests at once"] if outlook.most > 4 else []),
    ]
    for line in [*told[:20], *unexpected[:20]]:
        print(line)
    print("killed: " + ", ".join(f"{name} {count}" for name, count in parts.kills.most_common()))
    print("in Outlook: " + ", ".join(f"{name} {count}" for name, count in outlook.done.most_common()))
    print(f"equal {time.monotonic() - begun:.0f} s after the last kill; {sums['in Outlook']:,} messages in Outlook")
    print(f"{outlook.requests:,} requests, {outlook.throttled} answered 429, {outlook.most} at once at most")
    print(
        "0 DELETE or move requests on mail"
        if not outlook.forbidden
        else f"{len(outlook.forbidden)} forbidden requests"
    )
    wrong = sums["surplus"] + sums["different"] + len(unexpected)
    print(f"lost {sums['missing']}, duplicated {sums['twice']}, unexpected {wrong}, recovered {recovered}")
    return 0 if not (sums["missing"] or sums["twice"] or wrong) and recovered else 1


if __name__ == "__main__":
    sys.exit(main())
