"""Gives every test of this folder the office."""

from __future__ import annotations

from tests.contract.identity.office import office

__all__ = ["office"]
