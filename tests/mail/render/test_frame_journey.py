"""In a real Chromium: hostile mail in its frame runs nothing and asks nothing of anybody.

The frame is loaded from a small server of the test's own, with the policy and the sandbox that the product
uses. Two walls are tried alone as well: the sanitised page without policy and sandbox, and the raw mail under
the policy and the sandbox.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from tests.mail.render.rendering import rendered
from tests.mail.render.vectors import EVERYTHING

from workestra.mail.views import BODY_POLICY

pytestmark = pytest.mark.journey

SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
FRAME = "<iframe {sandbox} src='{src}' width=900 height=300></iframe>"


class Stage:
    """Pages by path, and the paths that were asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        stage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path
                stage.asked.append(path)
                kind, body, headers = stage.pages.get(path, ("text/plain", b"", {}))
                self.send_response(200 if path in stage.pages else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def page(self, path: str, html: str, *, policy: str = "") -> None:
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.pages[path] = ("text/html; charset=utf-8", html.encode("utf-8", "replace"), headers)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def stage() -> Iterator[Stage]:
    here = Stage()
    here.pages["/static/mail-frame.css"] = ("text/css", b"body{margin:0}", {})
    yield here
    here.stop()


class Watch:
    """What a page did that it must not: dialogs, requests that leave, windows."""

    def __init__(self, page: Page, origin: str) -> None:
        self.dialogs: list[str] = []
        self.left: list[str] = []
        self.windows = 0
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._request(request.url, origin))
        page.on("popup", lambda _: self._window())
        page.add_init_script("window.alert = window.confirm = window.prompt = () => { window.top.ran = true; };")

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _request(self, url: str, origin: str) -> None:
        if not url.startswith((origin, "data:", "about:")):
            self.left.append(url)

    def _window(self) -> None:
        self.windows += 1


def play(chromium: Browser, stage: Stage, *, sandboxed: bool) -> tuple[Watch, Page]:
    """Show the frame, touch everything in it, and wait for whatever it starts."""
    box = f'sandbox="{SANDBOX}"' if sandboxed else ""
    mails = [path for path in stage.pages if path.startswith("/mail")]
    frames = "".join(FRAME.format(src=path, sandbox=box) for path in mails)
    stage.page("/", f"<!doctype html><title>host</title>{frames}")
    page = chromium.new_context(viewport={"width": 1000, "height": 800}).new_page()
    watch = Watch(page, stage.url)
    page.goto(stage.url, wait_until="load")
    for y in (40, 120, 260):
        page.mouse.move(100, y)
    page.keyboard.press("Tab")
    page.wait_for_timeout(400)
    return watch, page


def ours(path: str) -> bool:
    known = ("/", "/static/mail-frame.css", "/favicon.ico")
    return path in known or path.startswith(("/mail", "/m/7/att/", "/m/7/cid/"))


def assert_quiet(watch: Watch, page: Page, stage: Stage) -> None:
    assert watch.dialogs == []
    assert watch.left == []
    assert watch.windows == 0
    assert not page.evaluate("Boolean(window.ran)")
    assert [one for one in stage.asked if not ours(urlsplit(one).path)] == []
    assert page.url == f"{stage.url}/"
    mails = {path for path in stage.pages if path.startswith("/mail")}
    assert {urlsplit(frame.url).path for frame in page.frames} == {"/", *mails}


GROUPS = {f"{start}-{start + 11}": EVERYTHING[start : start + 12] for start in range(0, len(EVERYTHING), 12)}


@pytest.mark.parametrize("group", GROUPS)
def test_hostile_mail_in_its_frame_stays_quiet(group: str, chromium: Browser, stage: Stage) -> None:
    mail = "<hr>".join(f"<div>{one}</div>" for one in GROUPS[group])
    stage.page("/mail", rendered(mail).html, policy=BODY_POLICY)
    watch, page = play(chromium, stage, sandboxed=True)
    assert_quiet(watch, page, stage)
    page.context.close()


@pytest.mark.parametrize("group", GROUPS)
def test_the_sanitised_page_alone_is_quiet_without_policy_and_sandbox(
    group: str, chromium: Browser, stage: Stage
) -> None:
    for number, one in enumerate(GROUPS[group]):
        stage.page(f"/mail/{number}", rendered(one).html)
    watch, page = play(chromium, stage, sandboxed=False)
    assert_quiet(watch, page, stage)
    page.context.close()


def test_the_frame_alone_stops_scripts_and_loads_of_raw_mail(chromium: Browser, stage: Stage) -> None:
    raw = "".join(one for one in EVERYTHING if "http-equiv=refresh" not in one and "plaintext" not in one)
    stage.page("/mail", f"<!doctype html><body>{raw}", policy=BODY_POLICY)
    watch, page = play(chromium, stage, sandboxed=True)
    assert watch.dialogs == []
    assert not page.evaluate("Boolean(window.ran)")
    assert watch.windows == 0
    page.context.close()


def test_the_judge_sees_what_raw_mail_does_without_walls(chromium: Browser, stage: Stage) -> None:
    stage.page("/mail", "<!doctype html><img src=x onerror=alert(1)><img src='http://127.0.0.1:9/out.png'>")
    watch, page = play(chromium, stage, sandboxed=False)
    assert page.evaluate("Boolean(window.ran)")
    assert watch.left == ["http://127.0.0.1:9/out.png"]
    page.context.close()


def test_fixed_layers_and_huge_boxes_stay_inside_the_mail(chromium: Browser, stage: Stage) -> None:
    mail = (
        "<div style='position:fixed;top:0;left:0;width:100vw;height:100vh;background:red'>cover</div>"
        "<p style='margin-top:-5000px'>up</p><p style='width:90000000px;height:90000000px'>big</p><p>end</p>"
    )
    stage.page("/mail", rendered(mail).html, policy=BODY_POLICY)
    _, page = play(chromium, stage, sandboxed=True)
    frame = page.frames[1]
    boxes = frame.eval_on_selector_all(
        ".mail-text *", "all => all.map(e => [getComputedStyle(e).position, e.getBoundingClientRect().top])"
    )
    assert [one[0] for one in boxes] == ["static"] * len(boxes)
    assert all(0 <= one[1] < 2000 for one in boxes)
    page.context.close()


def test_a_link_opens_a_window_of_its_own_without_an_opener(chromium: Browser, stage: Stage) -> None:
    stage.page("/mail", rendered(f"<a href='{stage.url}/out'>go</a>").html, policy=BODY_POLICY)
    stage.page("/out", "<!doctype html><title>out</title>")
    _, page = play(chromium, stage, sandboxed=True)
    with page.context.expect_page() as opened:
        page.frames[1].click("text=go")
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("window.opener === null && document.referrer === ''")
    assert page.url == f"{stage.url}/"
    page.context.close()
