"""A person with a browser, for tests: walks the sign-in pages by their forms until the app is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import parse_qsl, urljoin, urlsplit


class Answer(Protocol):
    """A response of httpx or a library like it."""

    @property
    def status_code(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def headers(self) -> Any: ...


class Client(Protocol):
    """A blocking HTTP client that keeps cookies and does not follow redirects."""

    def get(self, url: str) -> Answer: ...
    def post(self, url: str, *, data: dict[str, str]) -> Answer: ...


@dataclass(slots=True)
class Form:
    """One form of a page: where it posts, its fields as loaded, its buttons by visible text."""

    action: str = ""
    step: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """What is on the screen. `returned`: the parameters that the app was sent, None while on Microsoft's side."""

    url: str
    status: int
    text: str
    forms: list[Form]
    returned: dict[str, str] | None = None

    @property
    def step(self) -> str:
        """pick, password, mfa, consent, needs_admin, blocked; empty on other pages."""
        return self.forms[0].step if self.forms else ""


class Visitor:
    """Signs in at a sandbox. `client` must keep cookies between calls and leave redirects alone."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def open(self, url: str) -> Page:
        """Follow a link."""
        return self._arrived(url, self.client.get(url))

    def press(self, page: Page, button: str, **typed: str) -> Page:
        """Press the button with this text (or, on the picker, this address) with values typed into the fields."""
        for form in page.forms:
            for text, (name, value) in form.buttons.items():
                if button in (text, value):
                    data = {**form.fields, **typed}
                    if name:
                        data[name] = value
                    url = urljoin(page.url, form.action)
                    return self._arrived(url, self.client.post(url, data=data))
        raise LookupError(f"no button {button!r} on {page.step!r}: {[list(form.buttons) for form in page.forms]}")

    def sign_in(self, url: str, *, address: str, password: str) -> Page:
        """Go all the way: pick the account, give the password, approve, accept. Stops where none of it helps."""
        page = self.open(url)
        for _ in range(6):
            if page.returned is not None:
                break
            if page.step == "pick":
                page = self.press(page, address)
            elif page.step == "password":
                page = self.press(page, "Sign in", password=password)
            elif page.step == "mfa":
                page = self.press(page, "Yes")
            elif page.step == "consent":
                page = self.press(page, "Accept")
            else:
                break
        return page

    def _arrived(self, url: str, answer: Answer) -> Page:
        if answer.status_code in (302, 303):
            target = urljoin(url, answer.headers["location"])
            parts = urlsplit(target)
            return Page(target, answer.status_code, "", [], dict(parse_qsl(parts.query or parts.fragment)))
        reader = _Forms()
        reader.feed(answer.text)
        page = Page(url, answer.status_code, answer.text, reader.forms)
        if reader.forms and not reader.forms[0].step:  # response_mode=form_post
            page.url, page.returned = reader.forms[0].action, dict(reader.forms[0].fields)
        return page


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._button: tuple[str, str] | None = None
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=values.get("action", ""), step=values.get("data-step", "")))
        elif tag == "input" and self.forms and values.get("type") not in ("checkbox",):
            self.forms[-1].fields[values.get("name", "")] = values.get("value", "")
        elif tag == "button":
            self._button, self._words = (values.get("name", ""), values.get("value", "")), []

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self._button is not None and self.forms:
            self.forms[-1].buttons[" ".join("".join(self._words).split())] = self._button
            self._button = None
