import json
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.journal_line import (
    LINE_START,
    MAX_LINE_BYTES,
    OWN_KEYS,
    BadLine,
    line_of,
    record_in,
    timestamp,
)
from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.trading.situation import Limits
from hydra.trading.trading_state import TradingState
from messages.orders import OrderCanceled
from tests.store.orders import AT, decision
from tests.trading.situations import LIMITS

NAN, INFINITY = float("nan"), float("inf")


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 2


class Masked:
    def __repr__(self) -> str:
        return "a secret"


class MaskedText(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "***"


class Holder(msgspec.Struct, frozen=True):
    value: Any


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63, max_value=2**9000)
    | st.floats()
    | st.decimals()
    | st.text(st.characters(codec=None))
    | st.binary(max_size=20)
    | st.sampled_from([Side.BUY, Level.HIGH, Color.RED, Masked(), decision(), Path("x")])
    | st.sampled_from([Bar("AAPL", 0, 1, NAN, INFINITY, -INFINITY, 1.0, 0.0)])
    | st.sampled_from(["\ud800", "ünï\udfff", "\n", "\u2028", "\x00", '","crc":"00000000"}\n'])
)
KEYS = st.text(st.characters(codec=None), max_size=8) | st.sampled_from([*OWN_KEYS, "seq_"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS | st.integers() | st.sampled_from(Side), inner, max_size=4)
    ),
    max_leaves=20,
)
FIELDS = st.dictionaries(KEYS, VALUES, max_size=8)


def strict(line: bytes) -> dict[str, Any]:
    """The line as another program reads it, one that knows nothing but the standard."""

    def refuse(word: str) -> object:
        raise AssertionError(f"{word} is not JSON")

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    parsed = json.loads(line.decode("utf-8"), parse_constant=refuse, object_pairs_hook=once)
    assert isinstance(parsed, dict)
    return parsed


def fields_of(fields: Mapping[str, object]) -> dict[str, Any]:
    """What becomes of fields in a line."""
    line = strict(line_of(AT, 1, "event", fields.items()))
    return {name: value for name, value in line.items() if name not in OWN_KEYS}


def test_a_line_is_time_seq_event_fields_and_checksum() -> None:
    content = (
        b'{"ts":"2024-01-02T14:30:00.000000000Z","seq":7,"event":"OrderCanceled",'
        b'"source":"gateway","price":"187.30"'
    )

    line = line_of(AT, 7, "OrderCanceled", [("source", "gateway"), ("price", Decimal("187.30"))])

    assert line == content + b',"crc":"%08x"}\n' % zlib.crc32(content + b"}")


@given(fields=FIELDS, seq=st.integers(1, 2**62))
def test_every_line_is_one_whole_strict_json_object_i63(
    fields: dict[str, object], seq: int
) -> None:
    line = line_of(AT, seq, "event", fields.items())

    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert len(line) <= MAX_LINE_BYTES
    assert line.startswith(LINE_START)
    parsed = strict(line)
    assert (parsed["ts"], parsed["seq"], parsed["event"]) == (timestamp(AT), seq, "event")
    assert len(parsed) == len(fields) + len(OWN_KEYS)
    assert record_in(line) == parsed


@given(fields=FIELDS)
def test_the_same_record_is_the_same_line(fields: dict[str, object]) -> None:
    assert line_of(AT, 1, "event", fields.items()) == line_of(AT, 1, "event", fields.items())


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("ünïcode \U0001f600", "ünïcode \U0001f600"),
        ("half \ud83d", "half \\ud83d"),
        (1, 1),
        (True, True),
        (None, None),
        (0.1, 0.1),
        (NAN, "nan"),
        (INFINITY, "inf"),
        (-INFINITY, "-inf"),
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (2**64, "18446744073709551616"),
        (-(2**63) - 1, "-9223372036854775809"),
        (2**2_000, "<integer of 2001 bits>"),
        (Decimal("187.30"), "187.30"),
        (Decimal("NaN"), "NaN"),
        (Side.BUY, "buy"),
        (TradingState.HALTED, "halted"),
        (Level.HIGH, 2),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02T00:00:00+00:00"),
        (Path("logs/app.jsonl"), "logs/app.jsonl"),
        (b"bytes", "<5 bytes>"),
        (Masked(), "<Masked>"),
        (MaskedText("hunter2"), "***"),
        ((1, [NAN]), [1, ["nan"]]),
        ({"b", "a", "c"}, ["a", "b", "c"]),
        ({Side.BUY: 1, 2: 3, "2": 4, None: 5}, {"buy": 1, "2": 3, "2_": 4, "null": 5}),
        (MappingProxyType({"a": Color.RED}), {"a": "red"}),
        (
            OrderCanceled(client_order_id="x", at=1),
            {"type": "OrderCanceled", "client_order_id": "x", "at": 1},
        ),
        (
            decision(),
            {
                "bot": "momentum",
                "symbol": "AAPL",
                "session": "2024-01-02",
                "signal": 1,
                "role": "entry",
            },
        ),
    ],
)
def test_any_value_finds_words(value: object, written: object) -> None:
    assert fields_of({"value": value}) == {"value": written}


@given(value=VALUES, around=st.integers(0, 16))
def test_a_value_reads_the_same_in_a_message_as_in_a_mapping_i63(
    value: object, around: int
) -> None:
    """The fields of a message are written by a shorter way, which must not show."""
    in_message: object = Holder(value)
    in_mapping: object = {"value": value}
    for _ in range(around):
        in_message, in_mapping = [in_message], [in_mapping]

    assert line_of(AT, 1, "event", [("x", in_message)]) == line_of(
        AT, 1, "event", [("x", in_mapping)]
    )


def limits_written(limits: Limits) -> dict[str, Any]:
    """Their words, in a line."""
    words = fields_of({"limits": limits})["limits"]
    assert isinstance(words, dict)
    return words


@given(
    name=st.sampled_from(LIMITS.__struct_fields__),
    value=SCALARS | st.just([["x"]]),
    depths=st.lists(st.integers(0, 17), min_size=1, max_size=4),
)
def test_limits_read_as_they_are_wherever_they_were_written_before_i63(
    name: str, value: object, depths: list[int]
) -> None:
    """The last ones are remembered, as they were written there."""
    limits = msgspec.structs.replace(LIMITS, **{name: value})
    for depth in depths:
        whole: object = limits
        one_by_one: object = msgspec.structs.asdict(limits)
        for _ in range(depth):
            whole, one_by_one = [whole], [one_by_one]

        assert line_of(AT, 1, "event", [("x", whole)]) == line_of(
            AT, 1, "event", [("x", one_by_one)]
        )


@pytest.mark.parametrize("depths", [(0, 15), (15, 0), (0, 16), (14, 13)])
def test_limits_end_where_the_record_is_too_deep_wherever_they_were_before_i63(
    depths: tuple[int, int],
) -> None:
    for depth in depths:
        whole: object = LIMITS
        for _ in range(depth):
            whole = [whole]

        found = line_of(AT, 1, "event", [("x", whole)]).count(b"<deeper than 16 levels>")

        # The pairs of bots and symbols go first, then their sets, then all of it.
        assert found == {14: 3, 15: 2, 16: 1}.get(depth, 0)


def test_limits_that_only_equal_the_last_ones_have_their_own_words() -> None:
    whole = limits_written(msgspec.structs.replace(LIMITS, entries_per_day_max=1))
    equal = limits_written(msgspec.structs.replace(LIMITS, entries_per_day_max=True))

    assert (whole["entries_per_day_max"], equal["entries_per_day_max"]) == (1, True)
    assert type(equal["entries_per_day_max"]) is bool


def test_limits_of_many_bots_have_their_own_words_in_turn() -> None:
    """More than are remembered; and such as take the place of others in the computer's memory."""
    of_bots = [
        msgspec.structs.replace(LIMITS, round_trips_per_day_max=number) for number in range(250)
    ]
    for _ in range(2):
        for number, limits in enumerate(of_bots):
            assert limits_written(limits)["round_trips_per_day_max"] == number
    for number in range(250):
        short_lived = msgspec.structs.replace(LIMITS, round_trips_per_day_max=number)
        assert limits_written(short_lived)["round_trips_per_day_max"] == number


def test_limits_that_changed_are_written_as_they_are_now() -> None:
    symbols: Any = {"AAPL"}  # nobody gives such limits; a record is no place to rely on it
    limits = msgspec.structs.replace(LIMITS, symbols=symbols)
    assert limits_written(limits)["symbols"] == ["AAPL"]

    symbols.add("MSFT")

    assert limits_written(limits)["symbols"] == ["AAPL", "MSFT"]


def test_what_contains_itself_ends_somewhere_i63() -> None:
    endless: list[object] = [1]
    endless.append(endless)

    levels: list[object] = ["<deeper than 16 levels>"]
    for _ in range(15):
        levels = [1, levels[0] if len(levels) == 1 else levels]
    assert fields_of({"value": endless}) == {"value": [1, levels]}


def test_data_cannot_take_the_place_of_our_own_keys_i63() -> None:
    data = {"seq": 99, "crc": "00000000", "ts": "never", "event": "other", "seq_": 98}

    parsed = strict(line_of(AT, 7, "event", data.items()))

    assert (parsed["ts"], parsed["seq"], parsed["event"]) == (timestamp(AT), 7, "event")
    assert {name: parsed[name] for name in parsed if name not in OWN_KEYS} == {
        "seq_": 99,
        "crc_": "00000000",
        "ts_": "never",
        "event_": "other",
        "seq__": 98,
    }


def test_fields_too_long_for_a_line_become_their_size_i63() -> None:
    room = MAX_LINE_BYTES - len(line_of(AT, 1, "event", [("text", "")]))
    longest, longer = "x" * room, "x" * (room + 1)

    assert fields_of({"text": longest}) == {"text": longest}
    assert len(line_of(AT, 1, "event", [("text", longest)])) == MAX_LINE_BYTES
    assert fields_of({"text": longer, "other": 1}) == {"oversize_bytes": MAX_LINE_BYTES + 11}
    assert fields_of({"k" * MAX_LINE_BYTES: 1})["oversize_bytes"] > MAX_LINE_BYTES


def test_even_the_event_cannot_make_a_line_too_long_i63() -> None:
    parsed = strict(line_of(AT, 1, "e" * MAX_LINE_BYTES, [("text", "x" * MAX_LINE_BYTES)]))

    assert parsed["event"] == "e" * 128
    assert parsed["oversize_bytes"] > MAX_LINE_BYTES


@pytest.mark.parametrize(
    ("ts", "written"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (AT + 1, "2024-01-02T14:30:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (253_402_300_799_999_999_999, "9999-12-31T23:59:59.999999999Z"),
        (-62_135_596_800_000_000_000, "0001-01-01T00:00:00.000000000Z"),
    ],
)
def test_times_are_iso_8601_to_the_nanosecond(ts: int, written: str) -> None:
    assert timestamp(ts) == written


@pytest.mark.parametrize("ts", [253_402_300_800_000_000_000, -62_135_596_800_000_000_001, 10**40])
def test_a_time_that_no_calendar_has_is_refused(ts: int) -> None:
    with pytest.raises(ValueError, match="no such time"):
        timestamp(ts)


def test_a_changed_bit_anywhere_is_noticed_i63() -> None:
    line = line_of(AT, 1, "OrderCanceled", [("text", "ünï"), ("n", 1)])

    for position in range(len(line)):
        for bit in range(8):
            changed = bytearray(line)
            changed[position] ^= 1 << bit

            with pytest.raises(BadLine):
                record_in(bytes(changed))


def sealed(content: bytes) -> bytes:
    return content + b',"crc":"%08x"}\n' % zlib.crc32(content + b"}")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "torn"),
        (b"\n", "checksum"),
        (sealed(b'{"seq":1')[:-1], "torn"),
        (sealed(b'{"seq":1').replace(b"seq", b"sex"), "checksum"),
        (sealed(b'{"seq":1').upper(), "checksum"),
        (sealed(b'{"seq":NaN'), "not JSON"),
        (sealed(b'{"seq":"1"'), "no seq"),
        (sealed(b'{"seq":true'), "no seq"),
        (sealed(b'{"ts":"x"'), "no seq"),
        (sealed(b'{"seq":1,"x":"' + b"x" * MAX_LINE_BYTES + b'"'), "longer than 65536 bytes"),
    ],
)
def test_what_is_not_a_line_says_why_i63(line: bytes, says: str) -> None:
    with pytest.raises(BadLine, match=says):
        record_in(line)
