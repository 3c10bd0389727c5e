"""System query options: which of them a resource takes, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from .errors import bad_request


@dataclass(slots=True)
class Options:
    """The options of one request by name, checked against what the resource takes."""

    pairs: list[tuple[str, str]]
    values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.pairs:
            if name in self.values:
                raise bad_request(
                    f"Query option '{name}' was specified more than once, but it must be specified at most once."
                )
            self.values[name] = value

    def only(self, *allowed: str) -> Options:
        """Refuse every option outside `allowed`."""
        for name in self.values:
            if name not in allowed:
                raise bad_request(f"The query parameter '{name}' is not supported.")
        return self

    def text(self, name: str) -> str | None:
        """The value, or None when the option is missing."""
        return self.values.get(name)

    def flag(self, name: str) -> bool:
        """A true/false option; missing is false."""
        value = self.values.get(name, "false").casefold()
        if value not in ("true", "false"):
            raise bad_request(
                f"Invalid value '{self.values[name]}' for {name} query option found. Valid values are "
                "'true' and 'false'."
            )
        return value == "true"

    def top(self, *, default: int, most: int = 1000) -> int:
        """$top, 1 to `most`."""
        value = self._number("$top")
        if value is None:
            return default
        if value == 0:
            raise bad_request(
                "Invalid value '0' for $top query option found. The $top query option requires a "
                "positive integer value."
            )
        if value > most:
            raise bad_request(
                f"The limit of '{most}' for Top query has been exceeded. The value from the incoming "
                f"request is '{value}'."
            )
        return value

    def skip(self) -> int:
        """$skip, 0 when missing."""
        return self._number("$skip") or 0

    def _number(self, name: str) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not value.isascii() or not value.isdigit():
            raise bad_request(
                f"Invalid value '{value}' for {name} query option found. The {name} query option "
                "requires a non-negative integer value."
            )
        return int(value)

    def link(self, url: str, **changes: str) -> str:
        """`url` with all options, some replaced or added (given without their $)."""
        values = {**self.values, **{f"${name}": value for name, value in changes.items()}}
        return url + "?" + "&".join(f"{_name(name)}={quote(value, safe='')}" for name, value in values.items())


def _name(name: str) -> str:
    return quote(name, safe="$")
