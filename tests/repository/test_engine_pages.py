"""The generated pages of the engine leave nothing out."""

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from golive_api.engine_report import EngineReport
from golive_api.preflight_report import EnginePreflight
from golive_dev.model_pages import preflight_page, settings_page, status_page
from golive_engine.settings import Settings


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Every model that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def fields(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Name and meaning of every field of a model and of those inside it."""
    for name, info in model.model_fields.items():
        yield info.alias or name, info.description or ""
        for inner in models_in(info.annotation):
            yield from fields(inner)


@pytest.mark.parametrize(
    ("model", "page"),
    [(Settings, settings_page()), (EngineReport, status_page()), (EnginePreflight, preflight_page())],
    ids=["settings", "report", "preflight"],
)
def test_every_field_has_a_row_with_its_meaning(model: type[BaseModel], page: str) -> None:
    """Read from the model by another way than the page is made."""
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    shown = {(cells[0].strip("| `").rpartition(".")[2], cells[-1].removesuffix(" |")) for cells in rows}
    found = set(fields(model))
    assert all(meaning for _, meaning in found)
    assert found == shown
