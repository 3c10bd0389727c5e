"""`workestra create-user`: a person with a seat in a workspace."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workestra.project.cli import out, ready
from workestra.project.cli.out import AsJson
from workestra.project.cli.problem import Code, Problem

ROLES = ("owner", "admin", "member")


def create_user(
    email: Annotated[str, typer.Argument(help="The person's address; they sign in with it.")],
    workspace: Annotated[str, typer.Option(help="Name of the workspace; made if there is none.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    role: Annotated[str, typer.Option(help="owner, admin or member.")] = "member",
    time_zone: Annotated[str, typer.Option(help="For example Europe/Berlin; empty: the browser's.")] = "",
    password: Annotated[
        str | None, typer.Option(help="Seen by others in the process list: prefer --password-stdin.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a person with a seat, or give an existing person this seat, role and password."""
    if role not in ROLES:
        raise Problem(f"--role is one of: {', '.join(ROLES)}", code=Code.USAGE)
    if not workspace.strip():
        raise Problem("--workspace needs a name.", code=Code.USAGE)
    _check_time_zone(time_zone)
    ready.django()
    _check_address(email)
    secret = _password(given=password, from_stdin=password_stdin)
    _check_password(secret, email=email, name=name)
    from workestra.tenancy.models import Role
    from workestra.tenancy.seats import create_seat

    seat = create_seat(
        email=email, password=secret, name=name, workspace=workspace, role=Role(role), time_zone=time_zone
    )
    if as_json:
        out.emit({"email": seat.user.email, "workspace": workspace, "workspaceId": seat.workspace_id, "role": role})
    else:
        out.console().print(f"{seat.user.email} is {role} of {workspace}.", markup=False)


def _password(*, given: str | None, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise Problem("Give a password: --password-stdin reads it from standard input.", code=Code.USAGE)
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _check_time_zone(name: str) -> None:
    import zoneinfo

    if not name:
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Problem(f"No time zone is called {name}. Example: Europe/Berlin", code=Code.USAGE) from None


def _check_address(email: str) -> None:
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    try:
        validate_email(email.strip())
    except ValidationError:
        raise Problem(f"{email} is not an e-mail address.", code=Code.USAGE) from None


def _check_password(secret: str, *, email: str, name: str) -> None:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from workestra.tenancy.models import User

    try:
        validate_password(secret, user=User(email=email, name=name))
    except ValidationError as problem:
        raise Problem(" ".join(problem.messages), code=Code.USAGE) from None
