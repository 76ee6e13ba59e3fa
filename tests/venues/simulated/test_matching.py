import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.trading.bars import Bar
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, Side
from hydra.trading.venue_view import VenueOrder
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.resting_orders import RestingOrder
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
)
from tests.venues.simulated.draws import SYMBOLS, orders, ranges
from tests.venues.simulated.orders import (
    MINUTE,
    bar_of,
    gtc,
    ioc,
    limit,
    market,
    of_symbol,
    replacing,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL
SECOND = MINUTE // 60
DAY = 1_440 * MINUTE
FLAT = (100.0, 100.0, 100.0, 100.0)
WIDE = (100.0, 105.0, 95.0, 101.0)


def filled(
    number: int, order: Order, price: str, at: int, quantity: str | None = None
) -> OrderFilled:
    return OrderFilled(
        fill=Fill(
            execution_id=f"sim-x-{number}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity if quantity is None else Decimal(quantity),
            price=Decimal(price),
            at=at,
        )
    )


def holding(quantity: str, *symbols: str, terms: VenueTerms | None = None) -> MatchingEngine:
    """An engine whose account has bought so much before."""
    engine = MatchingEngine(terms)
    for symbol in symbols:
        engine.account.adjust(symbol, Decimal(quantity))
    return engine


@pytest.mark.parametrize("delay", [0, 1, 5_000_000, MINUTE - 1])
def test_a_market_order_fills_at_the_open_of_the_next_bar_however_late_in_it_it_came(
    delay: int,
) -> None:
    engine = MatchingEngine()
    engine.on_bar(bar_of(0, (99.0, 99.0, 99.0, 99.0)))
    order = market("a", BUY)
    accepted = engine.submit(order, at=MINUTE + delay)

    reports = engine.on_bar(bar_of(1, (100.0, 105.0, 95.0, 104.0)))

    assert accepted == (
        OrderAccepted(client_order_id="a", venue_order_id="sim-o-1", at=MINUTE + delay, echo=order),
    )
    assert reports == (filled(1, order, "100", at=MINUTE),)
    assert engine.open_orders == ()
    assert engine.account.position("AAPL") == Decimal(10)


def test_where_a_bar_begins_its_open_executes_and_the_rest_sees_the_rest() -> None:
    engine = holding("60", "AAPL")
    target, left = limit("a", SELL, "105"), market("b", SELL)
    guarded, through = stop("c", SELL, "95"), stop("d", SELL, "100")
    for order in (target, left, guarded, through, ioc(limit("e", SELL, "101"))):
        engine.submit(order, at=MINUTE)
    bar = bar_of(1, WIDE)

    begun = engine.begin_bar(bar)
    marked = engine.account.last_price("AAPL")
    late = market("f", SELL)
    engine.submit(late, at=MINUTE)
    ended = engine.on_bar(bar)

    assert begun == (
        filled(1, left, "100", at=MINUTE),
        filled(2, through, "100", at=MINUTE),
        OrderCanceled(client_order_id="e", at=MINUTE),
    )
    assert marked == Decimal(100)
    assert ended == (
        filled(3, late, "100", at=MINUTE),  # who came just after it gets it all the same
        filled(4, guarded, "95", at=2 * MINUTE),
        filled(5, target, "105", at=2 * MINUTE),
    )


@given(
    sent=st.lists(orders(), max_size=6),
    prices=ranges(),
    volume=st.sampled_from([0.0, 17.0, 99999.5]),
    participation=st.sampled_from([None, Decimal("0.1"), Decimal(1)]),
)
def test_a_bar_in_two_parts_does_what_it_does_in_one(
    sent: list[Order],
    prices: tuple[float, float, float, float],
    volume: float,
    participation: Decimal | None,
) -> None:
    terms = VenueTerms(starting_cash=Decimal(10**9), max_participation=participation)
    in_two, in_one = (holding("1000", *SYMBOLS, terms=terms) for _ in range(2))
    for number, order in enumerate(sent):
        for engine in (in_two, in_one):
            engine.submit(replace(order, client_order_id=f"order-{number}"), at=MINUTE)

    for symbol in SYMBOLS:
        bar = bar_of(1, prices, symbol=symbol, volume=volume)
        assert (*in_two.begin_bar(bar), *in_two.on_bar(bar)) == in_one.on_bar(bar)
    assert in_two.open_orders == in_one.open_orders
    assert in_two.snapshot(at=DAY, since=0) == in_one.snapshot(at=DAY, since=0)


def test_a_bar_that_ended_at_the_acceptance_fills_nothing() -> None:
    engine = MatchingEngine()
    order = market("a", BUY)
    engine.submit(order, at=MINUTE)

    late, following = engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(1, FLAT))

    assert late == ()
    assert following == (filled(1, order, "100", at=MINUTE),)


def test_a_bar_that_began_before_the_end_of_a_known_bar_fills_nothing() -> None:
    # The sender may know the first minute; the open of the five minutes is older than that.
    engine = MatchingEngine()
    engine.on_bar(bar_of(0, FLAT, symbol="SPY"))
    order = market("a", BUY)
    engine.submit(order, at=MINUTE)

    current = engine.on_bar(Bar("AAPL", 0, 5 * MINUTE, *FLAT, 1.0))
    following = engine.on_bar(Bar("AAPL", 5 * MINUTE, 10 * MINUTE, *FLAT, 1.0))

    assert current == ()
    assert following == (filled(1, order, "100", at=5 * MINUTE),)


def test_a_clock_that_is_behind_the_bars_gives_no_look_ahead() -> None:
    engine = MatchingEngine()
    engine.on_bar(bar_of(1, FLAT))
    order = market("a", BUY)
    engine.submit(order, at=0)

    again, following = engine.on_bar(bar_of(1, FLAT)), engine.on_bar(bar_of(2, FLAT))

    assert again == ()
    assert following == (filled(1, order, "100", at=2 * MINUTE),)


def test_a_bar_that_comes_again_fills_nothing_more() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.001")))
    order = market("a", BUY, quantity="2")
    engine.submit(order, at=0)

    first, again = engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(0, FLAT))

    assert first == (filled(1, order, "100", at=0, quantity="1"),)
    assert again == ()


def test_a_bar_fills_only_orders_in_its_own_symbol() -> None:
    engine = holding("10", "SPY")
    aapl, spy = market("a", BUY), market("s", SELL, symbol="SPY")
    engine.submit(aapl, at=0)
    engine.submit(spy, at=0)

    reports = engine.on_bar(bar_of(0, FLAT, symbol="SPY"))

    assert reports == (filled(1, spy, "100", at=0),)
    assert [resting.order for resting in engine.open_orders] == [aapl]
    assert [engine.account.position(symbol) for symbol in ("AAPL", "SPY")] == [0, 0]


def test_the_open_comes_first_then_stops_then_limits() -> None:
    engine = holding("40", "AAPL")
    target, protection = limit("target", SELL, "104"), stop("protection", SELL, "96")
    late, early = market("late", SELL), stop("early", SELL, "101")
    for order in (target, protection, late, early):
        engine.submit(order, at=0)

    reports = engine.on_bar(bar_of(0, WIDE))

    assert reports == (
        filled(1, late, "100", at=0),
        filled(2, early, "100", at=0),
        filled(3, protection, "96", at=MINUTE),
        filled(4, target, "104", at=MINUTE),
    )


def test_a_limit_order_rests_until_a_bar_reaches_it() -> None:
    engine = MatchingEngine()
    order = limit("a", BUY, "96")
    engine.submit(order, at=0)

    reports = [engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(1, WIDE))]

    assert reports == [(), (filled(1, order, "96", at=2 * MINUTE),)]


def test_a_gap_through_a_stop_fills_at_the_open_with_slippage() -> None:
    engine = holding("10", "AAPL", terms=VenueTerms(slippage_bps=Decimal(5)))
    order = stop("a", SELL, "97")
    engine.submit(order, at=0)

    quiet, gap = engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(9, (90.0, 91.0, 89.0, 90.0)))

    assert quiet == ()
    assert gap == (filled(1, order, "89.95", at=9 * MINUTE),)


def test_orders_share_a_part_of_the_volume_and_the_rest_waits() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.1")))
    first, second = market("a", BUY, quantity="70"), market("b", BUY, quantity="70.5")
    engine.submit(first, at=0)
    engine.submit(second, at=0)

    reports = [engine.on_bar(bar_of(minute, FLAT, volume=1000.0)) for minute in range(2)]

    assert reports == [
        (
            filled(1, first, "100", at=0),
            filled(2, second, "100", at=0, quantity="30"),
        ),
        (filled(3, second, "100", at=MINUTE, quantity="40.5"),),
    ]
    assert engine.account.position("AAPL") == Decimal("140.5")


def test_a_partly_filled_order_is_open_with_what_is_left_of_it() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.1")))
    order = limit("a", BUY, "100", quantity="150")
    engine.submit(order, at=0)

    engine.on_bar(bar_of(0, FLAT))

    (resting,) = engine.open_orders
    assert resting == RestingOrder(
        order=order,
        working=order,
        venue_order_id="sim-o-1",
        accepted_at=0,
        known_until=MINUTE,
        filled=Decimal(100),
    )
    assert resting.remaining == Decimal(50)


def test_a_triggered_stop_trades_its_rest_as_a_market_order() -> None:
    engine = holding("30", "AAPL", terms=VenueTerms(max_participation=Decimal("0.01")))
    order = stop("a", SELL, "97", quantity="30")
    engine.submit(order, at=0)

    reports = [
        engine.on_bar(bar_of(0, WIDE, volume=0.0)),
        engine.on_bar(bar_of(1, FLAT)),
        engine.on_bar(bar_of(2, (103.0, 103.0, 103.0, 103.0), volume=2000.0)),
    ]

    assert reports == [
        (),
        (filled(1, order, "100", at=MINUTE, quantity="10"),),
        (filled(2, order, "103", at=2 * MINUTE, quantity="20"),),
    ]


def test_a_purchase_that_the_market_has_left_behind_at_its_stop_waits_as_a_limit_order() -> None:
    engine = MatchingEngine()
    order = stop("a", BUY, "97")
    engine.submit(order, at=0)

    reports = [
        engine.on_bar(bar_of(0, FLAT)),
        engine.on_bar(bar_of(1, (100.0, 100.0, 99.43, 100.0))),
        engine.on_bar(bar_of(2, (100.0, 100.0, 99.42, 100.0))),
    ]

    assert reports == [(), (), (filled(1, order, "99.42", at=3 * MINUTE),)]


def test_what_an_immediate_or_cancel_order_does_not_get_at_the_open_is_canceled() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.01")))
    part, none = ioc(market("part", BUY, quantity="30")), ioc(limit("none", BUY, "96"))
    engine.submit(part, at=0)
    engine.submit(none, at=0)

    reports = engine.on_bar(bar_of(0, WIDE))

    assert reports == (
        filled(1, part, "100", at=0, quantity="10"),
        OrderCanceled(client_order_id="part", at=0),
        OrderCanceled(client_order_id="none", at=0),
    )
    assert engine.open_orders == ()


def test_a_client_order_id_is_used_up_for_ever_and_is_to_be_looked_up_i18() -> None:
    engine = MatchingEngine()
    engine.submit(market("a", BUY), at=0)
    engine.cancel("a", at=1)
    bad = msgspec.structs.replace(market("b", BUY), quantity=Decimal(0))

    reports = [
        engine.submit(market("a", BUY), at=2),
        engine.submit(bad, at=3),
        engine.submit(market("b", BUY), at=4),
    ]

    unique = "maybe it exists already: client_order_id must be unique"
    assert reports == [
        (OrderUnknown(client_order_id="a", reason=unique, at=2),),
        (OrderRejected(client_order_id="b", reason="qty must be > 0", at=3),),
        (OrderUnknown(client_order_id="b", reason=unique, at=4),),
    ]
    assert engine.open_orders == ()


@pytest.mark.parametrize("quantity", ["99", "0", "-1"])
def test_a_second_order_of_the_same_name_leaves_the_first_in_the_book_i18(quantity: str) -> None:
    engine = MatchingEngine()
    first = market("a", BUY)
    engine.submit(first, at=0)

    (report,) = engine.submit(market("a", SELL, quantity=quantity), at=0)

    assert isinstance(report, OrderUnknown)
    assert engine.on_bar(bar_of(0, FLAT)) == (filled(1, first, "100", at=0),)


def test_a_cancel_ends_the_order_and_says_nothing_the_second_time() -> None:
    engine = MatchingEngine()
    engine.submit(limit("a", BUY, "96"), at=0)

    reports = [
        engine.cancel("a", at=5),
        engine.cancel("a", at=6),
        engine.cancel("never", at=7),
        engine.on_bar(bar_of(0, WIDE)),
    ]

    assert reports == [(OrderCanceled(client_order_id="a", at=5),), (), (), ()]


def test_the_close_expires_the_day_orders_of_the_session_and_no_others() -> None:
    engine = MatchingEngine()
    engine.submit(limit("day", BUY, "90"), at=0)
    engine.submit(gtc(limit("gtc", BUY, "90")), at=0)
    engine.submit(market("tomorrow", BUY), at=MINUTE)

    reports = engine.close_session(at=MINUTE)

    assert reports == (OrderExpired(client_order_id="day", at=MINUTE),)
    assert [resting.order.client_order_id for resting in engine.open_orders] == ["gtc", "tomorrow"]


def test_a_day_order_sent_after_the_close_fills_at_the_next_open() -> None:
    engine = MatchingEngine()
    engine.on_bar(bar_of(0, FLAT))
    order = market("a", BUY)
    engine.submit(order, at=MINUTE)
    engine.close_session(at=MINUTE)

    assert engine.on_bar(bar_of(1000, FLAT)) == (filled(1, order, "100", at=1000 * MINUTE),)


def test_a_coins_orders_outlive_the_close_of_any_session() -> None:
    engine = MatchingEngine()
    coin = ioc(of_symbol("BTC/USD", limit("coin", BUY, "90")))
    engine.submit(coin, at=0)

    closed = engine.close_session(at=MINUTE)
    reports = engine.on_bar(bar_of(1, FLAT, symbol="BTC/USD"))

    assert closed == ()
    assert reports == (OrderCanceled(client_order_id="coin", at=MINUTE),)


def test_coins_are_shared_out_in_billionths_and_shares_whole() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.1")))
    coin = gtc(of_symbol("BTC/USD", market("coin", BUY, quantity="5")))
    share = market("share", BUY, quantity="5")
    engine.submit(coin, at=0)
    engine.submit(share, at=0)

    reports = [
        engine.on_bar(bar_of(0, FLAT, symbol="BTC/USD", volume=35.92724)),
        engine.on_bar(bar_of(0, FLAT, volume=35.92724)),
    ]

    assert reports == [
        (filled(1, coin, "100", at=0, quantity="3.592724"),),
        (filled(2, share, "100", at=0, quantity="3"),),
    ]


def test_a_replacement_ends_the_old_order_and_rests_under_its_own_name() -> None:
    engine = MatchingEngine()
    new = replacing("old", limit("new", BUY, "97", quantity="20"))
    engine.submit(limit("old", BUY, "96"), at=1)

    reports = engine.submit(new, at=2)

    assert reports == (
        OrderAccepted(client_order_id="new", venue_order_id="sim-o-2", at=2, echo=new),
        OrderReplaced(client_order_id="old", by="new", at=2),
    )
    assert engine.on_bar(bar_of(0, WIDE)) == (filled(1, new, "97", at=MINUTE),)
    assert engine.open_orders == ()


def test_a_replaced_order_keeps_what_it_had_traded_and_the_new_one_begins_at_zero() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.004")))
    old = limit("old", BUY, "100", quantity="10")
    new = replacing("old", limit("new", BUY, "101", quantity="3"))
    engine.submit(old, at=0)
    first = engine.on_bar(bar_of(0, FLAT))

    engine.submit(new, at=MINUTE)
    second = engine.on_bar(bar_of(1, FLAT))

    assert (first, second) == (
        (filled(1, old, "100", at=0, quantity="4"),),
        (filled(2, new, "100", at=MINUTE),),
    )
    assert engine.account.position("AAPL") == 7
    (ended, _) = engine.snapshot(at=2 * MINUTE, since=0).orders
    assert ended == VenueOrder(
        order=old,
        venue_order_id="sim-o-1",
        status=OrderStatus.REPLACED,
        filled_quantity=Decimal(4),
        replaced_by="new",
        at=MINUTE,
    )


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (limit("new", BUY, "97"), "unable to replace order, order is not open"),
        (limit("old", BUY, "97"), "maybe it exists already: client_order_id must be unique"),
        (limit("new", BUY, "96.005"), None),
        (limit("new", SELL, "97"), "unable to replace order, symbol, side and type cannot be"),
        (market("new", BUY), "unable to replace order, symbol, side and type cannot be changed"),
        (of_symbol("SPY", limit("new", BUY, "97")), "unable to replace order, symbol, side and"),
        (limit("new", BUY, "96"), "order parameters are not changed"),
        (limit("new", BUY, "96", quantity="100000"), "insufficient buying power"),
    ],
)
def test_a_replacement_that_is_refused_leaves_the_old_order_as_it_was(
    new: Order, reason: str | None
) -> None:
    engine = MatchingEngine()
    engine.submit(limit("old", BUY, "96"), at=0)
    before = engine.open_orders
    replaced = "never" if reason is not None and "not open" in reason else "old"

    (report,) = engine.submit(replacing(replaced, new), at=1)

    assert isinstance(report, OrderUnknown if new.client_order_id == "old" else OrderRejected)
    assert report.client_order_id == new.client_order_id
    assert reason is None or report.reason.startswith(reason)
    assert engine.open_orders == before


def test_a_replacement_must_differ_from_what_is_left_of_the_order() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.004")))
    engine.submit(limit("old", BUY, "100", quantity="10"), at=0)
    engine.on_bar(bar_of(0, FLAT))  # buys 4

    same, more = [
        engine.submit(replacing("old", limit(name, BUY, "100", quantity)), at=MINUTE)[0]
        for name, quantity in (("same", "6"), ("more", "10"))
    ]

    assert isinstance(same, OrderRejected)
    assert same.reason == "order parameters are not changed"
    assert isinstance(more, OrderAccepted)


def test_an_order_whose_end_is_pending_works_on_until_it_is_done() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.004")))
    order = limit("a", BUY, "100")
    engine.submit(order, at=0)

    engine.request_cancel("a", at=1)
    filled_meanwhile = engine.on_bar(bar_of(0, FLAT))
    (refused,) = engine.submit(replacing("a", limit("b", BUY, "101")), at=MINUTE)
    canceled = engine.cancel("a", at=MINUTE)

    assert filled_meanwhile == (filled(1, order, "100", at=0, quantity="4"),)
    assert isinstance(refused, OrderRejected)
    assert refused.reason == "cannot replace order in pending_cancel status"
    assert canceled == (OrderCanceled(client_order_id="a", at=MINUTE),)


def test_a_late_rejection_ends_an_order_that_has_not_traded_and_no_other() -> None:
    engine = MatchingEngine(VenueTerms(max_participation=Decimal("0.004")))
    engine.submit(limit("partly", BUY, "100"), at=0)
    engine.on_bar(bar_of(0, FLAT))
    engine.submit(limit("fresh", BUY, "100"), at=MINUTE)

    reports = [
        engine.reject_late(name, "halted", at=2 * MINUTE) for name in ("partly", "fresh", "never")
    ]

    assert reports == [
        (),
        (OrderRejected(client_order_id="fresh", reason="halted", at=2 * MINUTE),),
        (),
    ]
    assert [resting.order.client_order_id for resting in engine.open_orders] == ["partly"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slippage_bps": Decimal(-1)}, "slippage_bps is -1, wanted at least 0 and under 10000"),
        (
            {"slippage_bps": Decimal(10_000)},
            "slippage_bps is 10000, wanted at least 0 and under 10000",
        ),
        (
            {"max_participation": Decimal(0)},
            "max_participation is 0, wanted over 0 and at most 1, or None",
        ),
        (
            {"max_participation": Decimal("1.1")},
            "max_participation is 1.1, wanted over 0 and at most 1, or None",
        ),
        ({"starting_cash": Decimal(-1)}, "starting_cash is -1, wanted at least 0"),
        ({"starting_cash": Decimal("NaN")}, "starting_cash is NaN, wanted at least 0"),
    ],
)
def test_senseless_terms_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        VenueTerms(**arguments)
