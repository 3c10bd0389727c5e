"""The pages that a person sees while signing in. Plain HTML: they work without scripts and by keyboard."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse

from ..people import Person
from . import scopes
from .problems import Problem
from .state import Flow

_FOLDER = Path(__file__).parent.parent / "templates"
_LAYOUT = Template((_FOLDER / "layout.html").read_text(encoding="utf-8"))
STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")


def page(*, title: str, body: str, status: int = 200, script: str = "", wide: bool = False) -> HTMLResponse:
    """A whole page. Nothing may run on it but `script`, by a nonce."""
    nonce = secrets.token_urlsafe(12)
    tag = f'<script nonce="{nonce}">{script}</script>' if script else ""
    html = _LAYOUT.substitute(title=escape(title), body=body, script=tag, width="wide" if wide else "narrow")
    policy = f"default-src 'none'; style-src 'self'; img-src data:; script-src 'nonce-{nonce}'; base-uri 'none'"
    return HTMLResponse(
        html, status_code=status, headers={"content-security-policy": policy, "cache-control": "no-store"}
    )


def step_page(
    step: str, *, flow: Flow, people: tuple[Person, ...], asked: frozenset[str], complaint: Problem | None
) -> HTMLResponse:
    """The page of one step, with what was wrong with the last answer on top."""
    if flow.person is None or step == "pick":
        title, inner = _picker(flow, people)
    elif step == "password":
        title, inner = _password(flow, flow.person)
    elif step == "mfa":
        title, inner = _second_factor(flow, flow.person)
    elif step == "blocked":
        title, inner = _blocked(flow, flow.person)
    elif step == "needs_admin":
        title, inner = _needs_admin(flow, flow.person)
    else:
        title, inner = _consent(flow, flow.person, asked)
    note = f'<p class="complaint" role="alert">{escape(_complaint(complaint))}</p>' if complaint else ""
    return page(title=title, body=f"<h1>{escape(title)}</h1>{note}{_form_start(flow, step)}{inner}</form>")


def _form_start(flow: Flow, step: str) -> str:
    tenant = escape(flow.request.audience.segment, quote=True)
    return (
        f'<form method="post" action="/{tenant}/signin" data-step="{step}">'
        f'<input type="hidden" name="flow" value="{flow.id}">'
    )


def problem_page(problem: Problem, *, now: datetime) -> HTMLResponse:
    """The page for what cannot be sent back to the app."""
    rows = {
        "Request Id": str(uuid.uuid4()),
        "Correlation Id": str(uuid.uuid4()),
        "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    details = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows.items())
    body = (
        "<h1>Sorry, but we’re having trouble signing you in.</h1>"
        f'<p class="complaint" role="alert">{escape(problem.text)}</p><dl>{details}</dl>'
    )
    return page(title="Sign in to your account", body=body, status=400)


def posting_form(*, action: str, values: dict[str, str]) -> HTMLResponse:
    """response_mode=form_post: a form that sends itself, with a button for browsers without scripts."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in values.items()
    )
    body = (
        f'<form method="post" action="{escape(action)}" id="answer">{fields}<h1>Working…</h1>'
        '<div class="row"><button class="primary">Continue</button></div></form>'
    )
    return page(title="Working…", body=body, script='document.getElementById("answer").submit()')


def _picker(flow: Flow, people: Iterable[Person]) -> tuple[str, str]:
    tiles = "".join(
        f'<li><button name="account" value="{escape(one.address)}" class="tile">'
        f"<span>{escape(one.name)}</span><small>{escape(one.address)}</small>"
        f"{'<em>Signed in</em>' if one.id in flow.session.people else ''}</button></li>"
        for one in people
    )
    hint = escape(flow.request.login_hint)
    pick = '<input type="hidden" name="action" value="pick">'
    return "Pick an account", (
        f'{pick}<ul class="tiles">{tiles}</ul></form>'
        f"{_form_start(flow, 'pick')}{pick}"
        '<label for="address">Use another account</label>'
        f'<input id="address" name="address" type="text" autocomplete="username" value="{hint}"'
        ' placeholder="Email, phone or Skype">'
        '<div class="row"><button class="primary" id="next">Next</button></div>'
    )


def _password(flow: Flow, person: Person) -> tuple[str, str]:
    return "Enter password", (
        f"{_who(person)}"
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" autofocus>'
        f'<p class="hint">In this sandbox it is <code>{escape(person.password)}</code></p>'
        '<div class="row"><button class="primary" name="action" value="password" id="sign-in">Sign in</button>'
        '<button class="quiet" name="action" value="another" id="another">'
        "Sign in with another account</button></div>"
    )


def _second_factor(flow: Flow, person: Person) -> tuple[str, str]:
    return "Approve sign in request", (
        f"{_who(person)}<p>Your authenticator app asks whether this is you. The number is</p>"
        f'<p class="number" id="number">{flow.number}</p>'
        '<div class="row"><button class="primary" name="action" value="approve" id="approve">Yes</button>'
        '<button class="quiet" name="action" value="cancel" id="cancel">I can’t approve this now</button></div>'
    )


def _blocked(flow: Flow, person: Person) -> tuple[str, str]:
    problem = Problem(int(person.blocked), {"address": person.address})
    return "You cannot access this right now", (
        f"{_who(person)}<p>Your sign-in was successful but does not meet the criteria to access this resource. "
        "For example, you might be signing in from a browser, app, or location that is restricted by your "
        f'admin.</p><p class="complaint">{escape(problem.text)}</p>'
        '<div class="row"><button class="primary" name="action" value="return" id="return">'
        "Return to the application</button>"
        '<button class="quiet" name="action" value="another" id="another">'
        "Sign in with another account</button></div>"
    )


def _needs_admin(flow: Flow, person: Person) -> tuple[str, str]:
    app = escape(flow.request.app.name)
    return "Need admin approval", (
        f"{_who(person)}<p><strong>{app}</strong> needs permission to access resources in "
        f"{escape(person.tenant.name)} that only an admin can grant. Please ask an admin to grant permission to "
        "this app before you can use it.</p>"
        '<div class="row"><button class="quiet" name="action" value="another" id="another">'
        "Have an admin account? Sign in with that account</button>"
        '<button class="quiet" name="action" value="return" id="return">'
        "Return to the application without granting consent</button></div>"
    )


def _consent(flow: Flow, person: Person, asked: frozenset[str]) -> tuple[str, str]:
    request = flow.request
    words = {**scopes.GRAPH, **scopes.WORDS}
    rows = "".join(
        f"<li><span>{escape(words.get(name, name))}</span><small>{escape(name)}</small></li>"
        for name in sorted(asked)
        if name not in ("openid", "profile", "email")
    )
    organisation = ""
    if person.admin and not request.admin_consent:
        organisation = (
            '<label class="check"><input type="checkbox" name="organisation" value="yes" id="organisation">'
            " Consent on behalf of your organization</label>"
        )
    title = "Permissions requested"
    title += f" — review for {person.tenant.name}" if request.admin_consent else ""
    return title, (
        f"{_who(person)}<p><strong>{escape(request.app.name)}</strong> would like to:</p>"
        f'<ul class="scopes">{rows}</ul>{organisation}'
        "<p class='hint'>Accepting these permissions means that you allow this app to use your data.</p>"
        '<div class="row"><button class="primary" name="action" value="accept" id="accept">Accept</button>'
        '<button class="quiet" name="action" value="cancel" id="cancel">Cancel</button></div>'
    )


def _who(person: Person) -> str:
    return f'<p class="who">{escape(person.address)}</p>'


def _complaint(problem: Problem) -> str:
    plain = {
        50034: "This username may be incorrect. Make sure you typed it correctly.",
        50126: "Your account or password is incorrect.",
        500208: "You can’t sign in here with this kind of account. Use another one instead.",
    }
    said = plain.get(problem.number)
    return f"{said} ({problem.text})" if said else problem.text
