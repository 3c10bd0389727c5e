"""Which paths of Graph exist here, and who answers them. What is not in this table is refused as unknown."""

from __future__ import annotations

from . import (
    attachments,
    batch,
    contacts,
    folder_delta,
    folders,
    listing,
    message_delta,
    messages,
    profile,
    subscriptions,
    translate,
)
from .path import Router


def table() -> Router:
    """The router of /v1.0."""
    router = Router()
    add = router.add
    add("POST", "$batch", batch.batch)
    add("GET", "subscriptions", subscriptions.listed)
    add("POST", "subscriptions", subscriptions.create)
    add("GET", "subscriptions/{subscription}", subscriptions.get)
    add("PATCH", "subscriptions/{subscription}", subscriptions.patch)
    add("DELETE", "subscriptions/{subscription}", subscriptions.delete)
    add("POST", "subscriptions/{subscription}/reauthorize", subscriptions.reauthorize)
    for root in ("me", "users/{user}"):
        add("GET", root, profile.get)
        add("POST", f"{root}/translateExchangeIds", translate.translate)
        add("GET", f"{root}/mailFolders", folders.listed)
        add("GET", f"{root}/mailFolders/$count", folders.count)
        add("GET", f"{root}/mailFolders/delta", folder_delta.delta)
        add("GET", f"{root}/mailFolders/{{folder}}", folders.get)
        add("GET", f"{root}/mailFolders/{{folder}}/childFolders", folders.listed)
        add("GET", f"{root}/mailFolders/{{folder}}/childFolders/$count", folders.count)
        add("GET", f"{root}/mailFolders/{{folder}}/messages/delta", message_delta.delta)
        for place in (f"{root}/messages", f"{root}/mailFolders/{{folder}}/messages"):
            add("GET", place, listing.messages)
            add("GET", f"{place}/$count", listing.count)
            one = f"{place}/{{message}}"
            add("GET", one, messages.get)
            add("PATCH", one, messages.patch)
            add("DELETE", one, messages.delete)
            add("GET", f"{one}/$value", messages.value)
            add("POST", f"{one}/move", messages.move)
            add("POST", f"{one}/copy", messages.copy)
            add("POST", f"{one}/permanentDelete", messages.permanent_delete)
            add("GET", f"{one}/attachments", attachments.listed)
            add("GET", f"{one}/attachments/{{attachment}}", attachments.get)
            add("GET", f"{one}/attachments/{{attachment}}/$value", attachments.value)
        add("GET", f"{root}/contactFolders", contacts.folders)
        for place in (f"{root}/contacts", f"{root}/contactFolders/{{contactfolder}}/contacts"):
            add("GET", place, contacts.listed)
            add("GET", f"{place}/delta", contacts.delta)
            add("GET", f"{place}/{{contact}}", contacts.get)
    return router
