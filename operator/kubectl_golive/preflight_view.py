"""How preflight and the checklist are drawn; pure, apart from printing to the console that it is given."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from golive_api.checklist import BY_ID
from kubectl_golive.printable import printable
from kubectl_golive.terminal import WIDE, indented, section, since, table

Document = dict[str, Any]

HOLDS = frozenset({"Passed", "Attested"})
"""States of an item with which nothing is wrong."""

UNVOUCHED = frozenset({"Missing", "Lapsed"})
"""States of an item that a person's word mends."""


def checks(out: Console, preflight: Document, now: datetime, *, with_values: bool = False) -> None:
    """Print a line for each check; a narrow terminal has the reason before the message where it matters."""
    ran = since(preflight.get("runTime"), now)
    heading = "Preflight" + (f", last run {ran} ago" if ran else "")
    wide = out.width >= WIDE
    titles = ("CHECK", "RESULT", "REASON", "AGE", "SEEN") if wide else ("CHECK", "RESULT", "AGE", "SEEN")
    rows = [_row(check, now, wide=wide, with_values=with_values) for check in preflight.get("checks") or []]
    section(out, heading, titles, rows)


def _row(check: Document, now: datetime, *, wide: bool, with_values: bool) -> list[object]:
    reason, said = check["reason"], check.get("message", "")
    if not wide and check["result"] != "Passed":
        said = f"{reason}: {said}".removesuffix(": ")
    if with_values and (values := check.get("values")):
        said += f" ({', '.join(f'{key} {value}' for key, value in values.items())})"
    age = since(check.get("checkedTime"), now) or "never"
    return [check["name"], check["result"], *([reason] if wide else []), age, said.strip()]


def open_items(preflight: Document) -> list[Document]:
    """Required items that hold the gate."""
    items: list[Document] = preflight.get("checklist") or []
    return [item for item in items if item["required"] == "Required" and item["state"] not in HOLDS]


def checklist(out: Console, preflight: Document) -> None:
    """Print how many required items hold, and those that don't."""
    items = preflight.get("checklist") or []
    required = [item for item in items if item["required"] == "Required"]
    missing = open_items(preflight)
    counted = f"{len(required) - len(missing)} of {len(required)} required items hold"
    out.print()
    out.print(Text(f"Checklist: {counted if required else 'no item is required'}", style="bold"))
    if missing:
        rows = [[item["item"], item["state"], _told(item)] for item in missing]
        out.print(indented(table(("ITEM", "STATE", "WHAT"), rows)))


def _told(item: Document) -> str:
    said = item.get("message")
    return f"{title(item['item'])}: {said}" if said else title(item["item"])


def title(item: str) -> str:
    """What an item says; an item of a newer operator is called by its id."""
    known = BY_ID.get(item)
    return printable(known.title if known else item)
