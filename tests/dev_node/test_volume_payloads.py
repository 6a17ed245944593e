import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from golive_dev.node.atomic_writer import write_atomically
from golive_dev.node.environment import Sources
from golive_dev.node.payloads import File, Payload, VolumeError, render_volume, volume_objects, volume_tokens

NOW = datetime(2026, 11, 20, tzinfo=UTC)
POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u"},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi"}}}]},
}
OBJECTS = {
    ("configmaps", "c"): {"data": {"a": "1", "b": "2"}},
    ("secrets", "s"): {"data": {"a": base64.b64encode(b"secret").decode()}},
}
TOKENS = {("", 3607): "token", ("vault", 600): "other"}


def rendered(volume: dict[str, Any]) -> Payload:
    """A volume's files."""
    return render_volume({"name": "v", **volume}, Sources(POD, OBJECTS, {}), TOKENS)


def test_a_volume_holds_all_keys_or_the_chosen_ones() -> None:
    """With the volume's mode, or the item's own."""
    assert rendered({"configMap": {"name": "c"}}) == {"a": File(b"1", 0o644), "b": File(b"2", 0o644)}
    chosen = {"name": "c", "defaultMode": 0o600, "items": [{"key": "b", "path": "x/y", "mode": 0o400}]}
    assert rendered({"configMap": chosen}) == {"x/y": File(b"2", 0o400)}
    assert rendered({"secret": {"secretName": "s", "defaultMode": 0o600}}) == {"a": File(b"secret", 0o600)}


def test_a_projected_volume_holds_all_its_sources_the_later_over_the_earlier() -> None:
    """Tokens by audience and lifetime among them."""
    memory = {"containerName": "main", "resource": "limits.memory", "divisor": "1Mi"}
    sources = [
        {"configMap": {"name": "c"}},
        {"secret": {"name": "s"}},
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"serviceAccountToken": {"path": "vault", "expirationSeconds": 600, "audience": "vault"}},
        {"downwardAPI": {"items": [{"path": "memory", "resourceFieldRef": memory}]}},
    ]
    volume = {"projected": {"sources": sources, "defaultMode": 0o640}}
    assert rendered(volume) == {
        "a": File(b"secret", 0o640),
        "b": File(b"2", 0o640),
        "token": File(b"token", 0o600),
        "vault": File(b"other", 0o600),
        "memory": File(b"64", 0o640),
    }
    assert set(volume_objects(volume)) == set(OBJECTS)
    assert set(volume_tokens(volume)) == set(TOKENS)


@pytest.mark.parametrize(
    "source",
    [
        {"configMap": {"name": "absent"}},
        {"configMap": {"name": "c", "items": [{"key": "none", "path": "x"}]}},
        {"projected": {"sources": [{"clusterTrustBundle": {"path": "x"}}]}},
        {"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "status.phase"}}]}},
    ],
    ids=["no such object", "no such key", "a source not known", "a field not known"],
)
def test_a_volume_that_cannot_be_whole_is_refused(source: dict[str, Any]) -> None:
    """Never a volume with a file missing."""
    with pytest.raises(VolumeError):
        rendered(source)


def test_what_is_optional_may_be_absent() -> None:
    """The object, or a key of it."""
    assert rendered({"configMap": {"name": "absent", "optional": True}}) == {}
    chosen = {"name": "c", "optional": True, "items": [{"key": "none", "path": "x"}]}
    assert rendered({"configMap": chosen}) == {}


def test_files_appear_behind_one_link(tmp_path: Path) -> None:
    """With their modes, folders made as needed; the same again changes nothing."""
    payload = {"a": File(b"1", 0o640), "deep/b": File(b"2")}
    assert write_atomically(tmp_path, payload, NOW)
    assert not write_atomically(tmp_path, payload, NOW)
    assert (tmp_path / "deep" / "b").read_bytes() == b"2"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "a").readlink() == Path("..data/a")
    assert (tmp_path / "..data").readlink().name.startswith("..2026_11_20_00_00_00.")


def test_a_new_version_replaces_the_old_one_whole(tmp_path: Path) -> None:
    """Keys that are gone go, and of versions only the newest stays."""
    write_atomically(tmp_path, {"kept": File(b"1"), "gone": File(b"1")}, NOW)
    assert write_atomically(tmp_path, {"kept": File(b"2")}, NOW)
    versions = [entry for entry in tmp_path.iterdir() if entry.name.startswith("..2026")]
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"2"
    assert len(versions) == 1


def test_a_changed_mode_is_a_change(tmp_path: Path) -> None:
    """A secret that is to be closed off gets closed off."""
    write_atomically(tmp_path, {"a": File(b"1", 0o644)}, NOW)
    assert write_atomically(tmp_path, {"a": File(b"1", 0o400)}, NOW)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o400
