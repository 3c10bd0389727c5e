"""Every setting that Workestra reads from its environment, checked before anything starts (OPS 1).

The names are stable. A missing or malformed value stops the start with the name of the variable and an
example of a good value; nothing else in the product reads the environment.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from workestra.kit.loopback import is_loopback


class SettingsProblem(Exception):
    """Settings cannot be used. The text names each variable and gives an example."""


EXAMPLES = {
    "WORKESTRA_HOME": "./var",
    "WORKESTRA_DATABASE_URL": "postgresql://workestra:secret@db.example:5432/workestra",
    "WORKESTRA_DATABASE_ROLE": "workestra_app",
    "WORKESTRA_PUBLIC_URL": "https://mail.example.com",
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
    secret_key: str = Field(description="Signs sessions and forms.")
    token_keys: str = Field(description="Keys that encrypt Microsoft tokens; the first encrypts.")
    microsoft_client_id: str = Field("", description="Application (client) id of the Entra app registration.")
    microsoft_client_secret: str = Field("", description="Its client secret.")
    microsoft_authority: str = Field("https://login.microsoftonline.com/common", description="Where people sign in.")
    graph_url: str = Field("https://graph.microsoft.com/v1.0", description="Microsoft Graph.")
    ca_bundle: Path | None = Field(None, description="PEM file of a further certificate authority to trust.")
    light_sync_minutes: float = Field(15, gt=0, le=1440, description="Minutes between light syncs.")
    subscription_days: float = Field(3, gt=0.1, le=6.9, description="Life asked for a subscription, in days.")
    worker_concurrency: int = Field(8, ge=1, le=64, description="Jobs that one worker runs at once.")
    debug: bool = Field(False, description="Development mode: pages show tracebacks. Never on a server.")
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or machines.")

    @field_validator("public_url", "microsoft_authority", "graph_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a web address that starts with https://")
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError("must not carry a query, a fragment or a password")
        return value.rstrip("/")

    @field_validator("microsoft_authority", "graph_url")
    @classmethod
    def _tls_or_loopback(cls, value: str) -> str:
        if value.startswith("http://") and not is_loopback(url=value):
            raise ValueError("must start with https:// (plain http only on this machine)")
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("postgresql", "postgres"):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_secret(cls, value: str) -> str:
        if len(value) < 40:
            raise ValueError("must have at least 40 characters")
        return value

    @field_validator("token_keys")
    @classmethod
    def _keys(cls, value: str) -> str:
        parse_token_keys(value)
        return value

    @field_validator("ca_bundle")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"no file at {value}")
        return value

    @field_validator("database_role")
    @classmethod
    def _role(cls, value: str) -> str:
        if not value.replace("_", "a").isalnum() or not value.isascii():
            raise ValueError("may have letters, digits and underscores only")
        return value

    @model_validator(mode="after")
    def _client(self) -> Environment:
        if bool(self.microsoft_client_id) != bool(self.microsoft_client_secret):
            raise ValueError(
                "WORKESTRA_MICROSOFT_CLIENT_ID and WORKESTRA_MICROSOFT_CLIENT_SECRET go together: set both or neither"
            )
        return self


def parse_token_keys(value: str) -> dict[str, bytes]:
    """`id:base64,id:base64` -> {id: 32 bytes}, in order. Raises ValueError with what is wrong."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        name, sep, encoded = part.partition(":")
        if not sep or not name.isalnum() or len(name) > 16:
            raise ValueError("each key is written id:base64, with an id of letters and digits")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"key {name} is not base64") from None
        if len(raw) != 32:
            raise ValueError(f"key {name} must be 32 bytes, it has {len(raw)}")
        if name in keys:
            raise ValueError(f"key {name} is there twice")
        keys[name] = raw
    if not keys:
        raise ValueError("needs at least one key")
    return keys


def read() -> Environment:
    """Read and check the environment.

    Raises:
        SettingsProblem: with one line for each variable that is missing or malformed.
    """
    try:
        return Environment()  # type: ignore[call-arg]
    except ValidationError as problem:
        lines = []
        for error in problem.errors():
            field = str(error["loc"][0]) if error["loc"] else ""
            name = f"WORKESTRA_{field.upper()}" if field else ""
            what = "is not set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")
            example = f" Example: {name}={EXAMPLES[name]}" if name in EXAMPLES else ""
            lines.append(f"{name} {what}.{example}".strip())
        raise SettingsProblem("\n".join(lines)) from None
