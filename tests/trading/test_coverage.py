from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.coverage import Attribution, ExitCoverage, exit_coverage
from hydra.trading.coverage_lines import CoverageLine, Mismatch, MismatchKind
from hydra.trading.durations import DAY, MINUTE, SECOND
from hydra.trading.exact import add, subtract, total
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard, OrderGroups, ProtectionTerms
from hydra.trading.sub_ledgers import UNATTRIBUTED
from hydra.trading.venue_clock import SKEW
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from tests.trading.coverage_parts import (
    HALF_DAY,
    NOW,
    SESSIONS,
    TERMS,
    account,
    decision,
    guard,
    instant,
    of_bots,
    order,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
OPTION = "SPY240712C00550000"


def covered(
    snapshot: VenueSnapshot | None,
    *guards: Guard,
    attribution: Attribution | None = None,
    terms: ProtectionTerms = TERMS,
    at: int = NOW,
    groups: OrderGroups | None = None,
) -> ExitCoverage:
    return exit_coverage(snapshot, guards, attribution, terms, at, groups)


def line(
    position: str, by_orders: str = "0", by_guards: str = "0", uncovered: str = "0", **of: str
) -> CoverageLine:
    return CoverageLine(
        symbol=of.get("symbol", "AAPL"),
        bot=of.get("bot", UNATTRIBUTED),
        position=D(position),
        by_orders=D(by_orders),
        by_guards=D(by_guards),
        uncovered=D(uncovered),
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (line("8", by_orders="8"), "by an order at the venue"),
        (line("-8", by_guards="8"), "by its bot's guard"),
        (
            line("8", by_orders="5", by_guards="3"),
            "5 by an order at the venue, 3 by its bot's guard",
        ),
        (line("8", by_orders="5", uncovered="3"), "NOT protected: 3, 5 by an order at the venue"),
        (line("8", uncovered="8"), "NOT protected: 8"),
        (
            structs.replace(line("8", uncovered="8"), held_back=D(6)),
            "NOT protected: 8 (6 while halted)",
        ),
    ],
)
def test_a_line_says_what_protects_the_position_i30(found: CoverageLine, words: str) -> None:
    assert found.words == words


def kinds(found: ExitCoverage) -> list[MismatchKind]:
    return [mismatch.kind for mismatch in found.mismatches]


def mismatch(kind: MismatchKind, quantity: str, side: Side | None, **of: str) -> Mismatch:
    return Mismatch(
        kind=kind,
        symbol=of.get("symbol", "AAPL"),
        bot=of.get("bot", UNATTRIBUTED),
        quantity=D(quantity),
        side=side,
        subject=of.get("subject", ""),
        detail=of.get("detail", ""),
    )


def test_a_position_with_a_live_stop_of_its_size_is_covered_i30() -> None:
    found = covered(account({"AAPL": "10"}, order(SELL, "10")))

    assert found == ExitCoverage(is_known=True, lines=(line("10", by_orders="10"),), mismatches=())
    assert (found.pct, found.is_whole) == (D(100), True)


def test_what_no_order_covers_a_fresh_guard_does_and_the_rest_is_named_i30() -> None:
    found = covered(account({"AAPL": "-10"}, order(BUY, "3")), guard("-5"))

    assert found == ExitCoverage(
        is_known=True,
        lines=(line("-10", by_orders="3", by_guards="5", uncovered="2"),),
        mismatches=(mismatch(MismatchKind.UNCOVERED, "2", BUY),),
    )
    assert (found.pct, found.is_whole) == (D(80), False)


def test_nothing_held_is_covered_wholly_and_nothing_known_is_not_covered_i30() -> None:
    assert covered(account({})).pct == 100
    assert covered(None) == ExitCoverage(
        is_known=False,
        lines=(),
        mismatches=(
            mismatch(
                MismatchKind.UNKNOWN_ACCOUNT, "0", None, symbol="", detail="it was never read"
            ),
        ),
    )
    assert (covered(None).pct, covered(None).is_whole) == (D(0), False)


@pytest.mark.parametrize(
    ("at", "is_known"),
    [
        (NOW - 60 * SECOND, True),
        (NOW - 60 * SECOND - 1, False),
        (NOW, True),
        (NOW + 1, False),
    ],
)
def test_an_old_picture_or_one_of_the_future_covers_nothing_i30(at: int, is_known: bool) -> None:
    found = covered(account({"AAPL": "10"}, order(SELL, "10"), at=at), guard("10"))

    assert found.is_known is is_known
    assert found.is_whole is is_known
    if not is_known:
        assert found.lines == (line("10", uncovered="10"),)
        assert kinds(found) == [MismatchKind.UNKNOWN_ACCOUNT]


def test_a_position_that_is_no_number_makes_the_account_unknown_i34() -> None:
    assert not covered(account({"AAPL": "NaN"})).is_known
    assert not covered(account({}), attribution=of_bots({"one": "Infinity"}, {})).is_known


@pytest.mark.parametrize(
    ("listed", "by_orders"),
    [
        (order(SELL, "10", filled="4"), "6"),
        (order(SELL, "10", order_type=OrderType.LIMIT), "0"),
        (order(SELL, "10", order_type=OrderType.MARKET), "10"),
        (order(SELL, "10", stop_price=None), "0"),
        (order(SELL, "10", stop_price=D("NaN")), "0"),
        (order(SELL, "10", is_queued=True), "0"),
        (order(SELL, "10", is_idle=True), "0"),
        (order(SELL, "10", unread="class is 'bracket'"), "0"),
        (order(SELL, "NaN"), "0"),
        (order(SELL, "10", filled_quantity=D(11)), "0"),
        (order(SELL, "10", filled_quantity=D(-1)), "0"),
        (order(SELL, "10", status=OrderStatus.UNKNOWN), "0"),
        (order(SELL, "10", status=OrderStatus.CANCELED), "0"),
        (order(SELL, "10", status=OrderStatus.REPLACED), "0"),
        (order(SELL, "10", symbol="MSFT"), "0"),
        (order(BUY, "10"), "0"),
        (order(SELL, "10", time_in_force=TimeInForce.IOC), "0"),
    ],
)
def test_only_a_live_order_that_bounds_the_loss_covers_i30(
    listed: VenueOrder, by_orders: str
) -> None:
    found = covered(account({"AAPL": "10"}, listed))

    assert found.lines == (line("10", by_orders=by_orders, uncovered=str(10 - int(by_orders))),)


@pytest.mark.parametrize(
    ("since", "at", "queued", "is_covered"),
    [
        # Placed in this session, and it is open.
        ("2024-07-02 10:00", "2024-07-02 15:59", False, True),
        # At its close it is over, whether or not the venue has said so yet.
        ("2024-07-02 10:00", "2024-07-02 16:00", False, False),
        # Left from the day before.
        ("2024-07-01 10:00", "2024-07-02 11:00", False, False),
        # Placed after the close, for the next session, and waiting for it.
        ("2024-07-01 18:00", "2024-07-01 19:00", True, True),
        ("2024-07-01 18:00", "2024-07-02 11:00", False, True),
        # Still waiting while the market is open: it is not proven to be in it.
        ("2024-07-01 18:00", "2024-07-02 11:00", True, False),
        # A half day closes it at one.
        ("2024-07-03 10:00", "2024-07-03 12:59", False, True),
        ("2024-07-03 10:00", "2024-07-03 13:00", False, False),
        # Of after the calendar's end nothing is known.
        ("2024-07-26 17:00", "2024-07-26 18:00", True, False),
    ],
)
def test_a_day_order_protects_until_its_session_closes_i43(
    since: str, at: str, queued: bool, is_covered: bool
) -> None:
    leg = order(SELL, "10", at=instant(since), is_queued=queued)

    found = covered(account({"AAPL": "10"}, leg, at=instant(at)), at=instant(at))

    assert found.is_whole is is_covered


def test_over_the_night_an_order_without_an_end_protects_and_so_does_one_that_waits() -> None:
    live = order(SELL, "10", time_in_force=TimeInForce.GTC)
    queued = order(SELL, "10", time_in_force=TimeInForce.GTC, is_queued=True)
    done = order(SELL, "10", time_in_force=TimeInForce.GTC, is_idle=True)

    def is_covered(leg: VenueOrder, at: str) -> bool:
        seen_at = instant(at)
        return covered(account({"AAPL": "10"}, leg, at=seen_at), at=seen_at).is_whole

    assert is_covered(live, "2024-07-03 23:00")
    assert is_covered(queued, "2024-07-03 23:00")
    assert is_covered(done, "2024-07-03 23:00")
    # Whether there will be an opening is not known.
    assert not is_covered(queued, "2024-07-27 12:00")


def test_what_ends_soon_is_covered_and_named_with_what_to_renew() -> None:
    at = instant("2024-07-02 15:50")
    snapshot = account({"AAPL": "10"}, order(SELL, "6"), at=at)
    watch = guard("10", until=at + 20 * MINUTE, looked_at=at, price_at=at)

    assert covered(snapshot, watch, at=at).mismatches == ()
    assert covered(snapshot, at=at).mismatches == (
        mismatch(MismatchKind.UNCOVERED, "4", SELL),
        mismatch(MismatchKind.EXPIRING, "6", SELL),
    )


@pytest.mark.parametrize(
    ("changed", "is_covered"),
    [
        ({"looked_at": NOW - 10 * SECOND, "price_at": NOW - 15 * SECOND}, True),
        ({"looked_at": NOW - 10 * SECOND - 1}, False),
        ({"looked_at": None}, False),
        ({"looked_at": NOW + SKEW, "price_at": NOW + SKEW}, True),
        ({"looked_at": NOW + SKEW + 1}, False),
        ({"price_at": NOW - 15 * SECOND - 1}, False),
        ({"price_at": None}, False),
        ({"price_at": NOW + SKEW + 1}, False),
        ({"until": NOW}, False),
        ({"quantity": D("NaN")}, False),
    ],
)
def test_a_guard_covers_only_while_it_looks_at_fresh_prices_i45(
    changed: dict[str, int | Decimal | None], is_covered: bool
) -> None:
    found = covered(account({"AAPL": "10"}), guard("10", **changed))

    assert found.is_whole is is_covered
    if not is_covered:
        assert kinds(found) == [MismatchKind.UNCOVERED, MismatchKind.STALE_GUARD]


def test_a_guard_of_the_other_direction_covers_nothing_and_is_named() -> None:
    found = covered(account({"AAPL": "10"}), guard("-10"))

    assert found.mismatches == (
        mismatch(MismatchKind.UNCOVERED, "10", SELL),
        mismatch(MismatchKind.WRONG_SIDE, "10", None, subject="guard exits of one"),
    )


def test_more_closing_orders_than_shares_are_named_with_the_excess_i09() -> None:
    found = covered(
        account(
            {"AAPL": "10"},
            order(SELL, "10"),
            order(SELL, "7", "target", order_type=OrderType.LIMIT, filled="2"),
        )
    )

    assert found.is_whole
    assert found.mismatches == (mismatch(MismatchKind.OVER_COVERED, "5", SELL),)


def test_a_stop_without_a_position_is_an_orphan_i09() -> None:
    found = covered(account({}, order(SELL, "10", filled="4"), order(BUY, "2", "stop-2")))

    assert found.lines == ()
    assert found.mismatches == (
        mismatch(MismatchKind.OVER_COVERED, "2", BUY),
        mismatch(MismatchKind.OVER_COVERED, "6", SELL),
    )


def test_a_stop_that_would_enlarge_the_position_is_named_i09() -> None:
    found = covered(account({"AAPL": "10"}, order(SELL, "10"), order(BUY, "3", "stop-2")))

    assert found.is_whole
    assert found.mismatches == (mismatch(MismatchKind.WRONG_SIDE, "3", BUY, subject="stop-2"),)


def test_an_order_that_should_protect_and_does_not_is_named_with_its_reason_i30() -> None:
    found = covered(account({"AAPL": "10"}, order(SELL, "10", is_queued=True)))

    assert found.mismatches == (
        mismatch(MismatchKind.UNCOVERED, "10", SELL),
        mismatch(
            MismatchKind.DEAD_ORDER,
            "10",
            SELL,
            subject="stop-1",
            detail="it is not in the market",
        ),
    )


def test_the_legs_of_a_group_cover_once_and_are_no_excess() -> None:
    target = order(SELL, "10", "target", order_type=OrderType.LIMIT)
    stop = order(SELL, "10", "stop")
    snapshot = account({"AAPL": "10"}, target, stop)
    groups = OrderGroups(of={"venue-target": "oco", "venue-stop": "oco"})

    assert kinds(covered(snapshot)) == [MismatchKind.OVER_COVERED]
    found = covered(snapshot, groups=groups)
    assert found == ExitCoverage(is_known=True, lines=(line("10", "10"),), mismatches=())


def test_two_stops_of_one_group_cover_as_much_as_the_larger() -> None:
    groups = OrderGroups(of={"venue-one": "oco", "venue-two": "oco"})
    snapshot = account({"AAPL": "10"}, order(SELL, "4", "one"), order(SELL, "6", "two"))

    assert covered(snapshot, groups=groups).lines == (line("10", "6", uncovered="4"),)
    assert covered(snapshot).lines == (line("10", "10"),)


def test_an_order_that_is_listed_twice_counts_once_i62() -> None:
    twice = order(SELL, "5")

    found = covered(account({"AAPL": "10"}, twice, twice))

    assert found.lines == (line("10", "5", uncovered="5"),)


def test_a_guard_that_is_listed_twice_counts_once() -> None:
    held = account({"AAPL": "10"})

    assert not covered(held, guard("5"), guard("5")).is_whole
    assert covered(held, guard("5"), guard("5", name="second lot")).is_whole


def test_a_leg_that_waits_for_its_entry_protects_nothing_yet_i30() -> None:
    waiting = OrderGroups(waiting=frozenset({"venue-stop-1"}))

    found = covered(account({"AAPL": "4"}, order(SELL, "10")), groups=waiting)

    assert found.lines == (line("4", uncovered="4"),)
    assert kinds(found) == [MismatchKind.UNCOVERED, MismatchKind.DEAD_ORDER]


def test_of_an_order_and_its_replacement_one_lives_and_the_smaller_counts_i26() -> None:
    old, new = order(SELL, "10"), order(SELL, "7", "stop-2", replaces="stop-1")

    found = covered(account({"AAPL": "10"}, old, new))

    assert found.lines == (line("10", by_orders="7", uncovered="3"),)
    assert kinds(found) == [MismatchKind.UNCOVERED]


def test_a_replacement_that_is_not_live_yet_leaves_the_order_before_it_in_force_i26() -> None:
    old = order(SELL, "10")
    new = order(SELL, "7", "stop-2", replaces="stop-1", is_queued=True)

    assert covered(account({"AAPL": "10"}, old, new)).lines == (line("10", by_orders="10"),)


def test_what_an_order_traded_before_it_was_replaced_covers_nothing_more_i26() -> None:
    old = order(SELL, "10", filled="4", status=OrderStatus.REPLACED)
    new = order(SELL, "10", "stop-2", replaces="stop-1")

    found = covered(account({"AAPL": "10"}, old, new))

    assert found.lines == (line("10", by_orders="6", uncovered="4"),)


def test_an_order_of_before_a_split_protects_nothing_after_it() -> None:
    split = instant("2024-07-02 10:30")
    terms = ProtectionTerms(
        sessions=SESSIONS,
        snapshot_age_ns_max=60 * SECOND,
        guard_age_ns_max=10 * SECOND,
        price_age_ns_max=15 * SECOND,
        expiring_ns=15 * MINUTE,
        splits={"AAPL": (split,)},
    )

    def stop(at: int, seen_at: int) -> ExitCoverage:
        snapshot = account({"AAPL": "10"}, order(SELL, "10", at=at), at=seen_at)
        return covered(snapshot, terms=terms, at=seen_at)

    assert stop(split - 1, split - 20 * MINUTE).mismatches == ()
    assert kinds(stop(split - 1, split - MINUTE)) == [MismatchKind.EXPIRING]
    assert kinds(stop(split - 1, split)) == [MismatchKind.UNCOVERED, MismatchKind.DEAD_ORDER]
    assert stop(split, split).is_whole
    assert not covered(account({"AAPL": "10"}), guard("10"), terms=terms).is_whole
    assert covered(account({"AAPL": "10"}), guard("10", since=split), terms=terms).is_whole


@pytest.mark.parametrize(
    ("expires", "at", "is_covered"),
    [
        ("240712", "2024-07-11 15:40", True),
        ("240712", "2024-07-12 15:14", True),
        ("240712", "2024-07-12 15:15", False),
        ("240712", "2024-07-12 15:30", False),
        # A half day closes three hours earlier.
        ("240703", "2024-07-03 12:14", True),
        ("240703", "2024-07-03 12:15", False),
        # On a holiday nothing trades: the day before is the last.
        ("240704", "2024-07-03 12:15", False),
        # The calendar does not reach so far.
        ("240816", "2024-07-12 11:00", False),
    ],
)
def test_an_option_is_covered_until_it_can_no_longer_be_closed(
    expires: str, at: str, is_covered: bool
) -> None:
    symbol, now = f"SPY{expires}C00550000", instant(at)
    leg = order(SELL, "2", symbol=symbol, at=now)
    watch = guard("2", symbol=symbol, until=now + 100 * DAY, looked_at=now, price_at=now)

    assert covered(account({symbol: "2"}, leg, at=now), at=now).is_whole is is_covered
    assert covered(account({symbol: "2"}, at=now), watch, at=now).is_whole is is_covered


def test_coins_are_covered_by_guards_at_any_hour_to_the_last_digit() -> None:
    night = instant("2024-07-06 03:00")
    held = account({"BTC/USD": "0.123456789"}, at=night)
    watch = guard(
        "0.12345678",
        symbol="BTC/USD",
        since=night - SECOND,
        until=night + 60 * MINUTE,
        looked_at=night,
        price_at=night,
    )

    found = covered(held, watch, at=night)

    assert found.lines == (
        line("0.123456789", by_guards="0.12345678", uncovered="9E-9", symbol="BTC/USD"),
    )
    assert found.pct == D("99.99")


def test_a_day_order_in_a_coin_has_no_known_end_and_covers_nothing() -> None:
    leg = order(SELL, "1", symbol="BTC/USD")

    assert not covered(account({"BTC/USD": "1"}, leg)).is_whole
    live = order(SELL, "1", symbol="BTC/USD", time_in_force=TimeInForce.GTC)
    assert covered(account({"BTC/USD": "1"}, live)).is_whole


def test_bots_with_opposite_positions_each_need_an_exit_of_their_own_i31() -> None:
    snapshot = account({"AAPL": "6"}, order(SELL, "6", "a"))
    whose = of_bots({"one": "10", "two": "-4"}, {"a": "one"})

    found = covered(snapshot, guard("-4", bot="two"), guard("1"), attribution=whose)

    assert found == ExitCoverage(
        is_known=True,
        lines=(
            line("10", by_orders="6", by_guards="1", uncovered="3", bot="one"),
            line("-4", by_guards="4", bot="two"),
        ),
        mismatches=(mismatch(MismatchKind.UNCOVERED, "3", SELL, bot="one"),),
    )
    assert found.pct == D("85")


def test_a_stop_of_one_bot_covers_no_position_of_another() -> None:
    snapshot = account({"AAPL": "10"}, order(SELL, "10", "a"))
    whose = of_bots({"one": "5", "two": "5"}, {"a": "one"})

    assert covered(snapshot, attribution=whose).mismatches == (
        mismatch(MismatchKind.OVER_COVERED, "5", SELL, bot="one"),
        mismatch(MismatchKind.UNCOVERED, "5", SELL, bot="two"),
    )


def test_what_the_account_has_beyond_all_bots_is_nobodys_and_uncovered_i29() -> None:
    whose = of_bots({"one": "10"}, {"a": "one"}, excluded={"AAPL": D(3)})
    more = account({"AAPL": "15"}, order(SELL, "10", "a"))
    less = account({"AAPL": "9"}, order(SELL, "10", "a"))
    same = account({"AAPL": "13"}, order(SELL, "10", "a"))

    assert covered(more, attribution=whose).lines == (
        line("10", by_orders="10", bot="one"),
        line("2", uncovered="2"),
    )
    assert covered(less, attribution=whose).lines == (
        line("10", by_orders="10", bot="one"),
        line("-4", uncovered="4"),
    )
    assert covered(same, attribution=whose).is_whole


def test_an_entry_is_no_exit_and_no_excess() -> None:
    whose = Attribution(
        positions={("one", "AAPL"): D(10)},
        decisions={"a": decision("one", Role.ENTRY), "b": decision("two", Role.ENTRY)},
    )
    snapshot = account({"AAPL": "10"}, order(BUY, "5", "a"), order(SELL, "10", "b"))

    found = covered(snapshot, attribution=whose)

    assert found.mismatches == (mismatch(MismatchKind.UNCOVERED, "10", SELL, bot="one"),)


def test_a_mismatch_says_in_one_line_what_to_repair() -> None:
    (found,) = covered(account({"AAPL": "10"})).mismatches

    assert found.words == (
        "unattributed AAPL, sell 10: nothing protects it: protect it or close it"
    )


# Properties. Quantities are whole or of nine places; most of what there is fits a position.

QUANTITIES = st.one_of(
    st.integers(1, 50).map(Decimal),
    st.integers(1, 10**11).map(lambda n: Decimal(n).scaleb(-9)),
)
SIGNED = st.builds(lambda q, sign: q.copy_negate() if sign else q, QUANTITIES, st.booleans())
SYMBOLS = st.sampled_from(["AAPL", "AAPL", OPTION, "BTC/USD"])
BOTS = st.sampled_from(["one", "one", "two"])
TIMES = st.sampled_from([NOW - SECOND, NOW - SECOND, NOW, NOW - 16 * SECOND, NOW + 1, None])


# What is odd about one stop in four: in its content, and in what the venue says of it.
ODDITIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"order_type": OrderType.MARKET, "stop_price": None}, {}),
    ({"order_type": OrderType.LIMIT, "stop_price": None}, {}),
    ({"time_in_force": TimeInForce.IOC}, {}),
    ({}, {"is_queued": True}),
    ({}, {"unread": "class is 'oto'"}),
    ({}, {"at": 0}),
]


@st.composite
def orders(draw: st.DrawFn, number: int = 0) -> VenueOrder:
    quantity, symbol = draw(QUANTITIES), draw(SYMBOLS)
    of_content, of_listing = draw(st.sampled_from([({}, {})] * 18 + ODDITIES))
    stop = order(
        draw(st.sampled_from(Side)),
        quantity,
        f"order-{number}",
        filled=draw(st.sampled_from([D(0), D(0), quantity])),
        symbol=symbol,
        time_in_force=TimeInForce.GTC if symbol == "BTC/USD" else TimeInForce.DAY,
    )
    return structs.replace(stop, order=structs.replace(stop.order, **of_content), **of_listing)


GUARDS = st.lists(
    st.builds(
        lambda quantity, name, symbol, bot, looked_at, price_at: guard(
            quantity, name=name, symbol=symbol, bot=bot, looked_at=looked_at, price_at=price_at
        ),
        SIGNED,
        st.sampled_from(["exits", "second lot"]),
        SYMBOLS,
        BOTS,
        TIMES,
        TIMES,
    ),
    max_size=5,
)
ORDERS = st.integers(0, 8).flatmap(lambda count: st.tuples(*map(orders, range(count))))
POSITIONS = st.dictionaries(SYMBOLS, SIGNED, min_size=1)
OWNERS = st.one_of(
    st.none(),
    st.builds(
        lambda positions, bots, excluded: Attribution(
            positions=positions,
            decisions={
                f"order-{number}": decision(bot, Role.EXIT) for number, bot in enumerate(bots)
            },
            excluded=excluded,
        ),
        st.dictionaries(st.tuples(BOTS, SYMBOLS), SIGNED, min_size=1),
        st.lists(BOTS, min_size=4, max_size=9),
        st.dictionaries(SYMBOLS, SIGNED, max_size=1),
    ),
)


@given(POSITIONS, ORDERS, GUARDS, OWNERS)
def test_every_share_contract_and_coin_is_covered_or_uncovered_exactly_once(
    positions: dict[str, Decimal],
    listed: tuple[VenueOrder, ...],
    guards: list[Guard],
    whose: Attribution | None,
) -> None:
    found = covered(account(positions, *listed), *guards, attribution=whose)

    for each in found.lines:
        parts = [each.by_orders, each.by_guards, each.uncovered]
        assert min(parts) >= 0
        assert total(parts) == each.position.copy_abs()
        assert 0 <= each.pct <= 100
        assert (each.pct == 100) is (each.uncovered == 0)
    assert 0 <= found.pct <= 100
    assert (found.pct == 100) is found.is_whole
    for symbol in {*positions, "AAPL"}:
        excluded = D(0) if whose is None else whose.excluded.get(symbol, D(0))
        held = total(each.position for each in found.lines if each.symbol == symbol)
        assert held == subtract(positions.get(symbol, D(0)), excluded)


@given(POSITIONS, ORDERS, GUARDS, OWNERS, orders(99))
def test_one_order_more_never_lowers_the_coverage(
    positions: dict[str, Decimal],
    listed: tuple[VenueOrder, ...],
    guards: list[Guard],
    whose: Attribution | None,
    extra: VenueOrder,
) -> None:
    before = covered(account(positions, *listed), *guards, attribution=whose)
    after = covered(account(positions, *listed, extra), *guards, attribution=whose)

    assert after.pct >= before.pct
    for one, other in zip(before.lines, after.lines, strict=True):
        assert other.uncovered <= one.uncovered


@given(POSITIONS, ORDERS, GUARDS, OWNERS)
def test_every_gap_is_named_with_what_repairs_it_and_the_repair_does(
    positions: dict[str, Decimal],
    listed: tuple[VenueOrder, ...],
    guards: list[Guard],
    whose: Attribution | None,
) -> None:
    found = covered(account(positions, *listed), *guards, attribution=whose)

    gaps = [each for each in found.mismatches if each.kind is MismatchKind.UNCOVERED]
    assert [(each.symbol, each.bot, each.quantity) for each in gaps] == [
        (each.symbol, each.bot, each.uncovered) for each in found.lines if each.uncovered
    ]
    repairs = [
        guard(
            each.quantity if each.side is SELL else each.quantity.copy_negate(),
            symbol=each.symbol,
            bot=each.bot,
            name="repair",
        )
        for each in gaps
    ]
    repaired = covered(account(positions, *listed), *guards, *repairs, attribution=whose)
    assert repaired.is_whole


@given(POSITIONS, ORDERS, GUARDS, OWNERS, st.integers(1, 10**18))
def test_without_a_fresh_picture_nothing_is_covered(
    positions: dict[str, Decimal],
    listed: tuple[VenueOrder, ...],
    guards: list[Guard],
    whose: Attribution | None,
    late: int,
) -> None:
    at = NOW + 60 * SECOND + late
    found = covered(account(positions, *listed), *guards, attribution=whose, at=at)

    assert (found.pct, found.is_whole) == (D(0), False)
    assert not any(add(each.by_orders, each.by_guards) for each in found.lines)


def test_the_calendar_of_these_tests_has_a_half_day() -> None:
    half = SESSIONS.of_date(HALF_DAY.isoformat())
    assert half is not None and half.early_close
    assert SESSIONS.of_date(date(2024, 7, 4).isoformat()) is None


def test_while_halted_a_guard_covers_nothing_and_an_order_what_it_did_i11_i30() -> None:
    snapshot = account({"AAPL": "10"}, order(SELL, "4"))
    attribution = of_bots({"one": "10"}, {"stop-1": "one"})

    found = exit_coverage(
        snapshot, [guard("10")], attribution, TERMS, NOW, halted={("one", "AAPL")}
    )
    of_another = exit_coverage(
        snapshot, [guard("10")], attribution, TERMS, NOW, halted={("two", "AAPL")}
    )

    halted = structs.replace(line("10", by_orders="4", uncovered="6", bot="one"), held_back=D(6))
    assert (found.lines, found.lines[0].is_held_back) == ((halted,), True)
    assert kinds(found) == [MismatchKind.UNCOVERED, MismatchKind.HELD_BACK]
    assert of_another.is_whole


def test_what_has_no_sound_guard_is_not_held_back_by_the_halt_alone_i11() -> None:
    attribution = of_bots({"one": "10"}, {})

    for poor in (guard("4"), guard("10", looked_at=None)):
        found = exit_coverage(
            account({"AAPL": "10"}), [poor], attribution, TERMS, NOW, halted={("one", "AAPL")}
        )

        assert (found.lines[0].uncovered, found.lines[0].is_held_back) == (D(10), False)
