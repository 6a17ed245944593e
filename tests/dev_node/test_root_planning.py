from pathlib import Path

import pytest

from golive_dev.node.root_plan import Mount, Step, plan_root, rewrite_paths


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host's root with a few folders, a file and a link."""
    root = tmp_path / "host"
    for folder in ("etc/ssl", "usr/bin", "run/lock", "proc", "var"):
        (root / folder).mkdir(parents=True)
    (root / "etc" / "passwd").touch()
    (root / "bin").symlink_to("usr/bin")
    (root / "var" / "run").symlink_to("../run")
    return root


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume's folder."""
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def binds(steps: list[Step]) -> dict[str, tuple[str, str]]:
    """Source and mode by path of all binds, the last at each path."""
    return {step["path"]: (step["source"], step["mode"]) for step in steps if step["do"] == "bind"}


def test_without_volumes_the_host_is_shown_read_only(host: Path) -> None:
    """Links as links, kernel file systems writable."""
    steps = plan_root([], host)
    assert {"do": "link", "path": "/bin", "source": "usr/bin"} in steps
    assert binds(steps) == {
        "/etc": (f"{host}/etc", "ro"),
        "/proc": (f"{host}/proc", "rw"),
        "/run": (f"{host}/run", "ro"),
        "/usr": (f"{host}/usr", "ro"),
        "/var": (f"{host}/var", "ro"),
    }


def test_a_folder_that_lacks_the_mount_point_is_taken_apart(host: Path, volume: Path) -> None:
    """Its entries are shown one by one beside the volume; the host gets no new folder."""
    seen = binds(plan_root([Mount("/etc/golive/engine", volume, read_only=True)], host))
    assert "/etc" not in seen
    assert seen["/etc/ssl"] == (f"{host}/etc/ssl", "ro")
    assert seen["/etc/passwd"] == (f"{host}/etc/passwd", "ro")
    assert seen["/etc/golive/engine"] == (str(volume), "ro")
    assert not (host / "etc" / "golive").exists()


def test_a_folder_that_has_the_mount_point_stays_whole(host: Path, volume: Path) -> None:
    """One bind for the folder, one over it."""
    seen = binds(plan_root([Mount("/etc/ssl", volume)], host))
    assert (seen["/etc"][1], seen["/etc/ssl"]) == ("ro", (str(volume), "rw"))
    assert "/etc/passwd" not in seen


def test_mount_paths_follow_the_hosts_links(host: Path, volume: Path) -> None:
    """`/var/run` leads to `/run`, in a container too."""
    seen = binds(plan_root([Mount("/var/run/secrets", volume)], host))
    assert seen["/run/secrets"] == (str(volume), "rw")
    assert seen["/run/lock"] == (f"{host}/run/lock", "ro")


def test_a_mount_inside_a_volume_gets_its_mount_point_there(host: Path, volume: Path, tmp_path: Path) -> None:
    """After the volume itself, whatever their order in the spec."""
    inner = tmp_path / "inner"
    inner.write_text("one file")
    steps = plan_root([Mount("/data/a/file", inner), Mount("/data", volume)], host)
    paths = [step["path"] for step in steps if step["do"] == "bind"]
    assert paths.index("/data") < paths.index("/data/a/file")
    assert (volume / "a" / "file").is_file()


def test_of_two_mounts_at_a_path_the_later_counts(host: Path, volume: Path, tmp_path: Path) -> None:
    """So a pod's own volume at /tmp replaces what it would have had there."""
    other = tmp_path / "other"
    other.mkdir()
    assert binds(plan_root([Mount("/x", other), Mount("/x", volume)], host))["/x"] == (str(volume), "rw")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/etc/golive/a.yaml", "/host/v/a.yaml"),
        ("--config=/etc/golive", "--config=/host/v"),
        ("sqlite:////etc/golive/db", "sqlite:////host/v/db"),
        ("https://host/etc/golive", "https://host/etc/golive"),
        ("/etc/golive-other", "/etc/golive-other"),
        ("/old/etc/golive", "/old/etc/golive"),
        ("/etc/golive/deep/x /etc/golive", "/host/deep/x /host/v"),
    ],
)
def test_only_whole_paths_are_rewritten(text: str, expected: str) -> None:
    """The longest first, so that a volume within a volume wins."""
    paths = {"/etc/golive": "/host/v", "/etc/golive/deep": "/host/deep"}
    assert rewrite_paths(text, paths) == expected
