"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` names the subject, `text` says how it is, `remedy` what to do (empty where all is well)."""

    level: Level
    about: str
    text: str
    remedy: str = ""


def ok(about: str, text: str) -> Finding:
    """All is well."""
    return Finding("ok", about, text)


def warn(about: str, text: str, remedy: str) -> Finding:
    """It works, but not as it should."""
    return Finding("warn", about, text, remedy)


def fail(about: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding("fail", about, text, remedy)
