"""Writes every generated file: CRDs, the chart's copy of them, static policies, and the reference pages.

`python -m golive_dev.generate` writes; with --check it fails where a file on disk differs.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from golive_api.checklist import ITEMS, Item, Phase
from golive_api.kinds import definitions
from golive_api.reasons import Reason
from golive_decisions.ways_back import WAYS_BACK, WayBack
from golive_dev.model_pages import preflight_page, settings_page, status_page
from golive_dev.static_policies import static_manifests
from golive_engine.metrics import Metrics as EngineMetrics
from golive_engine.riskgate import CHECKS, Scope
from golive_operator.metrics import Metrics as OperatorMetrics

ROOT = Path(__file__).parents[2]
"""The repository's root."""

HEADER = "# Generated from api/golive_api by `make verify`; never edited by hand.\n"
"""First line of each generated manifest."""


_SUFFIX = {"counter": "_total"}
"""What the exposition appends to a family's name."""


def _crds() -> Iterator[tuple[Path, str]]:
    for definition in definitions():
        text = yaml.safe_dump(definition, sort_keys=False, width=112, allow_unicode=True)
        plural = definition["spec"]["names"]["plural"]
        yield Path("crds") / f"{plural}.yaml", HEADER + text
        # Helm would take doubled braces for a template of its own.
        guarded = "{{- if .Values.crds.enabled }}\n" + text.replace("{{", '{{ "{{" }}') + "{{- end }}\n"
        yield Path("charts/golive/templates/crds") / f"{plural}.yaml", HEADER + guarded


def _reasons() -> Iterator[tuple[Path, str]]:
    rows = "\n".join(f"| `{reason.value}` | {reason.sentence} |" for reason in Reason)
    text = (
        "# Reasons\n\nEvery decision carries one of these codes: in conditions, events, metrics, the "
        f"journal and the logs.\n\n| code | what it means |\n| --- | --- |\n{rows}\n"
    )
    yield Path("docs/reference/reasons.md"), text


def _fields(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        required = "yes" if name in schema.get("required", []) else ""
        default = child.get("default")
        plain = default is not None and not isinstance(default, dict | list)
        kind = "/".join(child["enum"]) if "enum" in child else child.get("type", "")
        meaning = child.get("description", "")
        yield f"| `{here}` | {kind} | {required} | {default if plain else ''} | {meaning} |"
        yield from _fields(child, here)
        yield from _fields(child.get("items", {}), f"{here}[]")


def _kinds() -> Iterator[tuple[Path, str]]:
    for definition in definitions():
        kind = definition["spec"]["names"]["kind"]
        root = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        parts = {key: root["properties"][key] for key in ("spec", "status") if key in root["properties"]}
        rows = "\n".join(row for key, part in parts.items() for row in _fields(part, key))
        text = (
            f"# {kind}\n\n{root['description']}\n\n| field | type | required | default | meaning |\n"
            f"| --- | --- | --- | --- | --- |\n{rows}\n"
        )
        yield Path("docs/reference") / f"{kind.lower()}.md", text


def _metrics() -> Iterator[tuple[Path, str]]:
    sources = (("operator", OperatorMetrics().registry), ("engine", EngineMetrics({}).registry))
    text = "# Metrics\n\nServed on `/metrics` of each pod's port `http`.\n"
    for title, registry in sources:
        rows = "\n".join(
            f"| `{family.name}{_SUFFIX.get(family.type, '')}` | {family.type} | {family.documentation} |"
            for family in registry.collect()
        )
        text += f"\n## The {title}'s\n\n| series | type | meaning |\n| --- | --- | --- |\n{rows}\n"
    yield Path("docs/reference/metrics.md"), text


_SCOPES = {
    Scope.NEW_RISK: "new risk",
    Scope.UNFORCED: "new risk, shrinking",
    Scope.ROUTINE: "new risk, shrinking, protecting",
    Scope.EVERY: "every order",
}
"""Whom a check of the RiskGate concerns."""


def _riskgate() -> Iterator[tuple[Path, str]]:
    rows = ""
    for place, (check, scope) in enumerate(CHECKS, 1):
        name, finding = check.__name__.replace("_", " "), (check.__doc__ or "").splitlines()[0]
        found = dict.fromkeys(re.findall(r"Reason\.([A-Z_]+)", inspect.getsource(check)))
        codes = ", ".join(f"`{Reason[code].value}`" for code in found)
        rows += f"| {place} | {name} | {finding} | {_SCOPES[scope]} | {codes} |\n"
    head = "| | check | what it finds | orders | code |\n| --- | --- | --- | --- | --- |\n"
    text = (
        "# RiskGate\n\nEvery order passes this chain, in this order; the first objection denies it, with its "
        "code and the values that were compared. What is not known denies.\n\nOrders bring *new risk*; or they "
        "are reduce-only, and a strategy or a rebalancing is *shrinking* a position, or the engine is "
        "*protecting* one, or the kill protocol flattens: it is asked only what concerns *every order*. "
        f"Cancelling is not an order: it always passes.\n\n{head}{rows}"
    )
    yield Path("docs/reference/riskgate.md"), text


def _checked_by(item: Item) -> str:
    """Who can say whether it holds."""
    finding = f" `{item.finding}`" if item.finding else ""
    return "a person" if item.machine is None else f"{item.machine}{finding}"


def _checklist() -> Iterator[tuple[Path, str]]:
    text = (
        "# Checklist\n\nWhat has to hold before, on and after the day on which an engine trades real money. "
        "`spec.checklist.required` of a policy names the items that hold the gate: each has to be measured by "
        "its machine, or vouched for with `kubectl golive attest`. Nobody's word outweighs a machine's: a "
        "person may vouch for a machine's item only where no policy names that machine.\n"
    )
    for phase in Phase:
        text += (
            f"\n## {phase}\n\n| item | what has to hold | section | checked by |\n| --- | --- | --- | --- |\n"
        )
        text += "".join(
            f"| `{item.id}` | {item.title} | {item.section} | {_checked_by(item)} |\n"
            for item in ITEMS
            if item.phase is phase
        )
    yield Path("docs/reference/checklist.md"), text


_STATES = """stateDiagram-v2
    [*] --> Closed: asked for
    Closed --> Open: nothing objects, preflight fresh
    Open --> Open: renewed
    Open --> Shut: {temporary}
    Shut --> Open: {back}
    Open --> Burned: {burning}
    Closed --> Burned: the same
    Shut --> Burned: the same, or held shut for longer than maxGapSeconds
    Burned --> Closed: new revision
    Open --> Shut: nobody renews it
"""


def _gate_states() -> Iterator[tuple[Path, str]]:
    rows = "\n".join(f"| `{reason.value}` | {reason.sentence} | {way} |" for reason, way in WAYS_BACK.items())
    burning = [reason.value for reason, way in WAYS_BACK.items() if way is WayBack.BY_REVISION]
    shutting = [reason.value for reason, way in WAYS_BACK.items() if way is not WayBack.BY_REVISION]
    diagram = _STATES.format(
        temporary=f"any of {len(shutting)} reasons below",
        back="the cause is gone, the window opens, or people agree",
        burning=", ".join(burning),
    )
    text = (
        "# States of a gate\n\nA gate is Open or Closed; a closed one may come back in one of four ways. "
        "Closing asks nobody.\n\n"
        f"```mermaid\n{diagram}```\n\n"
        "| closed for | what it means | opens again |\n| --- | --- | --- |\n"
        f"{rows}\n"
    )
    yield Path("docs/reference/gate-states.md"), text


def _models() -> Iterator[tuple[Path, str]]:
    yield Path("docs/reference/engine-settings.md"), settings_page()
    yield Path("docs/reference/engine-status.md"), status_page()
    yield Path("docs/reference/engine-preflight.md"), preflight_page()


def generated() -> dict[Path, str]:
    """Every generated file's path, relative to the root, and its text."""
    pages = [*_reasons(), *_kinds(), *_metrics(), *_riskgate(), *_gate_states(), *_checklist(), *_models()]
    return dict([*_crds(), *static_manifests(ROOT), *pages])


def stale() -> list[Path]:
    """Files on disk that differ from what would be generated."""
    return [
        path
        for path, text in generated().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text() != text
    ]


def main() -> int:
    """Write, or with --check report, what is stale."""
    if "--check" in sys.argv[1:]:
        wrong = stale()
        for path in wrong:
            sys.stderr.write(f"stale: {path} (run `make verify`)\n")
        return 1 if wrong else 0
    for path, text in generated().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
