"""Reference pages of pydantic models: what may be set in an engine's file, and what it answers."""

import json
from collections.abc import Iterator
from typing import Any

from golive_api.engine_report import EngineReport
from golive_api.preflight_report import EnginePreflight
from golive_api.schema import structural
from golive_api.values import DECIMAL_PATTERN
from golive_engine.settings import ENVIRONMENT_PREFIX, Settings

Schema = dict[str, Any]
"""A JSON schema node without references."""

BOUNDS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
"""Keywords that bound a number, as people write them."""

TYPES = {"boolean": "true or false", "integer": "whole number", "string": "text"}
"""JSON's types, as people call them."""

SETTINGS = f"""# The engine's settings

One YAML file; [the engine](engine.md) says what it does with them. An unknown key, a key given twice or a
value out of its range is an error. `[]` stands for each entry of a list, `*` for each name in a mapping.
Decimal text is written in quotes, so that no float rounds it. Limits of a profile may be written with
underscores, too.

An environment variable overrules the file: `{ENVIRONMENT_PREFIX}` and the key in capitals, with two underscores
between its parts. `{ENVIRONMENT_PREFIX}VENUE__STREAM=true` sets `venue.stream`. Lists and mappings are written
as JSON; a list replaces the file's, a mapping is laid over it. A variable with this prefix that is no
setting is an error, too.

| key | value | default | meaning |
| --- | --- | --- | --- |
"""
"""Above the rows of the settings."""

STATUS = """# The engine's report

`GET /status` of an engine's port `http` answers with this as JSON; the operator reads it before each renewal of
the gate. What is not known is left out. `[]` stands for each entry of a list. Money and quantities are decimal
text.

| field | value | meaning |
| --- | --- | --- |
"""
"""Above the rows of the report."""


PREFLIGHT = """# What an engine finds in preflight

`POST /preflight` of an engine's port `http` answers with this as JSON, to who may ask;
[the engine](engine.md#post-preflight) tells who that is, and what each finding passes for. `[]` stands for each
entry of a list, `*` for each name in a mapping.

| field | value | meaning |
| --- | --- | --- |
"""
"""Above the rows of the findings."""


def settings_page() -> str:
    """Every key of an engine's settings file."""
    rows = _rows(structural(Settings), "")
    return SETTINGS + "".join(f"| `{key}` | {kind} | {given} | {does} |\n" for key, kind, given, does in rows)


def status_page() -> str:
    """Every field of an engine's report."""
    rows = _rows(structural(EngineReport), "")
    return STATUS + "".join(f"| `{key}` | {kind} | {meaning} |\n" for key, kind, _, meaning in rows)


def preflight_page() -> str:
    """Every field of an engine's findings."""
    rows = _rows(structural(EnginePreflight), "")
    return PREFLIGHT + "".join(f"| `{key}` | {kind} | {meaning} |\n" for key, kind, _, meaning in rows)


def _rows(schema: Schema, path: str) -> Iterator[tuple[str, str, str, str]]:
    """Key, kind, default and meaning of each property, its own properties below it."""
    for name, child in schema.get("properties", {}).items():
        here = f"{path}{name}"
        given = "required" if name in schema.get("required", ()) else _default(child)
        yield here, _kind(child), given, child.get("description", "")
        yield from _rows(child, f"{here}.")
        yield from _rows(child.get("items", {}), f"{here}[].")
        yield from _rows(_of_any_name(child), f"{here}.*.")


def _of_any_name(schema: Schema) -> Schema:
    """What a mapping holds under each name; nothing for what is no mapping."""
    more = schema.get("additionalProperties")
    patterns: Schema = schema.get("patternProperties", {})
    return next(iter(patterns.values()), more if isinstance(more, dict) else {})


def _kind(schema: Schema) -> str:
    """What a value has to be; nothing for a section."""
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items']) or 'sections'}"
    if schema.get("type") == "object":
        held = _of_any_name(schema)
        return f"{_kind(held) or 'section'} by name" if held else ""
    if schema.get("pattern") == DECIMAL_PATTERN:
        return "decimal text"
    return _bounded(next((option for option in schema.get("anyOf", []) if option["type"] == "number"), schema))


def _bounded(schema: Schema) -> str:
    """A number or text, and its range."""
    bounds = [f"{sign} {_plain(schema[word])}" for word, sign in BOUNDS.items() if word in schema]
    return ", ".join([TYPES.get(schema["type"], "number"), *bounds])


def _default(schema: Schema) -> str:
    """What holds where nothing is said; nothing for a section, whose keys have their own."""
    value = schema.get("default")
    if value is None or "properties" in schema:
        return ""
    if isinstance(value, list):
        own = schema["items"].get("properties", {})
        return ", ".join(f"`{_told(entry, own) if own else entry}`" for entry in value)
    return f"`{_plain(value)}`" if value != {} else "none"


def _told(entry: Schema, properties: Schema) -> str:
    """An entry of a list, without what its keys' own defaults say."""
    said = {key: value for key, value in entry.items() if value != properties[key].get("default")}
    return json.dumps(said)


def _plain(value: object) -> str:
    """A value as YAML has it."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if value is False else str(value)
