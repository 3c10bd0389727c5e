"""Every setting that Workestra reads from its environment, checked before anything starts (OPS 1).

The names are stable. A missing or malformed value stops the start with the name of the variable and an
example of a good value; nothing else in the product reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from workestra.project import env_checks as checks

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class SettingsProblem(Exception):
    """Settings cannot be used. The text names each variable and gives an example."""


EXAMPLES = {
    "WORKESTRA_HOME": "./var",
    "WORKESTRA_DATABASE_URL": "postgresql://workestra:secret@db.example:5432/workestra",
    "WORKESTRA_DATABASE_ROLE": "workestra_app",
    "WORKESTRA_PUBLIC_URL": "https://mail.example.com",
    "WORKESTRA_TRUSTED_PROXIES": "1",
    "WORKESTRA_SECRET_KEY": "fifty-or-more-random-characters, from: openssl rand -base64 48",
    "WORKESTRA_TOKEN_KEYS": "k1:base64-of-32-random-bytes, from: openssl rand -base64 32",
    "WORKESTRA_MICROSOFT_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "WORKESTRA_MICROSOFT_CLIENT_SECRET": "the secret's value from the Azure portal",
    "WORKESTRA_MICROSOFT_AUTHORITY": "https://login.microsoftonline.com/common",
    "WORKESTRA_GRAPH_URL": "https://graph.microsoft.com/v1.0",
    "WORKESTRA_CA_BUNDLE": "/etc/workestra/ca.pem",
    "WORKESTRA_LIGHT_SYNC_MINUTES": "15",
    "WORKESTRA_SUBSCRIPTION_DAYS": "3",
    "WORKESTRA_WORKER_CONCURRENCY": "8",
    "WORKESTRA_DEBUG": "false",
    "WORKESTRA_LOG_FORMAT": "console",
}


class Environment(BaseSettings):
    """One attribute a variable; `WORKESTRA_` and the upper-case name make the variable."""

    model_config = SettingsConfigDict(env_prefix="WORKESTRA_", extra="ignore", env_ignore_empty=True)

    home: Path = Field(Path("var"), description="Folder for the embedded database and uploads.")
    database_url: str = Field("", description="PostgreSQL to use; empty: the embedded one under the home.")
    database_role: str = Field("workestra_app", description="Role without BYPASSRLS that the product runs as.")
    public_url: str = Field("http://127.0.0.1:8000", description="Address under which people open Workestra.")
    trusted_proxies: int = Field(0, ge=0, le=9, description="Proxies in front that write X-Forwarded-For.")
    secret_key: str = Field(description="Signs sessions and forms.")
    token_keys: str = Field(description="Keys that encrypt Microsoft tokens; the first encrypts.")
    microsoft_client_id: str = Field("", description="Application (client) id of the Entra app registration.")
    microsoft_client_secret: str = Field("", description="Its client secret.")
    microsoft_authority: str = Field("https://login.microsoftonline.com/common", description="Where people sign in.")
    graph_url: str = Field("https://graph.microsoft.com/v1.0", description="Microsoft Graph.")
    ca_bundle: Path | None = Field(None, description="PEM file of a further certificate authority to trust.")
    light_sync_minutes: float = Field(
        15, gt=0, le=1440, allow_inf_nan=False, description="Minutes between light syncs."
    )
    subscription_days: float = Field(
        3, gt=0.1, le=6.9, allow_inf_nan=False, description="Life asked for a subscription, in days."
    )
    worker_concurrency: int = Field(8, ge=1, le=64, description="Jobs that one worker runs at once.")
    debug: bool = Field(False, description="Development mode: pages show tracebacks. Never on a server.")
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or machines.")

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Any) -> Any:
        """Blanks around a value mean nothing, and a value of blanks alone is none (files with Windows line ends)."""
        tidy = {name: value.strip() if isinstance(value, str) else value for name, value in dict(values).items()}
        return {name: value for name, value in tidy.items() if value != ""}

    @field_validator("*", mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            raise ValueError("is in quotes: write it without them")
        return value

    _public = field_validator("public_url")(checks.public)
    _authority = field_validator("microsoft_authority")(checks.authority)
    _role = field_validator("database_role")(checks.role)
    _home = field_validator("home")(checks.home)

    @field_validator("graph_url")
    @classmethod
    def _graph(cls, value: str) -> str:
        return checks.private(checks.address(value))

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        return checks.database(value) if value else ""

    @field_validator("secret_key")
    @classmethod
    def _secret(cls, value: str) -> str:
        return checks.secret(value, example=EXAMPLES["WORKESTRA_SECRET_KEY"])

    @field_validator("token_keys")
    @classmethod
    def _keys(cls, value: str) -> str:
        checks.token_keys(value)
        return value

    @field_validator("ca_bundle")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        return checks.certificates(value) if value else None


def parse_token_keys(value: str) -> dict[str, bytes]:
    """`id:base64,id:base64` -> {id: 32 bytes}, in order. Raises ValueError with what is wrong."""
    return checks.token_keys(value)


def read() -> Environment:
    """Read and check the environment.

    Raises:
        SettingsProblem: with one line for each variable that is missing or malformed.
    """
    try:
        found = Environment()  # type: ignore[call-arg]
    except ValidationError as problem:
        wrong = [(str(error["loc"][0]), _words(error)) for error in problem.errors()]
    else:
        wrong = list(_together(found))
    if wrong:
        raise SettingsProblem("\n".join(_line(field, text) for field, text in wrong))
    return found


def unknown() -> list[str]:
    """Variables in the environment that look like settings and are none: misspelt, or of another version."""
    return sorted(name for name in os.environ if name.startswith("WORKESTRA_") and name not in EXAMPLES)


def _together(found: Environment) -> Iterator[tuple[str, str]]:
    """What is wrong although each value is right by itself: (field, words)."""
    pair = ("microsoft_client_id", "microsoft_client_secret")
    for one, other in (pair, pair[::-1]):
        if getattr(found, other) and not getattr(found, one):
            yield one, f"is not set, but WORKESTRA_{other.upper()} is: the two go together"
    if not found.database_url:
        try:
            checks.must_be_writable(found.home)
        except ValueError as problem:
            yield "home", str(problem)


def _line(field: str, text: str) -> str:
    name = f"WORKESTRA_{field.upper()}"
    return f"{name} {text}. Example: {name}={EXAMPLES[name]}"


def _words(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    known = {
        "missing": "is not set",
        "float_parsing": "must be a number",
        "finite_number": "must be a number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "bool_parsing": "must be true or false",
        "literal_error": f"must be {context.get('expected', '')}",
        "greater_than": f"must be more than {context.get('gt', 0):g}",
        "greater_than_equal": f"must be at least {context.get('ge', 0):g}",
        "less_than_equal": f"must be at most {context.get('le', 0):g}",
    }
    return known.get(error["type"]) or error["msg"].removeprefix("Value error, ").rstrip(".")
