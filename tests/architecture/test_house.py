"""docs/architecture.md and the tree tell of the same house."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:workestra|m365sandbox)(?:\.\w+)*)`", TEXT))


def packages() -> set[str]:
    """Every package, by its dotted name; migrations go without saying."""
    return {
        ".".join(path.parent.relative_to(SOURCE).parts)
        for path in SOURCE.rglob("__init__.py")
        if path.parent.name != "migrations"
    }


def test_every_package_is_described() -> None:
    assert packages() - NAMED == set()


def test_every_name_in_the_description_is_in_the_tree() -> None:
    def exists(name: str) -> bool:
        path = SOURCE.joinpath(*name.split("."))
        return path.is_dir() or path.with_suffix(".py").is_file()

    assert [name for name in NAMED if not exists(name)] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench" / "README.md"]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 10
    broken = [f"{page.relative_to(ROOT)}: {target}" for page, target in links if not (page.parent / target).exists()]
    assert broken == []


def test_decisions_are_statements_with_numbers_of_their_own() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(pages) > 5
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        title = page.read_text(encoding="utf-8").splitlines()[0]
        assert re.fullmatch(r"# .+[^.?:]", title), page.name
        assert len(title.split()) > 4, page.name
