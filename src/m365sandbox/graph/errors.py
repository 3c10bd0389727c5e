"""Refusals in Graph's words (Graph: error responses)."""

from __future__ import annotations

from typing import Any


class GraphError(Exception):
    """An answer that is not a success: HTTP status, Graph's code and message, and headers such as Retry-After."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        inner: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.inner = inner or {}

    def body(self, *, date: str, request_id: str, client_request_id: str) -> dict[str, Any]:
        """The error object; `date` without a zone, as Graph writes it."""
        inner = {**self.inner, "date": date, "request-id": request_id, "client-request-id": client_request_id}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


def bad_request(message: str, code: str = "BadRequest") -> GraphError:
    """400."""
    return GraphError(400, code, message)


def unknown_segment(segment: str) -> GraphError:
    """A path that Graph does not have."""
    return bad_request(f"Resource not found for the segment '{segment}'.")


def unknown_property(name: str, type_: str, *, where: str) -> GraphError:
    """A property that the type does not have, in $select/$expand ("select") or in $filter/$orderby ("uri")."""
    message = f"Could not find a property named '{name}' on type 'microsoft.graph.{type_}'."
    if where == "select":
        return bad_request(f"Parsing OData Select and Expand failed: {message}")
    return bad_request(message, "RequestBroker--ParseUri")


def item_not_found() -> GraphError:
    """404 for an item that is gone, moved (its old id) or never was."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def folder_not_found() -> GraphError:
    """404 for a folder that is gone or lies in another mailbox."""
    return GraphError(404, "ErrorFolderNotFound", "The specified folder could not be found in the store.")


def malformed_id() -> GraphError:
    """400 for an id that has not the shape of one."""
    return bad_request("Id is malformed.", "ErrorInvalidIdMalformed")


def access_denied() -> GraphError:
    """403 for a missing scope or a missing right."""
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def inefficient() -> GraphError:
    """400 for a $filter and $orderby that Exchange has no index for."""
    return bad_request("The restriction or sort order is too complex for this operation.", "InefficientFilter")


def method_not_allowed() -> GraphError:
    """405 for a path that exists, asked in a way that it does not answer to."""
    return GraphError(405, "BadRequest", "Specified HTTP method is not allowed for the request target.")
