"""`kubectl golive records` and `test-notice`, as a person runs them."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from golive_api.record import FIRST_HASH, Act, GoLiveRecordSpec
from golive_operator import paths
from golive_operator.record_store import record_object

MANY = 2_000
"""Records that are written into the cluster; retention keeps 10,000, which takes a minute to write."""


class Done(NamedTuple):
    """What a run has left."""

    code: int
    out: str
    err: str
    seconds: float


Run = Callable[..., Done]


@pytest.fixture
def run(plane: Any) -> Run:
    """Give a function that runs the plugin, away from any terminal; without a kubeconfig where told so."""

    def run(*words: str, stdin: str = "", kubeconfig: bool = True) -> Done:
        environment = {key: value for key, value in os.environ.items() if key not in {"KUBECONFIG", "HOME"}}
        environment |= {"KUBECONFIG": str(plane.admin)} if kubeconfig else {}
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-P", "-m", "kubectl_golive", *words],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    return run


@pytest.fixture
async def recorded(book: Any) -> Any:
    """Give a GoLive with four records."""
    await book.edit("approver", "deputy")
    await book.chronicle().follow(await book.sight(reason="EngineNotRunning"))
    return book


async def exported(book: Any, run: Run, folder: Path) -> Path:
    """An exported file."""
    file = folder / "perps.jsonl"
    done = await asyncio.to_thread(run, "records", "export", "perps", "-n", book.namespace, "-f", str(file))
    assert done.code == 0, done.err
    assert "4 records; keep elsewhere: --head 4:" in done.err
    return file


async def test_list_shows_who_did_what(recorded: Any, run: Run) -> None:
    """Plain columns where no person looks; the newest last."""
    done = await asyncio.to_thread(run, "records", "list", "perps", "-n", recorded.namespace)
    rows = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert rows[0] == ["SEQ", "TIME", "ACT", "BY", "REV", "REASON", "MESSAGE"]
    assert [row[2:4] for row in rows[1:]] == [
        ["Requested", "trader"],
        ["Approved", "approver"],
        ["Approved", "deputy"],
        ["AttemptFailed", "trader"],
    ]
    assert "\x1b" not in done.out


async def test_list_shows_only_the_latest_and_speaks_json(recorded: Any, run: Run) -> None:
    """For programs."""
    words = ("records", "list", "perps", "-n", recorded.namespace, "--last", "2", "-o", "json")
    done = await asyncio.to_thread(run, *words)
    assert [record["sequence"] for record in json.loads(done.out)] == [3, 4]


async def test_list_of_nothing_says_so(recorded: Any, run: Run) -> None:
    """On standard error, so that a pipe gets nothing."""
    done = await asyncio.to_thread(run, "records", "list", "nobody", "-n", recorded.namespace)
    assert (done.code, done.out) == (0, "")
    assert "no record of nobody" in done.err


async def test_an_export_verifies_without_a_cluster(recorded: Any, run: Run, tmp_path: Path) -> None:
    """On any machine, from a file or from standard input."""
    file = await exported(recorded, run, tmp_path)
    done = await asyncio.to_thread(run, "records", "verify", "--file", str(file), kubeconfig=False)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"whole: 4 records (1 to 4) of {recorded.namespace}/perps\nends with --head 4:")
    words = ("records", "verify", "--file", "-")
    piped = await asyncio.to_thread(run, *words, stdin=file.read_text(), kubeconfig=False)
    assert piped.out == done.out


async def test_an_export_verifies_by_hand_as_the_documentation_says(
    recorded: Any, run: Run, tmp_path: Path
) -> None:
    """Without any code of ours, and an edit is found by it too."""
    file = await exported(recorded, run, tmp_path)
    page = (Path(__file__).parents[2] / "docs/how-to/verify-the-records.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    words = [sys.executable, "-P", "-W", "ignore", "-c", code]
    assert subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode == 0  # noqa: ASYNC221  # short
    file.write_text(file.read_text().replace("deputy", "mallory"))
    assert subprocess.run(words, cwd=tmp_path, check=False, capture_output=True).returncode == 1  # noqa: ASYNC221  # short


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(lambda rows: [rows[0], *rows[2:]], "record 2 follows 0", id="the first is removed"),
        pytest.param(
            lambda rows: [*rows[:2], *rows[3:]], "record 3 follows 1", id="one in the middle is removed"
        ),
        pytest.param(lambda rows: rows[:-1], "the end was cut off", id="the last is removed"),
        pytest.param(
            lambda rows: [*rows[:1], rows[2], rows[1], *rows[3:]], "out of order", id="two are swapped"
        ),
        pytest.param(
            lambda rows: [*rows[:2], rows[2].replace("approver", "mallory"), *rows[3:]],
            "record 2 was edited",
            id="a name is edited",
        ),
    ],
)
async def test_verify_finds_damage_in_a_file(
    recorded: Any, run: Run, tmp_path: Path, damage: Callable[[list[str]], list[str]], said: str
) -> None:
    """And ends with 1, whatever it is."""
    file = await exported(recorded, run, tmp_path)
    file.write_text("\n".join(damage(file.read_text().splitlines())))
    done = await asyncio.to_thread(run, "records", "verify", "--file", str(file), kubeconfig=False)
    assert done.code == 1
    assert said in done.err
    assert done.out.startswith("BROKEN")


async def test_verify_compares_with_what_was_written_down(recorded: Any, run: Run, tmp_path: Path) -> None:
    """A chain that was made anew is sound in itself."""
    file = await exported(recorded, run, tmp_path)
    head = f"3:{'0' * 64}"
    done = await asyncio.to_thread(run, "records", "verify", "-f", str(file), "--head", head, kubeconfig=False)
    assert done.code == 1
    assert "record 3 is not the one that what was written down knows" in done.err
    wrong = await asyncio.to_thread(run, "records", "verify", "-f", str(file), "--head", "3", kubeconfig=False)
    assert (wrong.code, wrong.err) == (1, "error: --head must be SEQUENCE:HASH, as export prints it\n")


async def test_verify_of_something_else_is_an_error(run: Run, tmp_path: Path) -> None:
    """Not a whole chain of nothing."""
    file = tmp_path / "other.jsonl"
    file.write_text("hello\n")
    done = await asyncio.to_thread(run, "records", "verify", "-f", str(file), kubeconfig=False)
    assert done.code == 1
    assert "line 1" in done.err
    neither = await asyncio.to_thread(run, "records", "verify", kubeconfig=False)
    assert neither.code == 1


async def test_verify_reads_the_cluster_and_compares_with_status(recorded: Any, run: Run) -> None:
    """So a tail that was deleted there is found."""
    words = ("records", "verify", "perps", "-n", recorded.namespace)
    assert (await asyncio.to_thread(run, *words)).out.startswith("whole: 4 records (1 to 4)")
    await recorded.cluster.delete(paths.records(recorded.namespace, "perps-0000000004"))
    done = await asyncio.to_thread(run, *words)
    assert done.code == 1
    assert "record 4 is missing: status.recorded knows it, so the end was cut off" in done.err


async def test_the_records_of_a_golive_that_is_gone_can_still_be_read(recorded: Any, run: Run) -> None:
    """Nothing says any more where they end, and verify says so."""
    await recorded.cluster.delete(paths.golive(recorded.namespace, "perps"))
    done = await asyncio.to_thread(run, "records", "verify", "perps", "-n", recorded.namespace)
    assert done.code == 0
    assert "nothing says whether the end was cut off" in done.err


async def test_a_test_notice_is_asked_for_and_answered(recorded: Any, run: Run) -> None:
    """The verb waits until the operator has taken it up."""
    words = ("test-notice", "perps", "-n", recorded.namespace)
    waiting = asyncio.create_task(asyncio.to_thread(run, *words))
    async with asyncio.timeout(30):
        while not (sight := await recorded.sight()).test_notice:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.05)
    await recorded.chronicle().follow(sight)
    done = await waiting
    assert (done.code, done.err) == (0, "")
    assert [notice.subject for notice in recorded.told if "test notice" in notice.subject] == [
        f"{recorded.namespace}/perps: test notice ({sight.test_notice})"
    ]
    recorded.told.clear()
    await recorded.chronicle().follow(await recorded.sight())
    assert recorded.told == []


async def test_a_test_notice_that_nobody_takes_up_is_unknown(recorded: Any, run: Run) -> None:
    """No operator runs."""
    words = ("test-notice", "perps", "-n", recorded.namespace, "--timeout", "0.5")
    done = await asyncio.to_thread(run, *words)
    assert done.code == 3
    assert "no operator has answered" in done.err


@pytest.mark.timeout(300)
async def test_a_long_chain_is_exported_verified_and_recovered(book: Any, run: Run, tmp_path: Path) -> None:
    """Over several pages; the times are printed."""
    uid = (await book.read())["metadata"]["uid"]
    digest, records = FIRST_HASH, []
    for sequence in range(1, MANY + 1):
        record = GoLiveRecordSpec(
            golive="perps",
            uid=uid,
            sequence=sequence,
            time="2026-11-20T12:00:00.000000Z",
            act=Act.ATTEMPT_FAILED,
            users=["trader"],
            revision=1,
            digest=".".join(["a" * 64] * 3),
            reason="EngineNotRunning",
            message="no pod holds the engine's Lease",
            evidence={"approvals": "1/2", "policies": '["default"]'},
            previous_hash=digest,
            hash=FIRST_HASH,
        ).sealed()
        digest = record.hash
        records.append(record_object(record))
    for batch in _batches(records, 64):
        await asyncio.gather(*(book.cluster.create(paths.records(book.namespace), body) for body in batch))
    status = {"recorded": {"sequence": MANY, "hash": digest}}
    await book.cluster.patch(paths.golive(book.namespace, "perps", "status"), {"status": status})
    file = tmp_path / "perps.jsonl"
    out = await asyncio.to_thread(run, "records", "export", "perps", "-n", book.namespace, "-f", str(file))
    offline = await asyncio.to_thread(run, "records", "verify", "-f", str(file), kubeconfig=False)
    began = time.monotonic()
    await wipe(book)
    sight = await book.sight()
    await book.chronicle().follow(sight)
    recovery = time.monotonic() - began
    print(
        f"{MANY} records: export {out.seconds:.1f} s, verify {offline.seconds:.1f}, lost status {recovery:.1f}"
    )
    assert (out.code, offline.code) == (0, 0)
    assert offline.out.startswith(f"whole: {MANY} records")
    assert (await book.read())["status"]["recorded"]["sequence"] == MANY + 1
    assert max(out.seconds, offline.seconds, recovery) < 60


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


async def wipe(book: Any) -> None:
    """Lose status."""
    status = (await book.read())["status"]
    await book.cluster.patch(paths.golive(book.namespace, "perps", "status"), {"status": dict.fromkeys(status)})
