"""A day's snapshot: what ledger and engine say, and why a day is no day to show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hydra.ops.track_record.snapshots import (
    BotDay,
    Held,
    LedgerAt,
    OnRecord,
    Previous,
    Seen,
    Snapshot,
    TradedFor,
    as_seen,
    decoded,
    encoded,
    snapshot_of,
)
from hydra.trading.causes import COOLDOWN, DAILY_LOSS, OPERATOR_HALT, START
from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import Fill, Side
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger

AT = 1_764_000_000_000_000_000
TAKEN_AT = "2026-11-23T21:01:59Z"
BOUGHT = Fill(
    client_order_id="x",
    execution_id="e",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("3.00"),
    price=Decimal("100.50"),
    at=AT,
)
RECORD = OnRecord(
    ledger=LedgerAt(33, "ab" * 32),
    configuration="digest",
    sub_ledgers=(SubLedger(bot="a", cash=Decimal("-301.50"), realised=Decimal("7.50")),),
    counters=(SessionCounters(bot="b", session="2026-11-23", entries=2, fills=1),),
    counters_of_all=(
        SessionCounters(bot="b", session="2026-11-20", fills=4, round_trips=1, rejections=2),
        SessionCounters(bot="b", session="2026-11-23", entries=2, fills=1),
    ),
    inventories=(
        BotInventory("a", FifoInventory("SPY").apply(BOUGHT)[0]),
        BotInventory("a", FifoInventory("AAPL")),
    ),
    open_orders=2,
    unknown_orders=0,
    halts=(),
    ended_in_order=False,
)
SEEN = Seen(
    date="2026-11-23",
    seen_at="2026-11-23T21:00:00Z",
    account="PA-TEST",
    equity=Decimal("100000.5"),
    day_start=Decimal(99900),
    coverage_pct=Decimal(100),
    comparison_agrees=True,
)
BEFORE = Previous("2026-11-20", "cd" * 32)


def taken(record: OnRecord = RECORD, seen: Seen = SEEN) -> Snapshot:
    return snapshot_of(record, seen, BEFORE, venue="paper", hydra="1", taken_at=TAKEN_AT)


def test_it_has_what_ledger_and_engine_say_of_the_day() -> None:
    assert taken() == Snapshot(
        date="2026-11-23",
        taken_at=TAKEN_AT,
        seen_at="2026-11-23T21:00:00Z",
        venue="paper",
        account="PA-TEST",
        configuration="digest",
        hydra="1",
        equity=Decimal("100000.5"),
        day_start=Decimal(99900),
        bots=(
            BotDay(
                bot="a",
                realised_in_all=Decimal("7.5"),
                cash=Decimal("-301.5"),
                fills_in_all=0,
                round_trips_in_all=0,
                rejections_in_all=0,
            ),
            BotDay(
                bot="b",
                entries=2,
                fills=1,
                fills_in_all=5,
                round_trips_in_all=1,
                rejections_in_all=2,
            ),
        ),
        positions=(
            Held(bot="a", symbol="SPY", quantity=Decimal(3), average_price=Decimal("100.5")),
        ),
        open_orders=2,
        unknown_orders=0,
        halts=(),
        unclean=(),
        ledger=LedgerAt(33, "ab" * 32),
        previous=BEFORE,
    )


def test_its_file_says_it_all_and_the_same_each_time() -> None:
    assert decoded(encoded(taken())) == taken()
    assert encoded(taken()) == encoded(decoded(encoded(taken())))


def test_a_reader_passes_over_what_a_later_version_adds() -> None:
    later = encoded(taken()).replace(b'"schema": 1,', b'"schema": 1, "new": {"a": [1]},')

    assert decoded(later) == taken()


@pytest.mark.parametrize(
    ("record", "seen", "unclean"),
    [
        ({}, {"equity": None}, "equity not known"),
        ({}, {"comparison_agrees": False}, "record and venue did not agree"),
        ({}, {"comparison_agrees": None}, "record and venue did not agree"),
        ({}, {"coverage_pct": Decimal("99.9")}, "not all that was held was protected"),
        ({}, {"coverage_pct": None}, "not all that was held was protected"),
        ({"unknown_orders": 2}, {}, "2 orders of unknown outcome"),
        (
            {"halts": (OPERATOR_HALT.cause(since=AT, detail=""),)},
            {},
            "halted by operator-halt",
        ),
        ({"halts": (DAILY_LOSS.cause(since=AT, detail=""),)}, {}, "halted by daily_loss"),
    ],
)
def test_a_day_on_which_something_was_wrong_or_not_known_says_why_it_is_not_clean(
    record: dict[str, Any], seen: dict[str, Any], unclean: str
) -> None:
    found = taken(replace(RECORD, **record), replace(SEEN, **seen))

    assert found.unclean == (unclean,)


@pytest.mark.parametrize(
    ("in_order", "seen_at", "unclean"),
    [
        (
            False,
            "2026-11-23T15:00:00Z",
            ("the engine was not heard of since 2026-11-23T15:00:00Z",),
        ),
        (None, "2026-11-23T15:00:00Z", ("the engine was not heard of since 2026-11-23T15:00:00Z",)),
        (True, "2026-11-23T15:00:00Z", ()),
        (
            False,
            "2026-11-23T21:04:00Z",
            ("the engine was not heard of since 2026-11-23T21:04:00Z",),
        ),
        (False, "2026-11-23T21:00:00Z", ()),
    ],
)
def test_an_engine_that_is_silent_without_having_ended_in_order_has_no_clean_day(
    in_order: bool | None, seen_at: str, unclean: tuple[str, ...]
) -> None:
    """What it said last, that all is protected and agrees, holds no more."""
    found = taken(replace(RECORD, ended_in_order=in_order), replace(SEEN, seen_at=seen_at))

    assert found.unclean == unclean


def test_a_pause_of_one_bot_and_a_start_that_waits_for_preflight_make_no_day_unclean() -> None:
    halts = (
        COOLDOWN.cause(since=AT, detail="", subject="a"),
        START.cause(since=AT, detail=""),
    )
    found = taken(replace(RECORD, halts=halts))

    assert (found.halts, found.unclean) == (("cooldown:a", "start"), ())


NAV = {
    "updated_at": "2026-11-23T21:00:00Z",
    "trading_day": "2026-11-23",
    "account": "PA-TEST",
    "equity": "100000.50",
    "day_start": "99900",
}
DIAGNOSTICS = {"exit_pipeline": {"coverage_pct": "100"}, "comparison_agrees": True}


def test_what_the_surfaces_say_is_what_was_seen() -> None:
    assert as_seen(NAV, DIAGNOSTICS, {}) == SEEN


def test_for_how_long_the_session_could_be_traded_is_said_with_what() -> None:
    document = {"date": "2026-11-23", "session_s": 23400, "open_s": {"b": 60, "a": 7200}}
    found = taken(seen=as_seen(NAV, DIAGNOSTICS, document))

    assert (found.session_s, found.traded) == (23400, (TradedFor("a", 7200), TradedFor("b", 60)))
    assert decoded(encoded(found)) == found


@pytest.mark.parametrize(
    "document", [{}, {"date": None}, {"date": "2026-11-20", "session_s": 1, "open_s": {"a": 1}}]
)
def test_of_another_session_or_of_none_nobody_says_how_long(document: dict[str, Any]) -> None:
    found = taken(seen=as_seen(NAV, DIAGNOSTICS, document))

    assert (found.session_s, found.traded) == (None, None)


@pytest.mark.parametrize(
    "change",
    [{"trading_day": None}, {"trading_day": ""}, {"trading_day": "soon"}, {"equity": "much"}],
)
def test_surfaces_without_a_day_or_with_no_numbers_are_none(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        as_seen({**NAV, **change}, DIAGNOSTICS, {})
