"""From a pydantic model to a structural OpenAPI v3 schema: four named transformations, nothing else."""

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]
"""A JSON schema node."""


def inline_references(node: Any, definitions: Schema) -> Any:
    """Replace each $ref by what it points at; keywords beside the $ref win (a field's own description)."""
    if isinstance(node, list):
        return [inline_references(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return {key: inline_references(value, definitions) for key, value in node.items() if key != "$defs"}


def unwrap_optionals(node: Any) -> Any:
    """Turn `anyOf [X, null]` into X, nullable; the API server knows no null type."""
    if isinstance(node, list):
        return [unwrap_optionals(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: unwrap_optionals(value) for key, value in node.items()}
    options = node.get("anyOf", [])
    real = [option for option in options if option != {"type": "null"}]
    if len(real) == 1 and len(options) > 1:
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        rest.pop("default", None) if rest.get("default", 0) is None else None
        return {**real[0], **rest, "nullable": True}
    return node


def drop_titles(node: Any) -> Any:
    """Remove pydantic's title of each node; a property called title stays."""
    if isinstance(node, list):
        return [drop_titles(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: drop_titles(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }


def drop_closed_objects(node: Any) -> Any:
    """Remove `additionalProperties: false` beside properties: structural schemas prune by themselves."""
    if isinstance(node, list):
        return [drop_closed_objects(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = "properties" in node and node.get("additionalProperties") is False
    return {
        key: drop_closed_objects(value)
        for key, value in node.items()
        if not (closed and key == "additionalProperties")
    }


def structural(model: type[BaseModel]) -> Schema:
    """The model as the API server takes it."""
    raw = model.model_json_schema(by_alias=True, mode="validation")
    schema: Schema = inline_references(raw, raw.get("$defs", {}))
    for transform in (unwrap_optionals, drop_titles, drop_closed_objects):
        schema = transform(schema)
    return schema
