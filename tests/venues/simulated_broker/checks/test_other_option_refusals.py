"""Refusals of option orders that no document shows: the rule is known, the words are not."""

from datetime import date
from typing import Any

import pytest
from msgspec import structs

from hydra.venues.simulated.brokerage.checks.place import first_refusal
from hydra.venues.simulated.brokerage.option_book import OptionLot, WorkingOptions
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, malformed, unprocessable
from hydra.venues.simulated.brokerage.requests import (
    Leg,
    PlaceOrder,
)
from hydra.venues.simulated.brokerage.rulebook import rulebook_of
from hydra.venues.simulated.brokerage.view import AccountStanding, OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import OrderType, PositionIntent, TimeInForce
from tests.venues.simulated_broker.checks.refusals_of_payloads import named
from tests.venues.simulated_broker.checks.situations import (
    AT_NIGHT,
    BUY,
    CALL,
    HIGHER_CALL,
    HIGHER_OPTION,
    LEGS,
    OPTION,
    PUT,
    PUT_OPTION,
    SELL,
    STOCK,
    contract,
    figures,
    having,
    holding,
    instant,
    option_order,
    spread_order,
    spread_view,
    usd,
    view,
    working_order,
)

STOP: dict[str, Any] = {
    "order_type": OrderType.STOP, "limit_price": None, "stop_price": usd("1.30")
}  # fmt: skip

OTHER = structs.replace(HIGHER_CALL, symbol="NOVA261218C00045000", underlying="NOVA")
BUY_TO_CLOSE = PositionIntent.BUY_TO_CLOSE
BLOCKED = AccountStanding(trading_blocked=True)
CLOSING_ONLY = AccountStanding(liquidation_only=True)
NOT_AUTHORIZED = forbidden("account is not authorized to trade")
LIQUIDATION_ONLY = forbidden("account is restricted to liquidation only")

ORDERS: list[tuple[PlaceOrder, OrderView, Refusal]] = [
    (
        option_order(**STOP),
        view(OPTION, rules=rulebook_of(date(2026, 8, 26))),
        unprocessable("order_type provided not supported for options trading"),
    ),
    (
        option_order(side=SELL),
        view(having(OPTION, "2"), at=instant("2026-12-18T15:15")),
        unprocessable(f'contract "{CALL.symbol}" expires soon, unable to close positions'),
    ),
    (
        option_order(side=SELL, quantity=usd("3")),
        view(having(OPTION, "2")),
        forbidden(
            "insufficient qty available for order (requested: 3, available: 2)",
            available="2",
            existing_qty="2",
            held_for_orders="0",
            related_orders=[],
            symbol=CALL.symbol,
        ),
    ),
    (
        # The shares are there, but an open order would be covered by them already.
        option_order(side=SELL, quantity=usd("1")),
        view(
            OPTION,
            options=type(holding())(
                shares=usd("100"),
                working=(WorkingOptions("w", (OptionLot(contract("45"), usd("-1")),)),),
            ),
        ),
        forbidden("account not eligible to trade uncovered option contracts"),
    ),
    (
        # A long call that covers a short one cannot be sold by itself.
        option_order(side=SELL, quantity=usd("1")),
        view(having(OPTION, "1"), options=holding((CALL, "1"), (contract("45"), "-1"))),
        forbidden("account not eligible to trade uncovered option contracts"),
    ),
    (
        # A put is secured by its strike in cash, less what it brings at least.
        option_order(symbol=PUT.symbol, side=SELL, quantity=usd("1"), limit_price=usd("0.90")),
        view(PUT_OPTION, figures=figures(cash="3909.99", shares="0")),
        forbidden(
            "insufficient options buying power", cost_basis="3910", options_buying_power="3909.99"
        ),
    ),
    (spread_order(symbol="HYDR"), spread_view(), malformed("symbol must be empty for mleg orders")),
    (spread_order(side=BUY), spread_view(), malformed("side must be empty for mleg orders")),
    (
        spread_order(legs=(LEGS[0], Leg("HYDR", usd("1"), SELL))),
        spread_view(OPTION, STOCK),
        unprocessable("mleg orders must have only option legs"),
    ),
    (
        spread_order(legs=(LEGS[0], LEGS[0])),
        spread_view(OPTION, OPTION),
        unprocessable("mleg orders must have legs of different symbols"),
    ),
    (
        spread_order(legs=tuple(Leg(leg.symbol, usd("2"), leg.side) for leg in LEGS)),
        spread_view(),
        unprocessable("mleg orders must have leg ratios in lowest terms"),
    ),
    (
        spread_order(legs=(Leg(CALL.symbol, usd("0.5"), BUY), LEGS[1])),
        spread_view(),
        malformed("ratio_qty must be a whole number > 0, found 0.5"),
    ),
    (
        spread_order(order_type=OrderType.STOP_LIMIT, stop_price=usd("0.80")),
        spread_view(),
        unprocessable("mleg orders must be market or limit orders"),
    ),
    (
        spread_order(limit_price=usd("-0.855")),
        spread_view(),
        unprocessable(
            "invalid limit_price -0.855."
            " sub-penny increment does not fulfill minimum pricing criteria"
        ),
    ),
    (
        spread_order(),
        spread_view(standing=AccountStanding(options_level=2)),
        forbidden("account not eligible for level3 options trading"),
    ),
    (
        # More short calls than long ones.
        spread_order(legs=(LEGS[0], Leg(LEGS[1].symbol, usd("2"), SELL))),
        spread_view(),
        forbidden("account not eligible to trade uncovered option contracts"),
    ),
    (
        # A credit spread may lose the distance of its strikes, less the credit.
        spread_order(
            quantity=usd("1"),
            limit_price=usd("-0.85"),
            legs=(Leg(CALL.symbol, usd("1"), SELL), Leg(LEGS[1].symbol, usd("1"), BUY)),
        ),
        spread_view(figures=figures(cash="164", shares="0")),
        forbidden(
            "insufficient options buying power", cost_basis="165", options_buying_power="164"
        ),
    ),
    (
        option_order(limit_price=usd("1.355")),
        view(OPTION),
        unprocessable(
            "invalid limit_price 1.355."
            " sub-penny increment does not fulfill minimum pricing criteria"
        ),
    ),
    (option_order(), view(OPTION, standing=BLOCKED), NOT_AUTHORIZED),
    (option_order(), view(OPTION, standing=CLOSING_ONLY), LIQUIDATION_ONLY),
    (
        option_order(),
        view(having(OPTION, "0", working_order(side=SELL, limit_price=usd("1.35")))),
        forbidden(
            "potential wash trade detected. use complex orders",
            existing_order_id=working_order().id,
            reject_reason="opposite side limit order exists",
        ),
    ),
    (
        spread_order(quantity=None, notional=usd("100")),
        spread_view(),
        unprocessable("notional orders are not supported for options trading"),
    ),
    (
        spread_order(quantity=usd("1.5")),
        spread_view(),
        unprocessable("qty must be integer for options trading"),
    ),
    (
        spread_order(time_in_force=TimeInForce.GTC),
        spread_view(),
        unprocessable("order_time_in_force provided not supported for options trading"),
    ),
    (
        spread_order(extended_hours=True),
        spread_view(),
        unprocessable("extended hours is not supported for options trading"),
    ),
    (
        spread_order(legs=(LEGS[0], Leg(OTHER.symbol, usd("1"), SELL))),
        spread_view(OPTION, SymbolView(symbol=OTHER.symbol, contract=OTHER)),
        unprocessable("mleg orders must have legs of the same underlying"),
    ),
    (
        spread_order(legs=(structs.replace(LEGS[0], position_intent=BUY_TO_CLOSE), LEGS[1])),
        spread_view(),
        unprocessable("position intent mismatch, inferred: buy_to_open, specified: buy_to_close"),
    ),
    (
        spread_order(order_type=OrderType.MARKET, limit_price=None),
        spread_view(at=AT_NIGHT),
        unprocessable("options market orders are only allowed during market hours"),
    ),
    (
        spread_order(),
        spread_view(at=instant("2026-12-18T15:00")),
        unprocessable(f'contract "{CALL.symbol}" expires soon, unable to open new positions'),
    ),
    (spread_order(), spread_view(standing=BLOCKED), NOT_AUTHORIZED),
    (spread_order(), spread_view(standing=CLOSING_ONLY), LIQUIDATION_ONLY),
    (
        spread_order(),
        spread_view(
            having(OPTION, "-1"), HIGHER_OPTION, options=holding((CALL, "-1"), shares="100")
        ),
        forbidden(
            "insufficient qty available for order (requested: 2, available: 1)",
            available="1",
            existing_qty="1",
            held_for_orders="0",
            related_orders=[],
            symbol=CALL.symbol,
        ),
    ),
]


@pytest.mark.parametrize(("order", "seen", "refusal"), ORDERS)
def test_an_option_order_is_refused_with_its_reason(
    order: PlaceOrder, seen: OrderView, refusal: Refusal
) -> None:
    assert first_refusal(order, seen) == refusal


TAKEN: list[tuple[PlaceOrder, OrderView]] = [
    (option_order(**STOP), view(OPTION)),
    (option_order(side=SELL, quantity=usd("1")), view(OPTION, options=holding(shares="100"))),
    (
        option_order(side=SELL, quantity=usd("1")),
        view(OPTION, options=holding((contract("40"), "1"))),
    ),
    # The options of a broad fund trade on for a while on their last day.
    (
        option_order(),
        view(
            OPTION,
            at=instant("2026-12-18T15:14"),
            underlying=named("HYDR", attributes=("options_late_close",)),
        ),
    ),
    # A covered spread closes whole in one order, at any level.
    (
        spread_order(
            quantity=usd("1"),
            limit_price=usd("-0.50"),
            legs=(Leg(CALL.symbol, usd("1"), SELL), Leg(LEGS[1].symbol, usd("1"), BUY)),
        ),
        spread_view(
            having(OPTION, "1"),
            having(HIGHER_OPTION, "-1"),
            options=holding((CALL, "1"), (contract("45"), "-1")),
        ),
    ),
]


@pytest.mark.parametrize(("order", "seen"), TAKEN)
def test_an_option_order_that_breaks_no_rule_is_taken(order: PlaceOrder, seen: OrderView) -> None:
    assert first_refusal(order, seen) is None
