"""Writes docs/operate/settings.md from the product's own list of settings; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from workestra.project.env import EXAMPLES, Environment

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operate" / "settings.md"
HEAD = """\
# Settings

Workestra is set up by environment variables and by nothing else. They are checked at the start: one that is missing
or malformed stops it with the name of the variable and an example. This page is written from
`src/workestra/project/env.py` by `make format`.

| variable | meaning | default | example |
|---|---|---|---|
"""
FOOT = """
`WORKESTRA_CA_BUNDLE` is trusted besides the system's authorities, for every outgoing call. Plain `http` is accepted
for `WORKESTRA_MICROSOFT_AUTHORITY` and `WORKESTRA_GRAPH_URL` on this machine only.

Every command checks all of them first and names each that cannot be used, with what is wrong and an example. Blanks
around a value mean nothing, and an empty value is none; quotes belong to a shell and not into a file of settings.
`WORKESTRA_PUBLIC_URL` ends after the host (and port), `WORKESTRA_MICROSOFT_AUTHORITY` with a tenant. A name that is
misspelt stops nothing; `workestra doctor` tells of it.

To change the key that encrypts tokens put the new one in front: `WORKESTRA_TOKEN_KEYS=k2:…,k1:…`. The first encrypts,
all decrypt. Keep the old one as long as rows need it.
"""


def row(name: str, field: FieldInfo) -> str:
    """A line of the table."""
    variable = f"WORKESTRA_{name.upper()}"
    if field.is_required():
        default = "**required**"
    elif field.default in ("", None):
        default = "none"
    else:
        default = f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
    example = EXAMPLES[variable].replace("|", "\\|")
    return f"| `{variable}` | {field.description} | {default} | `{example}` |\n"


def page() -> str:
    """The whole page."""
    return HEAD + "".join(row(name, field) for name, field in Environment.model_fields.items()) + FOOT


def main() -> int:
    """Write or compare. Returns the exit status."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print(f"{PAGE} is not what env.py says. Run: make format", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
