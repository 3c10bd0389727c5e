"""Who has agreed to what: the scopes that people granted themselves and those that an admin granted for all."""

from __future__ import annotations

from ..people import Person, Tenant
from . import scopes


class Consents:
    """Grants by (person, app) and by (tenant, app). Both add up; nothing is ever narrowed by asking for less."""

    def __init__(self) -> None:
        self._by_person: dict[tuple[str, str], set[str]] = {}
        self._by_tenant: dict[tuple[str, str], set[str]] = {}

    def granted(self, *, person: Person, app_id: str) -> frozenset[str]:
        """Everything this person's tokens for the app may carry."""
        own = self._by_person.get((person.id, app_id), set())
        tenant = self._by_tenant.get((person.tenant.id, app_id), set())
        return frozenset(own | tenant)

    def missing(self, *, person: Person, app_id: str, asked: frozenset[str]) -> frozenset[str]:
        """What still needs consent out of what was asked. Personal accounts are never asked for .Shared scopes."""
        wanted = scopes.for_personal(asked) if person.personal else asked
        return frozenset(wanted - self.granted(person=person, app_id=app_id) - {".default"})

    def grant(self, *, person: Person, app_id: str, names: frozenset[str]) -> None:
        """The person accepted."""
        allowed = scopes.for_personal(names) if person.personal else names
        self._by_person.setdefault((person.id, app_id), set()).update(allowed - {".default"})

    def grant_for_tenant(self, *, tenant: Tenant, app_id: str, names: frozenset[str]) -> None:
        """An admin accepted on behalf of the organisation."""
        self._by_tenant.setdefault((tenant.id, app_id), set()).update(names - {".default"})

    def withdraw(self, *, person: Person, names: frozenset[str] | None = None) -> None:
        """Take a person's own consent back, all of it or some scopes."""
        for key in [key for key in self._by_person if key[0] == person.id]:
            if names is None:
                del self._by_person[key]
            else:
                self._by_person[key] -= names

    def needs_admin(self, *, person: Person, names: frozenset[str]) -> bool:
        """Whether only an admin may agree to these scopes for this person."""
        closed = person.tenant.consent == "admin" and not person.personal and not person.admin
        return closed and bool(names & scopes.NEEDS_ADMIN_BY_POLICY)
