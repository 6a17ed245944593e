"""From pydantic's JSON schema to what the API server takes, one transformation at a time."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from golive_api.golive import GoLiveSpec, GoLiveStatus
from golive_api.profiles import CapitalProfileSpec
from golive_api.schema import drop_closed_objects, drop_titles, inline_references, structural, unwrap_optionals
from golive_api.values import WireModel
from golive_dev.generate import stale

POINT = {"type": "string", "description": "of the type"}
DEFINITIONS = {"Point": POINT, "Line": {"type": "array", "items": {"$ref": "#/$defs/Point"}}}
NULL = {"type": "null"}

Table = dict[str, tuple[dict[str, Any], dict[str, Any]]]
"""A sentence, the schema before and the schema after."""

REFERENCES: Table = {
    "a reference": ({"$ref": "#/$defs/Point"}, POINT),
    "a reference with words of its own": (
        {"$ref": "#/$defs/Point", "description": "of the field"},
        {"type": "string", "description": "of the field"},
    ),
    "a reference in a reference": ({"$ref": "#/$defs/Line"}, {"type": "array", "items": POINT}),
    "references in a list": ({"anyOf": [{"$ref": "#/$defs/Point"}, NULL]}, {"anyOf": [POINT, NULL]}),
    "definitions beside": ({"type": "object", "$defs": DEFINITIONS}, {"type": "object"}),
    "nothing to inline": ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1}),
}

OPTIONALS: Table = {
    "an optional": ({"anyOf": [POINT, NULL]}, POINT | {"nullable": True}),
    "an optional with default null": (
        {"anyOf": [{"type": "integer"}, NULL], "default": None},
        {"type": "integer", "nullable": True},
    ),
    "an optional with a default": (
        {"anyOf": [{"type": "integer"}, NULL], "default": 0},
        {"type": "integer", "default": 0, "nullable": True},
    ),
    "an optional with words of its own": (
        {"anyOf": [POINT, NULL], "description": "of the field"},
        {"type": "string", "description": "of the field", "nullable": True},
    ),
    "an optional within an optional's list": (
        {"anyOf": [{"type": "array", "items": {"anyOf": [POINT, NULL]}}, NULL]},
        {"type": "array", "items": POINT | {"nullable": True}, "nullable": True},
    ),
    "a real choice": ({"anyOf": [POINT, {"type": "integer"}]}, {"anyOf": [POINT, {"type": "integer"}]}),
    "a choice of one": ({"anyOf": [POINT]}, {"anyOf": [POINT]}),
}

TITLES: Table = {
    "a title": ({"title": "Point", "type": "string"}, {"type": "string"}),
    "titles further in": ({"items": [{"title": "A"}, {"title": "B"}]}, {"items": [{}, {}]}),
    "a property called title": (
        {"title": "T", "properties": {"title": {"title": "Title", "type": "string"}}},
        {"properties": {"title": {"type": "string"}}},
    ),
}

CLOSED: Table = {
    "a closed object": ({"properties": {"a": {}}, "additionalProperties": False}, {"properties": {"a": {}}}),
    "a closed object further in": (
        {"items": [{"properties": {}, "additionalProperties": False}]},
        {"items": [{"properties": {}}]},
    ),
    "a map": ({"additionalProperties": {"type": "string"}}, {"additionalProperties": {"type": "string"}}),
    "a closed object without properties": ({"additionalProperties": False}, {"additionalProperties": False}),
}


def rows(*tables: tuple[Callable[[Any], Any], Table]) -> list[Any]:
    """Every row of every table, named by its sentence."""
    return [
        pytest.param(transform, *row, id=f"{transform.__name__}: {sentence}")
        for transform, table in tables
        for sentence, row in table.items()
    ]


def inline(node: Any) -> Any:
    """Inline with the definitions above."""
    return inline_references(node, DEFINITIONS)


@pytest.mark.parametrize(("transform", "before", "after"), rows(
    (inline, REFERENCES), (unwrap_optionals, OPTIONALS), (drop_titles, TITLES), (drop_closed_objects, CLOSED),
))  # fmt: skip
def test_a_schema_is_transformed(
    transform: Callable[[Any], Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Once is enough: applied to its own result, no transformation finds anything left to do."""
    assert transform(before) == after
    assert transform(after) == after


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every schema in a schema."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    extra = schema.get("additionalProperties")
    inner += [extra] if isinstance(extra, dict) else []
    return [schema, *(found for child in inner for found in nodes(child))]


@pytest.mark.parametrize("model", [GoLiveSpec, GoLiveStatus, CapitalProfileSpec])
def test_a_kinds_schema_is_structural(model: type[BaseModel]) -> None:
    """Each node has a type the API server knows, and bounds; no booleans, floats or references are left."""
    for node in nodes(structural(model)):
        assert node["type"] in {"object", "array", "string", "integer"}
        assert not node.keys() & {"$ref", "$defs", "anyOf", "title"}
        assert node["type"] != "array" or "maxItems" in node
        assert node["type"] != "string" or node.keys() & {"maxLength", "enum", "const"}


@pytest.mark.parametrize("model", [GoLiveSpec, GoLiveStatus, CapitalProfileSpec])
def test_every_field_explains_itself(model: type[BaseModel]) -> None:
    """`kubectl explain` shows a sentence for each."""
    for node in nodes(structural(model)):
        for name, field in node.get("properties", {}).items():
            assert field.get("description", "").endswith("."), name


def test_a_model_without_parts_is_transformed_too() -> None:
    """Pydantic leaves $defs out where there are none."""

    class Plain(WireModel):
        """Plain."""

        some_name: int | None = None
        """A field."""

    field = {"type": "integer", "nullable": True, "description": "A field."}
    assert structural(Plain) == {"type": "object", "description": "Plain.", "properties": {"someName": field}}


def test_generated_files_are_fresh() -> None:
    """CRDs, the chart's copies and the reference pages are what the models say."""
    assert stale() == []
