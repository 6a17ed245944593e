"""Code stays small enough to read."""

import ast
import io
import statistics
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "api/golive_api",
    "api/golive_notices",
    "operator/golive_decisions",
    "operator/golive_operator",
    "operator/kubectl_golive",
    "engine/golive_engine",
    "engine/golive_simulator",
    "dev/golive_dev",
)
STRICT = ("operator/golive_decisions", "engine/golive_engine/riskgate.py", "engine/golive_engine/checks.py")
"""Where a function may have 25 lines at the most."""

SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of each function, its docstring left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            doc = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1 - doc


def explaining_lines(path: Path) -> int:
    """Lines of comments and of docstrings, those under fields among them."""
    text = path.read_text()
    comments = sum(
        token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(text).readline)
    )
    strings = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
    return comments + sum((node.end_lineno or 0) - node.lineno + 1 for node in strings)


def code_lines(path: Path) -> int:
    """Lines that are not blank."""
    return sum(bool(line.strip()) for line in path.read_text().splitlines())


def test_no_file_is_longer_than_500_lines_and_half_are_shorter_than_150() -> None:
    """A file that wants more is two."""
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: size for name, size in sizes.items() if size > 500} == {}
    assert statistics.median(sizes.values()) <= 150


def test_no_function_is_longer_than_50_lines_and_half_are_shorter_than_9() -> None:
    """A function fits on a screen."""
    lengths = dict(entry for path in SOURCES for entry in functions(path))
    assert {name: length for name, length in lengths.items() if length > 50} == {}
    assert statistics.median(lengths.values()) <= 8


@pytest.mark.parametrize("where", STRICT)
def test_deciding_code_has_functions_of_at_most_25_lines(where: str) -> None:
    """What opens a gate or passes an order is read at a glance."""
    start = ROOT / where
    paths = [start] if start.is_file() else sorted(start.rglob("*.py"))
    assert paths
    lengths = dict(entry for path in paths for entry in functions(path))
    assert {name: length for name, length in lengths.items() if length > 25} == {}


def test_for_each_five_lines_of_code_one_or_two_explain() -> None:
    """Less leaves the reader alone, more hides the code."""
    explaining, all_lines = sum(map(explaining_lines, SOURCES)), sum(map(code_lines, SOURCES))
    assert 0.20 <= explaining / (all_lines - explaining) <= 0.40
