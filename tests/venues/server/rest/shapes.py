"""Whether two JSON answers have the same shape: keys, types, and what kind of text a text is."""

import re
from collections.abc import Iterator
from typing import Any

_KINDS = (
    ("uuid", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("activity id", re.compile(r"\d{17}::[0-9a-f-]{36}")),
    ("UTC time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")),
    ("zoned time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?[+-]\d\d:\d\d")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("clock time", re.compile(r"\d\d:\d\d")),
    ("amount", re.compile(r"-?\d+(\.\d+)?")),
    ("nothing", re.compile(r"\s*")),
)
_SAME_VALUE = frozenset(
    {
        "activity_type",
        "asset_class",
        "class",
        "code",
        "currency",
        "event",
        "exercise",
        "order_class",
        "order_status",
        "order_type",
        "position_intent",
        "reject_reason",
        "side",
        "status",
        "style",
        "time_in_force",
        "timeframe",
        "type",
    }
)
_FREE_TEXT = frozenset({"client_order_id", "name", "description", "next_page_token"})
_CODE_LETTERS = frozenset({"ax", "bx", "x", "c", "z", "tks"})
_MAY_BE_ABSENT = frozenset(
    {
        "latestTrade",
        "minuteBar",
        "dailyBar",
        "prevDailyBar",
        "greeks",
        "impliedVolatility",
    }
)
"""Parts of a snapshot: each is left out where there is none, also on the real service."""


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """What is another shape in `found`, one line each.

    Of a list each element must have the shape of one of those wanted. Values are compared where
    they are words of a closed set; messages without the names and numbers in them.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        yield from _in_objects(wanted, found, path)
    elif isinstance(wanted, list) and isinstance(found, list):
        yield from _in_lists(wanted, found, path)
    elif _type(wanted) != _type(found):
        yield f"{path}: wanted {_type(wanted)}, found {found!r}"
    elif isinstance(wanted, str):
        yield from _in_texts(wanted, found, path)
    elif path.rpartition(".")[2] in _SAME_VALUE and wanted != found:
        yield f"{path}: wanted {wanted!r}, found {found!r}"


def _in_objects(wanted: dict[str, Any], found: dict[str, Any], path: str) -> Iterator[str]:
    if wanted and all(_is_symbol(key) for key in wanted):
        # Keyed by symbol: whichever there are, each looks like one of the example's.
        yield from _in_lists(list(wanted.values()), list(found.values()), path)
        return
    for key in sorted(wanted.keys() - found.keys() - _MAY_BE_ABSENT):
        yield f"{path}.{key}: missing"
    for key in sorted(found.keys() - wanted.keys()):
        yield f"{path}.{key}: not wanted, found {found[key]!r}"
    for key in wanted.keys() & found.keys():
        yield from differences(wanted[key], found[key], f"{path}.{key}")


def _in_lists(wanted: list[Any], found: list[Any], path: str) -> Iterator[str]:
    if bool(wanted) != bool(found):
        yield f"{path}: wanted {len(wanted)} elements, found {len(found)}"
    for index, element in enumerate(found):
        tried = [list(differences(each, element, f"{path}[{index}]")) for each in wanted]
        yield from min(tried, key=len, default=[])


def _in_texts(wanted: str, found: str, path: str) -> Iterator[str]:
    key = path.rpartition(".")[2]
    if key == "message":
        if _sentence(wanted) != _sentence(found):
            yield f"{path}: wanted {wanted!r}, found {found!r}"
    elif key in _SAME_VALUE:
        if wanted != found:
            yield f"{path}: wanted {wanted!r}, found {found!r}"
    elif key in _CODE_LETTERS:
        if len(found) != 1:
            yield f"{path}: wanted a letter, found {found!r}"
    elif key not in _FREE_TEXT and _kind(wanted) != _kind(found):
        yield f"{path}: wanted a text like {wanted!r}, found {found!r}"


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "list"
        case _:
            return "object"


def _kind(text: str) -> str:
    return next((kind for kind, form in _KINDS if form.fullmatch(text)), "words")


def _sentence(text: str) -> str:
    """Without numbers, quoted names, ids and symbols."""
    text = re.sub(r'"[^"]*"', '"…"', text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|hy1-\S+", "…", text)
    text = re.sub(r"\b[A-Z]{1,6}\d{6}[CP]\d{8}\b|\b[A-Z]{4}\b|\bZZZZZ\b", "…", text)
    return re.sub(r"\d+(\.\d+)?", "0", text)


def _is_symbol(key: str) -> bool:
    return re.fullmatch(r"[A-Z]{3,4}(/USD|\d{6}[CP]\d{8})?", key) is not None
