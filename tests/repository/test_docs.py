"""The documentation leads somewhere: links, files and tests that it names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLDERS = "api|benchmarks|charts|config|crds|dev|docs|engine|operator|tests"
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)")
MODULE = re.compile(r"`(\w+\.py)`")
TEST = re.compile(r"\btest_[a-z0-9_]+\b(?!\.py)")


def name(page: Path) -> str:
    """A page as people call it."""
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """What a link may lead to inside a page: each heading, in small letters, its spaces as dashes."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_or_heading(page: Path) -> None:
    """Addresses elsewhere are left to the reader."""
    broken = []
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """Whoever looks for a concept finds its file."""
    text = page.read_text()
    modules = {path.name for folder in FOLDERS.split("|") for path in (ROOT / folder).rglob("*.py")}
    assert [path for path in NAMED.findall(text) if not (ROOT / path).exists()] == []
    assert sorted(set(MODULE.findall(text)) - modules) == []


def test_every_test_that_the_invariants_name_exists() -> None:
    """A promise without its test is none."""
    named = set(TEST.findall((ROOT / "docs/explanation/invariants.md").read_text()))
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert [test for test in sorted(named) if f"def {test}(" not in sources] == []
