"""The first path segment of every identity address: which accounts it lets in and which issuer it stands for.

"common" takes everybody, "organizations" work accounts, "consumers" (or its GUID) personal ones; a GUID or a
verified domain takes the accounts of that tenant. (Microsoft identity platform: OpenID Connect, endpoints.)
"""

from __future__ import annotations

from dataclasses import dataclass

from ..people import PERSONAL_TENANT, Directory, Person, Tenant
from .problems import Problem

TEMPLATE = "{tenantid}"


@dataclass(frozen=True, slots=True)
class Audience:
    """A resolved tenant segment. `key` is equal for all spellings of the same one."""

    key: str  # "common", "organizations" or a tenant id
    segment: str  # as it was written
    tenant: Tenant | None = None

    @property
    def issuer_tenant(self) -> str:
        """The tenant part of the discovery document's issuer: a GUID or Microsoft's literal placeholder."""
        return TEMPLATE if self.key in ("common", "organizations") else self.key

    def refuses(self, person: Person) -> Problem | None:
        """Why this person cannot sign in here, None when they can."""
        if self.key == "common":
            return None
        if self.key == "organizations":
            return Problem(500208, {"address": person.address}) if person.personal else None
        if person.tenant.id == self.key:
            return None
        if self.key == PERSONAL_TENANT:
            return Problem(500208, {"address": person.address})
        name = self.tenant.name if self.tenant else self.segment
        return Problem(50020, {"address": person.address, "tenant": name}, error="access_denied")


def resolve(segment: str, *, directory: Directory) -> Audience:
    """The audience of a path segment. Raises Problem 90002 for a tenant that nobody knows."""
    wanted = segment.casefold()
    if wanted in ("common", "organizations"):
        return Audience(key=wanted, segment=segment)
    if wanted in ("consumers", PERSONAL_TENANT):
        return Audience(key=PERSONAL_TENANT, segment=segment, tenant=directory.tenants.get(PERSONAL_TENANT))
    for tenant in directory.tenants.values():
        if wanted in (tenant.id.casefold(), tenant.domain.casefold()):
            return Audience(key=tenant.id, segment=segment, tenant=tenant)
    raise Problem(90002, {"tenant": segment})
