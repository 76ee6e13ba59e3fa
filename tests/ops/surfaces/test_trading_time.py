"""For how long a session could be traded: counted from look to look, and never more than it was."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.ops.surfaces.trading_time import (
    LOOKS_APART_MAX,
    TimedLook,
    TradingTime,
    trading_time_in,
    with_look,
)
from hydra.ops.surfaces.writer import SurfaceWriter
from hydra.trading.durations import SECOND
from hydra.trading.sessions import ExchangeSession, SessionTable
from tests.ops.control.engines import FACTS, controlled
from tests.ops.test_health import make_well

OPEN_AT = 1_764_000_000 * SECOND
SESSION = ExchangeSession("2026-11-23", OPEN_AT, OPEN_AT + 390 * 60 * SECOND, False)
NEXT = ExchangeSession(
    "2026-11-24", SESSION.open_at + 86_400 * SECOND, SESSION.close_at + 86_400 * SECOND, False
)
TABLE = SessionTable((SESSION, NEXT))


def look(seconds: int, traded_as: str | None = "ours", apart: int | None = None) -> TimedLook:
    at = OPEN_AT + seconds * SECOND
    seen = at if apart is None else apart
    return TimedLook(at=at, seen=seen, session=TABLE.at(at), traded_as=traded_as)


def counted(*looks: TimedLook, time: TradingTime | None = None) -> TradingTime | None:
    before = None
    for each in looks:
        time, before = with_look(time, before, each), each
    return time


def of(open_s: dict[str, int], date: str = "2026-11-23") -> TradingTime:
    return TradingTime(date=date, session_s=390 * 60, open_s=open_s)


@pytest.mark.parametrize(
    ("looks", "time"),
    [
        ((look(-10), look(-5)), None),
        ((look(-5), look(5)), of({})),
        ((look(0), look(5), look(10)), of({"ours": 10})),
        ((look(0, None), look(5, None)), of({})),
        ((look(0), look(5, None), look(10), look(15)), of({"ours": 5})),
        ((look(0), look(5), look(10, "other"), look(14, "other")), of({"ours": 5, "other": 4})),
        ((look(0), look(31)), of({})),
        ((look(390 * 60 - 5), look(390 * 60 + 5)), of({})),
        ((look(0), look(5), look(86_400), look(86_405)), of({"ours": 5}, "2026-11-24")),
    ],
)
def test_only_what_lies_between_two_looks_at_open_trading_counts(
    looks: tuple[TimedLook, ...], time: TradingTime | None
) -> None:
    assert counted(*looks) == time


def test_what_an_earlier_process_has_counted_of_the_session_goes_on() -> None:
    assert counted(look(60), look(65), time=of({"ours": 55})) == of({"ours": 60})
    assert counted(look(60), time=of({"ours": 55}, "2026-11-20")) == of({})


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["a", "b", None])), max_size=50))
def test_it_is_never_more_than_has_passed(steps: list[tuple[int, str | None]]) -> None:
    at, looks = 0, []
    for passed, traded_as in steps:
        at += passed
        looks.append(look(at, traded_as))
    time = counted(*looks)

    assert sum((time or of({})).open_s.values()) <= at


def test_a_machine_that_slept_has_seen_nothing() -> None:
    apart = OPEN_AT + LOOKS_APART_MAX
    assert counted(look(0), look(30, apart=apart)) == of({"ours": 30})
    assert counted(look(0), look(30, apart=apart + 1)) == of({})
    assert counted(look(0), look(30, apart=OPEN_AT - 1)) == of({})


@pytest.mark.parametrize(
    "document",
    [
        {"date": "2026-11-23"},
        {"date": 1, "session_s": 1, "open_s": {}},
        {"date": "2026-11-23", "session_s": -1, "open_s": {}},
        {"date": "2026-11-23", "session_s": 1, "open_s": {"a": -1}},
        {"date": "2026-11-23", "session_s": True, "open_s": []},
    ],
)
def test_a_document_that_is_none_is_no_time(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        trading_time_in(document)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, {}),
        (b"[]", {}),
        (b'{"account": "PA-OTHER", "date": "D", "session_s": 1, "open_s": {"x": 7}}', {}),
        (b'{"account": "PA-TEST", "date": "D", "session_s": 1, "open_s": {"x": 7}}', {"x": 7}),
    ],
)
def test_the_writer_goes_on_with_its_own_accounts_file_alone(
    tmp_path: Path, content: bytes | None, told: dict[str, int]
) -> None:
    with controlled(tmp_path) as engine:
        make_well(engine)
        now = engine.runtime.market_time_at(engine.runtime.now())
        session = ExchangeSession("D", now - 60 * SECOND, now + 3600 * SECOND, False)
        facts = replace(FACTS, sessions=SessionTable((session,)), traded_as="ours")
        surface = engine.files.surfaces / "trading_time.json"
        if content is not None:
            surface.write_bytes(content)
        SurfaceWriter(engine.runtime, facts, engine.files.surfaces).write_once()
        found = orjson.loads(surface.read_bytes())

    assert (found["date"], found["open_s"]) == ("D", told)


@pytest.mark.parametrize("dry_run", [False, True])
def test_where_nothing_is_sent_nothing_is_traded(tmp_path: Path, dry_run: bool) -> None:
    with controlled(tmp_path) as engine:
        make_well(engine)
        now = engine.runtime.market_time_at(engine.runtime.now())
        session = ExchangeSession("D", now - 60 * SECOND, now + 3600 * SECOND, False)
        table = SessionTable((session,))
        facts = replace(FACTS, sessions=table, traded_as="ours", dry_run=dry_run)
        writer = SurfaceWriter(engine.runtime, facts, engine.files.surfaces)
        writer.write_once()
        writer.write_once()
        found = orjson.loads((engine.files.surfaces / "trading_time.json").read_bytes())

    assert list(found["open_s"]) == ([] if dry_run else ["ours"])
