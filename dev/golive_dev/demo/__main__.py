"""`python -m golive_dev.demo`: tells the story; exit status 1 when anything differs from what was expected."""

import argparse
import sys
import time

from golive_dev.binaries import BuildError, find_binaries
from golive_dev.control_plane import ControlPlane, StartError
from golive_dev.demo import activation, story, venues
from golive_dev.demo.narrator import Narrator
from golive_dev.demo.oracle import Oracle
from golive_dev.demo.stage import ENGINE, GOLIVE, NAMESPACE, SYSTEM, Stage, build, open_control_plane
from golive_dev.progress import to_stream
from golive_dev.recipes import RECIPES
from golive_dev.toolchain import ToolchainError

READY_SECONDS = 10.0
"""What the control plane may take."""


def tell(plane: ControlPlane, narrator: Narrator, started_seconds: float) -> Stage:
    """Every chapter but the table."""
    narrator.saw(
        "control plane ready",
        f"at most {READY_SECONDS:.0f} s",
        f"etcd and kube-apiserver on {plane.url}",
        holds=started_seconds <= READY_SECONDS,
        seconds=started_seconds,
    )
    stage = build(plane, narrator)
    narrator.saw("two charts installed", "pods ready", "2 operators, 1 engine, 1 exchange", holds=True)
    narrator.chapter(2, "The engine trades testnet and skips every production order")
    story.engine_skips(stage)
    venues.three_venues(stage)
    oracle = Oracle(plane, NAMESPACE, GOLIVE)
    oracle.start()
    try:
        narrator.chapter(3, "The administrator bounds, the trader asks, preflight runs")
        activation.administrator_bounds(stage)
        story.trader_applies(stage)
        activation.preflight_passes(stage)
        narrator.chapter(4, "The trader can't talk the gate open")
        story.trader_cheats(stage)
        narrator.chapter(5, "Two people approve, a window refuses, and then real orders flow")
        activation.quorum_and_window(stage)
        story.real_orders_flow(stage)
        narrator.chapter(6, "Things die")
        story.engine_is_killed(stage)
        story.leader_is_killed(stage, oracle)
        narrator.chapter(7, "Somebody stops everything, with nobody to help")
        activation.stopped_without_operators(stage)
        activation.released_with_a_cause(stage)
        activation.asked_again(stage)
        narrator.chapter(8, "The trader pulls the brake")
        story.trader_closes(stage)
        narrator.chapter(9, "Everything is killed, on every venue")
        venues.everything_is_killed(stage)
        narrator.chapter(10, "A venue fails")
        venues.primary_fails(stage)
        narrator.chapter(11, "Nobody is left to renew the gate")
        story.operators_freeze(stage)
        narrator.chapter(12, "Money is missing")
        activation.asked_again(stage)
        venues.money_is_missing(stage)
        narrator.chapter(13, "The records")
        activation.records_verify(stage)
    finally:
        oracle.stop()
    return stage


def diagnose(plane: ControlPlane, narrator: Narrator, error: TimeoutError) -> None:
    """What a person would look at first when something did not come."""
    narrator.saw("the step above", "to end", str(error)[:300], holds=False)
    looks = (
        ("get", "golive", "-A", "-o", "wide"),
        ("get", "pods", "-A"),
        ("get", "events", "-A", "--sort-by=.lastTimestamp"),
        ("logs", "-n", SYSTEM, "-l", "app.kubernetes.io/name=golive", "--tail=15", "--prefix"),
        ("logs", "-n", NAMESPACE, f"deploy/{ENGINE}", "--tail=15"),
    )
    for words in looks:
        done = plane.kubectl(*words, check=False)
        narrator.command(f"kubectl {' '.join(words)}", done.stdout + done.stderr)


def keep(stage: Stage) -> None:
    """Leave everything running until Enter or Ctrl-C."""
    print(  # noqa: T201  # for people
        f"\nStill running. In another terminal:\n\n  export KUBECONFIG={stage.plane.admin}\n"
        f"  export PATH={stage.plane.binary('kubectl').parent}:{sys.exec_prefix}/bin:$PATH\n"
        f"  kubectl get golive -A\n  kubectl golive status {GOLIVE} -n {NAMESPACE}\n"
        f"  kubectl logs -n {NAMESPACE} deploy/perps-engine -f\n"
        f"  curl -s {stage.exchange.admin_url}/admin/state\n\n"
        "Ctrl-C ends it and removes everything.",
        flush=True,
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    options = parser.parse_args()
    narrator = Narrator()
    try:
        return _play(narrator, keep_running=options.keep)
    except KeyboardInterrupt:
        return 130
    except (BuildError, StartError, ToolchainError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _play(narrator: Narrator, *, keep_running: bool) -> int:
    narrator.say("Looking for etcd, the Kubernetes servers, kubectl and helm (built once, about 7 minutes).")
    find_binaries(list(RECIPES), progress=to_stream())
    narrator.chapter(1, "A real control plane, an exchange, two charts")
    began = time.monotonic()
    plane = open_control_plane()
    try:
        try:
            stage = tell(plane, narrator, time.monotonic() - began)
        except TimeoutError as error:
            diagnose(plane, narrator, error)
            return 1
        holds = narrator.summary(time.monotonic() - began)
        if keep_running:
            keep(stage)
        return 0 if holds else 1
    finally:
        plane.stop()


if __name__ == "__main__":
    sys.exit(main())
