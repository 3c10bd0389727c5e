"""Believable people and their mail, the same for the same seed (SBX 3)."""

from .company import CLIENT_ID, CLIENT_SECRET, PASSWORD, company
from .contacts import contacts
from .mail import MEAN_HTML, Placement, letters
from .outsiders import Outsider, outsiders

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "MEAN_HTML",
    "PASSWORD",
    "Outsider",
    "Placement",
    "company",
    "contacts",
    "letters",
    "outsiders",
]
