"""Gives every test of this folder the court."""

from __future__ import annotations

from tests.contract.judges.court import court

__all__ = ["court"]
