"""Pod status as the kubelet writes it: container states, phase, conditions. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from golive_dev.node.api_client import Json


def timestamp(moment: datetime) -> str:
    """RFC 3339, whole seconds, UTC: a metav1.Time."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Waiting:
    """Not started, or between two runs."""

    reason: str = "ContainerCreating"
    """Why, in one word."""

    message: str = ""
    """Why, in a sentence."""

    def as_json(self) -> Json:
        """The `waiting` member of a container state."""
        return {"waiting": {"reason": self.reason, **({"message": self.message} if self.message else {})}}


@dataclass(frozen=True)
class Running:
    """The command runs."""

    started: datetime
    """Since when."""

    def as_json(self) -> Json:
        """The `running` member of a container state."""
        return {"running": {"startedAt": timestamp(self.started)}}


@dataclass(frozen=True)
class Terminated:
    """The command has ended."""

    exit_code: int
    """Its exit status; 128 + signal where a signal ended it."""

    started: datetime
    """When it began."""

    finished: datetime
    """When it ended."""

    container_id: str
    """Which run this was."""

    reason: str = ""
    """In one word; `Completed` or `Error` from the exit status if empty."""

    message: str = ""
    """Anything more to say."""

    def as_json(self) -> Json:
        """The `terminated` member of a container state."""
        details = {
            "exitCode": self.exit_code,
            "reason": self.reason or ("Error" if self.exit_code else "Completed"),
            "startedAt": timestamp(self.started),
            "finishedAt": timestamp(self.finished),
            "containerID": self.container_id,
        }
        return {"terminated": {**details, **({"message": self.message} if self.message else {})}}


ContainerState = Waiting | Running | Terminated
"""Exactly one of these at any moment."""


@dataclass(frozen=True)
class ContainerView:
    """All that is known of one container."""

    name: str
    """Its name in the pod."""

    image: str
    """As the spec has it; nothing is pulled."""

    state: ContainerState = Waiting()
    """What it does now."""

    last: Terminated | None = None
    """How the run before ended."""

    restart_count: int = 0
    """Runs before this one."""

    started: bool = False
    """Whether its startup probe has passed, or it runs and has none."""

    ready: bool = False
    """Whether its readiness probe passes, or it runs and has none."""

    container_id: str = ""
    """`process://` and an id of this run."""

    def as_json(self) -> Json:
        """A ContainerStatus."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "containerID": self.container_id,
            "state": self.state.as_json(),
            "lastState": self.last.as_json() if self.last else {},
            "restartCount": self.restart_count,
            "ready": self.ready,
            "started": self.started,
        }

    def ended(self, outcome: Terminated) -> "ContainerView":
        """The view once a run is over."""
        return replace(self, state=outcome, ready=False, started=False)

    def waiting(self, reason: str, message: str = "") -> "ContainerView":
        """The view while it can't run; a run that is over becomes the last one."""
        last = self.state if isinstance(self.state, Terminated) else self.last
        return replace(self, state=Waiting(reason, message), last=last, ready=False, started=False)


Phase = Literal["Pending", "Running", "Succeeded", "Failed"]
RestartPolicy = Literal["Always", "OnFailure", "Never"]


def restart_wanted(policy: RestartPolicy, exit_code: int) -> bool:
    """Whether a container that ended so is to run again."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def backoff_seconds(restarts: int, base_seconds: float, cap_seconds: float) -> float:
    """Wait before a restart: none before the first, then the base, doubling up to the cap."""
    return min(base_seconds * 2.0 ** min(restarts - 1, 30), cap_seconds) if restarts else 0.0


def pod_phase(
    initialized: bool,  # noqa: FBT001  # a fact like the others
    containers: Sequence[ContainerView],
    policy: RestartPolicy,
    *,
    stopping: bool = False,
) -> Phase:
    """The phase that the containers' states amount to; a pod being stopped restarts nothing."""
    if not initialized:
        return "Pending"
    ends = [view.state for view in containers if isinstance(view.state, Terminated)]
    settled = [end for end in ends if stopping or not restart_wanted(policy, end.exit_code)]
    if len(settled) == len(containers):
        return "Failed" if any(end.exit_code for end in settled) else "Succeeded"
    ever_ran = any(not isinstance(view.state, Waiting) or view.last for view in containers)
    return "Running" if ever_ran else "Pending"


def pod_conditions(
    *,
    initialized: bool,
    containers: Sequence[ContainerView],
    phase: Phase,
    gates_pass: bool,
    previous: Iterable[Json],
    now: datetime,
) -> list[Json]:
    """The kubelet's conditions; a transition time moves only with its status."""
    over = "PodCompleted" if phase == "Succeeded" else "PodFailed" if phase == "Failed" else ""
    unready = [view.name for view in containers if not view.ready]
    complaint = f"containers with unready status: [{' '.join(unready)}]"
    because: Mapping[str, str] = (
        {"reason": over} if over else {"reason": "ContainersNotReady", "message": complaint}
    )
    ready = not unready and not over
    states: dict[str, tuple[bool, Mapping[str, str]]] = {
        "PodScheduled": (True, {}),
        "PodReadyToStartContainers": (initialized or phase == "Running", {}),
        "Initialized": (initialized, {} if initialized else {"reason": "ContainersNotInitialized"}),
        "ContainersReady": (ready, {} if ready else because),
        "Ready": (
            ready and gates_pass,
            {} if ready and gates_pass else because if not ready else {"reason": "ReadinessGatesNotReady"},
        ),
    }
    before = {condition["type"]: condition for condition in previous}
    return [
        _condition(kind, "True" if holds else "False", why, before.get(kind), now)
        for kind, (holds, why) in states.items()
    ]


def _condition(kind: str, status: str, why: Mapping[str, str], before: Json | None, now: datetime) -> Json:
    """One condition, its transition time kept while its status stays."""
    unchanged = before is not None and before["status"] == status
    since = before["lastTransitionTime"] if before is not None and unchanged else timestamp(now)
    # Nulls take away what an earlier patch had set.
    empty = {"reason": None, "message": None}
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since, **empty, **why}


def condition_holds(conditions: Iterable[Json], kind: str) -> bool:
    """Whether a condition of this type is there and True."""
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def readiness_gates_pass(pod: Json) -> bool:
    """Whether every readiness gate of the pod has its condition."""
    conditions = pod.get("status", {}).get("conditions") or ()
    gates = pod["spec"].get("readinessGates") or ()
    return all(condition_holds(conditions, gate["conditionType"]) for gate in gates)
