"""Whether a setting can be used. Each check returns the value to use, or raises ValueError with what is wrong."""

from __future__ import annotations

import base64
import binascii
import os
import re
import ssl
import tempfile
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from workestra.kit.loopback import is_loopback

HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
RESET = ("none", "public", "postgres", "current_user", "session_user", "current_role")
BLANKS = re.compile(r"[\s\x00-\x1f\x7f]")


def address(value: str) -> str:
    """An address of a web server: scheme and host in lower case, no slash at the end."""
    parts = _parts(value, schemes=("http", "https"), kind="a web address that starts with https://")
    if "?" in value or "#" in value or "@" in parts.netloc:
        raise ValueError("must not carry a user, a password, a query or a fragment")
    host = (parts.hostname or "").lower()
    if not host.isascii():
        raise ValueError(f"must have its host in ASCII form: {host.encode('idna').decode()}")
    if ":" not in host and not HOST.fullmatch(host):
        raise ValueError(f"has no host that could exist: {host}")
    named = f"[{host}]" if ":" in host else host
    port = parts.port
    usual = 443 if parts.scheme == "https" else 80
    where = named if port in (None, usual) else f"{named}:{port}"
    return f"{parts.scheme}://{where}{parts.path.rstrip('/')}"


def public(value: str) -> str:
    """The address under which people open Workestra: no folder below the host."""
    found = address(value)
    if urlsplit(found).path:
        raise ValueError("must end after the host: Workestra has a host of its own, not a folder of one")
    return found


def authority(value: str) -> str:
    """Where people sign in: the service, and a tenant (or common, organizations, consumers) as the last part."""
    found = address(value)
    segments = urlsplit(found).path.split("/")[1:]
    if not segments or "" in segments:
        raise ValueError("must end with a tenant: common, organizations, consumers or your tenant's id")
    if segments[-1].lower() in ("v2.0", "oauth2", "authorize", "token") or "oauth2" in segments:
        raise ValueError("must end with the tenant, without what follows it (/v2.0, /oauth2/…)")
    return private(found)


def private(value: str) -> str:
    """An address to which tokens are sent: over TLS, or not leaving this machine."""
    if value.startswith("http://") and not is_loopback(url=value):
        raise ValueError("must start with https:// (plain http only on this machine)")
    return value


def database(value: str) -> str:
    """An address of a PostgreSQL, as libpq understands it."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("must start with postgresql://")
    try:
        said = conninfo_to_dict(value)
    except psycopg.Error as problem:
        raise ValueError(f"is not understood: {str(problem).strip()}") from None
    for port in filter(None, str(said.get("port", "")).split(",")):
        _number(port, name="port", most=65535)
    if said.get("connect_timeout"):
        _number(str(said["connect_timeout"]), name="connect_timeout", most=3600)
    if not said.get("dbname"):
        raise ValueError("names no database after the host")
    return value


def role(value: str) -> str:
    """A role of PostgreSQL's that can be bound by row-level security."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", value):
        raise ValueError("may have up to 63 letters, digits and underscores, and no digit in front")
    if value.lower() in RESET or value.lower().startswith("pg_"):
        raise ValueError(f"must be a role of its own; {value} means something else to PostgreSQL")
    return value


def secret(value: str, *, example: str) -> str:
    """A long text that nobody can guess."""
    if len(value) < 40:
        raise ValueError(f"must have at least 40 characters, it has {len(value)}")
    if value == example:
        raise ValueError("is the example itself: make one of your own")
    return value


def token_keys(value: str) -> dict[str, bytes]:
    """`id:base64,id:base64` -> {id: 32 bytes}, in order."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        name, sep, encoded = part.partition(":")
        if not sep or not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name):
            raise ValueError("must be written id:base64, with an id of up to 40 letters, digits, dots and dashes")
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


def certificates(value: Path) -> Path:
    """A file of certificate authorities in PEM form."""
    path = value.expanduser()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"names a file that is not there: {path}") from None
    except OSError as problem:
        raise ValueError(f"names a file that cannot be read: {path} ({problem.strerror})") from None
    if not content.strip():
        raise ValueError(f"names an empty file: {path}")
    if b"-----BEGIN CERTIFICATE-----" not in content and b"-----BEGIN TRUSTED CERTIFICATE-----" not in content:
        raise ValueError(f"names a file without a certificate in PEM form (-----BEGIN CERTIFICATE-----): {path}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=str(path))
    except (ssl.SSLError, OSError) as problem:
        raise ValueError(f"names a file whose certificates cannot be read: {path} ({problem})") from None
    return path


def home(value: Path) -> Path:
    """A folder, or a place where one can be made."""
    path = value.expanduser()
    for one in (path, *path.absolute().parents):
        if os.path.lexists(one):
            if not one.is_dir():
                raise ValueError(f"must be a folder; {one} is none")
            return path
    return path


def must_be_writable(path: Path) -> None:
    """Raises ValueError where nothing can be written into the folder, or it cannot be made."""
    nearest = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as problem:
        raise ValueError(f"cannot be written: {nearest} ({problem.strerror})") from None


def _parts(value: str, *, schemes: tuple[str, ...], kind: str) -> SplitResult:
    if BLANKS.search(value):
        raise ValueError("must not have a blank or a control character in it")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as problem:
        raise ValueError(f"is no address: {problem}") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"must be {kind}")
    if port == 0:
        raise ValueError("must have a port between 1 and 65535")
    return parts


def _number(text: str, *, name: str, most: int) -> None:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"has {name} {text}, which must be between 1 and {most}")
