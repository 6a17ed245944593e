"""The repository keeps the rules that its layout rests on."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("api", "operator", "engine", "dev")


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks or would track."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("folder", SOURCE_ROOTS)
def test_a_source_root_holds_no_python_of_its_own(folder: str) -> None:
    """`operator/__init__.py` would shadow the standard library."""
    assert not list((ROOT / folder).glob("*.py"))


def test_tests_have_no_packages_and_no_folder_called_operator() -> None:
    """Either would shadow modules once the repository's root is on the path."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
    assert not [path for path in (ROOT / "tests").rglob("operator") if path.is_dir()]


def test_a_clean_interpreter_in_the_root_finds_the_standard_operator() -> None:
    """Nobody's `import operator` may end up here."""
    words = [sys.executable, "-S", "-c", "import operator; print(operator.__file__)"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stdout.strip().startswith(str(ROOT))


def test_test_files_have_names_of_their_own() -> None:
    """Without packages two files of one name would be one module to mypy."""
    names = [path.name for path in tracked("tests/*.py") if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))


def test_the_makefile_has_at_most_twelve_verbs() -> None:
    """A newcomer reads them all."""
    verbs = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert 6 <= len(verbs) <= 12


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_requirements_are_pinned_by_hash_and_name_no_index(path: Path) -> None:
    """What is installed tomorrow is what was tested today."""
    text = path.read_text()
    packages = re.findall(r"^[a-zA-Z0-9].*", text, re.MULTILINE)
    assert packages
    assert all("==" in package for package in packages)
    assert text.count("--hash=sha256:") >= len(packages)
    assert "://" not in text
    assert "index-url" not in text


def test_no_path_of_one_machine_is_committed() -> None:
    """A clone works anywhere."""
    homes = re.compile(r"(?:^|[^a-zA-Z0-9.}_~])/(?:work|farm|root)/")
    wrong = [
        path.relative_to(ROOT)
        for path in tracked()
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".sh", ".tpl", ".txt", ".json"}
        and homes.search(path.read_text())
    ]
    assert not [path for path in wrong if path != Path("tests/repository/test_layout.py")]


def test_the_wheel_holds_every_package_that_ships_and_none_that_does_not(tmp_path: Path) -> None:
    """Operator, engine and plugin install from one distribution; dev/ stays here."""
    words = [
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("golive-*.whl")
    packages = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name}
    assert packages == {
        "golive_api",
        "golive_notices",
        "golive_decisions",
        "golive_operator",
        "kubectl_golive",
        "golive_engine",
        "golive_simulator",
    }
