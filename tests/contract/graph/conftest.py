"""Gives every test of this folder the stage."""

from __future__ import annotations

from tests.contract.graph.stagecraft import stage

__all__ = ["stage"]
