"""How inputs are made of others: by bytes, by lines, and by the tree that a JSON text is."""

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from tests.fuzz.target import Spoil

LARGEST = 10**400
"""Python itself writes no whole numbers of more than 4,300 digits."""
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Value = Any
"""What JSON can say, and the texts in `RAW`, which it cannot."""

NUMBERS: tuple[Value, ...] = (
    0,
    -0.0,
    1,
    -1,
    0.5,
    1e308,
    -1e308,
    5e-324,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**30,
    float("nan"),
    float("inf"),
    float("-inf"),
)
TEXTS: tuple[str, ...] = (
    "",
    " ",
    "0",
    "-0",
    "1",
    "-5",
    "+1",
    "1.",
    ".5",
    "00",
    "010",
    "1_000",
    "1e3",
    "1E-400",
    "1e999999999",
    "0E+999999",
    "0x1F",
    "nan",
    "NaN",
    "sNaN",
    "inf",
    "-Infinity",
    "9" * 40,
    "9" * 5_000,
    "0." + "0" * 70 + "1",
    "41.26857100000000000000000001",
    "true",
    "null",
    "None",
    "off",
    "ON",
    "2026-11-23T14:31:07.418266031Z",
    "2026-11-23T09:31:07-05:00",
    "2026-11-23T14:31:07",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "2262-04-12T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T14:31:60Z",
    "\uff12\uff10\uff12\uff16-11-23T14:31:07Z",
    "\0",
    "\x1b[2J",
    "\ufeff",
    "\u202e",
    "\u2028",
    "\ud800",
    "\uff21\uff21\uff30\uff2c",
    "\u0410APL",
    "AAPL ",
    "AAPL\n",
    "../../x",
    "%n%s",
    "a" * 3_000,
    "\N{PILE OF POO}" * 20,
)
RAW: tuple[bytes, ...] = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b"-",
    b"1.",
    b"01",
    b"1e400",
    b"-1e400",
    b"9" * 5_000,
    b"NaN",
    b"Infinity",
    b'"\xff"',
    b'"\\ud800"',
    b'"\\u0000"',
    b"[" * 1_200,
    b'{"a":' * 1_200,
    b"[" * 1_200 + b"]" * 1_200,
    b'{"a":' * 1_200 + b"1" + b"}" * 1_200,
    b'{"a":1,"a":2}',
    b"\xef\xbb\xbf",
    b"\0",
)
BYTES: tuple[bytes, ...] = (
    b"\0",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b" ",
    b'"',
    b"\\",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\x7f",
    b"\x80",
    b"\xc0\xaf",
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xe2\x80\xa8",
    b"\x00" * 64,
    b"\xff" * 9,
)


def spoilt_bytes(data: bytes, dice: random.Random) -> bytes:
    """One to four small damages, wherever they fall."""
    content = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at = dice.randrange(len(content) + 1)
        until = min(len(content), at + dice.choice((1, 1, 2, 4, 16, 200)))
        match dice.randrange(7):
            case 0 if content:
                content[min(at, len(content) - 1)] ^= 1 << dice.randrange(8)
            case 1:
                content[at:at] = dice.choice(BYTES)
            case 2:
                del content[at:until]
            case 3:
                content[at:until] = dice.choice(BYTES)
            case 4:
                piece = content[at:until]
                place = dice.randrange(len(content) + 1)
                content[place:place] = piece
            case 5 if dice.random() < 0.2:
                del content[at:]
            case _:
                content[at:until] = dice.randbytes(until - at)
    return bytes(content)


def spoilt_lines(data: bytes, dice: random.Random) -> bytes:
    """Lines that are missing, there twice, exchanged, or joined."""
    lines = data.split(b"\n")
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at : at + 2] = [b"".join(lines[at : at + 2])]
        case 4:
            lines.insert(at, b"")
        case _:
            lines[at] = spoilt_bytes(lines[at], dice)
    return b"\n".join(lines)


def spoilt_fields(data: bytes, dice: random.Random, odd: Sequence[str]) -> bytes:
    """Of a table with commas: mostly one field that is odd, else lines or bytes."""
    match dice.randrange(5):
        case 0:
            return spoilt_bytes(data, dice)
        case 1:
            return spoilt_lines(data, dice)
        case _:
            lines = data.split(b"\n")
            at = dice.randrange(len(lines))
            fields = lines[at].split(b",")
            field = dice.choice(odd) if dice.random() < 0.8 else dice.choice(TEXTS)
            fields[dice.randrange(len(fields))] = field.encode("utf-8", "surrogatepass")
            lines[at] = b",".join(fields)
            return b"\n".join(lines)


def spoilt_json(data: bytes, dice: random.Random, words: Sequence[str] = ()) -> bytes:
    """The same tree with one to three changes in it; what is no JSON is spoilt by bytes."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return spoilt_bytes(data, dice)
    holder = [tree]
    for _ in range(dice.choice((1, 1, 2, 3))):
        _change(holder, dice, words)
    return written(holder[0])


def written(tree: Value) -> bytes:
    """As JSON, but for the marks of `RAW`, for which that stands there."""
    text = json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if b"\\u0002" in text:
        for number, raw in enumerate(RAW):
            text = text.replace(json.dumps(_mark(number)).encode(), raw)
    return text


def _mark(number: int) -> str:
    return f"\x02{number}\x03"


def any_value(dice: random.Random, words: Sequence[str]) -> Value:
    """Any value at all, most of them odd."""
    match dice.randrange(9):
        case 0:
            return dice.choice((None, True, False, [], {}))
        case 1 | 2:
            return dice.choice(NUMBERS)
        case 3 | 4 | 5:
            return dice.choice(TEXTS)
        case 6 if words:
            return dice.choice(words)
        case 7:
            return _mark(dice.randrange(len(RAW)))
        case _:
            return dice.choice((str(dice.randint(-100, 10**6) / 100), dice.randint(-5, 500)))


def _change(holder: list[Value], dice: random.Random, words: Sequence[str]) -> None:
    """One change at one place, each place as likely."""
    places = list(_places(holder))
    parent, key = dice.choice(places)
    value = parent[key]
    match dice.randrange(9):
        case 0 | 1:
            parent[key] = any_value(dice, words)
        case 2 | 3:
            parent[key] = _nudged(value, dice)
        case 4 if parent is not holder:
            del parent[key]
        case 5:
            other_parent, other_key = dice.choice(places)
            other = other_parent[other_key]
            if not (_holds(value, other_parent) or _holds(other, parent)):
                parent[key], other_parent[other_key] = other, value
        case 6 if isinstance(value, dict):
            name = dice.choice(words) if words and dice.random() < 0.7 else dice.choice(TEXTS)
            value[name] = any_value(dice, words)
        case 6 if isinstance(value, list):
            value.insert(dice.randrange(len(value) + 1), any_value(dice, words))
        case 7 if isinstance(parent, list) and len(parent) < 50:
            parent.insert(key, json.loads(json.dumps(value)))
        case 8:
            parent[key] = {"a": value} if dice.random() < 0.5 else [value]
        case _:
            parent[key] = None


def _nudged(value: Value, dice: random.Random) -> Value:
    """Something like it: another number, another case, another type of the same."""
    match value:
        case bool():
            return dice.choice((not value, int(value), str(value).lower()))
        case int() if abs(value) > LARGEST:
            return 0
        case int():
            return dice.choice((-value, value + 1, value * 10, value // 10, str(value)))
        case float():
            return dice.choice((-value, value + 1, value * 10, value / 10, str(value)))
        case str() if _INSTANT.match(value):
            return dice.choice([each for each in TEXTS if _INSTANT.match(each)])
        case str() if _NUMBER.fullmatch(value):
            signs = (f"-{value}", value.removeprefix("-"), f" {value}", f"{value}.", float(value))
            others = ("0", "-0", "NaN", "Infinity", "1e999999999", "0E+999999", "1E-400")
            return dice.choice((*signs, *others, value + "0" * 20, f"{value}e20", f"{value}e-80"))
        case str():
            changes = (value.upper(), value + "0", value[:-1], f" {value}", value[::-1], value * 2)
            return dice.choice((*changes, len(value)))
        case list():
            return value + value if len(value) < 20 else value[::-1]
        case dict():
            return list(value.values())
        case _:
            return 0


def _places(holder: list[Value]) -> list[tuple[Any, Any]]:
    places: list[tuple[Any, Any]] = []
    waiting: list[Any] = [holder]
    while waiting:
        parent = waiting.pop()
        keys = parent.keys() if isinstance(parent, dict) else range(len(parent))
        for key in keys:
            places.append((parent, key))
            if isinstance(parent[key], dict | list):
                waiting.append(parent[key])
    return places


def _holds(value: Value, wanted: Value) -> bool:
    """Whether it is `wanted` or has it somewhere within: then it must not be put into that."""
    if value is wanted:
        return True
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return any(_holds(each, wanted) for each in inner)


def json_lines(words: Sequence[str] = ()) -> Spoil:
    """For files of lines, each of them JSON."""

    def spoil(data: bytes, dice: random.Random) -> bytes:
        match dice.randrange(6):
            case 0:
                return spoilt_bytes(data, dice)
            case 1 | 2:
                return spoilt_lines(data, dice)
            case _:
                lines = data.split(b"\n")
                at = dice.randrange(len(lines))
                lines[at] = spoilt_json(lines[at], dice, words)
                return b"\n".join(lines)

    return spoil


def json_text(words: Sequence[str] = ()) -> Spoil:
    """For one JSON text."""

    def spoil(data: bytes, dice: random.Random) -> bytes:
        if dice.randrange(6) == 0:
            return spoilt_bytes(data, dice)
        return spoilt_json(data, dice, words)

    return spoil
