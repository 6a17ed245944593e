"""Reading what was answered, strictly: whatever is not exactly an answer raises UnusableError."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from golive_decisions.preflight_run import Answer
from golive_decisions.verdicts import UnusableError

OK = 200
"""The one HTTP status that carries an answer; a redirect leads somewhere that nobody has agreed to."""

Model = TypeVar("Model", bound=BaseModel)


def text_of(answer: Answer) -> str:
    """The body of an answer with status 200. Raises UnusableError."""
    if answer.status is None:
        raise UnusableError(answer.error or "no answer")
    if answer.status != OK:
        raise UnusableError(f"answered {answer.status}: {first_line(answer.text)}")
    return answer.text


def first_line(text: str) -> str:
    """What a person needs to see of a body."""
    stripped = text.strip()
    return stripped.splitlines()[0][:200] if stripped else "no text"


def model_of(model: type[Model], answer: Answer) -> Model:
    """The answer as a model. Raises UnusableError."""
    try:
        return model.model_validate_json(text_of(answer))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise UnusableError(f"{place}: {first['msg']}"[:300]) from invalid


def json_of(text: str) -> object:
    """JSON with exact numbers; NaN, or one name twice in an object, is none. Raises UnusableError."""
    try:
        return json.loads(
            text,
            parse_int=Decimal,
            parse_float=Decimal,
            parse_constant=_refuse,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError, InvalidOperation) as unreadable:
        raise UnusableError(f"no JSON: {unreadable}"[:300]) from unreadable


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def at_pointer(value: object, pointer: str) -> object:
    """What an RFC 6901 pointer leads to. Raises UnusableError."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and _is_index(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            raise UnusableError(f"answered without {pointer}")
    return value


def _is_index(key: str) -> bool:
    """Plain digits without a leading zero; few enough that no list is longer."""
    return key.isascii() and key.isdigit() and len(key) < len("1000000") and (key == "0" or key[0] != "0")


def same(one: object, other: object) -> bool:
    """Equality of JSON values with exact numbers: true is not 1, and 3 is 3.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def number(text: str) -> Decimal | None:
    """A finite number; None for NaN, an infinity or no number at all."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
