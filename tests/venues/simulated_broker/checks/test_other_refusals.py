"""Refusals that no document shows: the rule is known, the broker's words are not."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from hydra.venues.simulated.brokerage.checks.place import as_taken, first_refusal
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.money import OptionStake, account_figures
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, malformed, unprocessable
from hydra.venues.simulated.brokerage.requests import (
    PlaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.view import AccountStanding, OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from tests.venues.simulated_broker.checks.refusals_of_payloads import BRACKET, OCO, named
from tests.venues.simulated_broker.checks.situations import (
    BTC,
    BUY,
    CALL,
    COIN,
    LEGS,
    SELL,
    STOCK,
    coin_order,
    contract,
    figures,
    having,
    holding,
    market_order,
    stock_order,
    usd,
    view,
    working_order,
)

GTC, IOC, OPG = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.OPG
STOP: dict[str, Any] = {
    "order_type": OrderType.STOP, "limit_price": None, "stop_price": usd("42")
}  # fmt: skip
TRAIL: dict[str, Any] = {"order_type": OrderType.TRAILING_STOP, "limit_price": None}
OTO: dict[str, Any] = BRACKET | {"order_class": OrderClass.OTO, "take_profit": None}
SHORT_BRACKET: dict[str, Any] = {
    "order_class": OrderClass.BRACKET,
    "side": SELL,
    "limit_price": usd("40"),
    "take_profit": TakeProfit(usd("39")),
    "stop_loss": StopLoss(usd("41")),
}

COARSE_COIN = structs.replace(BTC, min_trade_increment=usd("0.01"))

DEEP_SPREAD = OptionStake(usd("400000"), usd("-400000"), usd("0"))

ORDERS: list[tuple[PlaceOrder, OrderView, Refusal]] = [
    (stock_order(symbol=""), view(), malformed("symbol is required")),
    (stock_order(side=None), view(), malformed("invalid side")),
    (stock_order(order_type=None), view(), malformed("invalid type")),
    (
        stock_order(quantity=Decimal("NaN")),
        view(),
        malformed("qty must be a number, found NaN"),
    ),
    (
        stock_order(quantity=usd("1.0000000001")),
        view(),
        malformed("qty must be limited to 9 decimal places, found 1.0000000001"),
    ),
    (
        market_order(quantity=None, notional=Decimal("Infinity")),
        view(),
        malformed("notional must be a number, found Infinity"),
    ),
    (stock_order(limit_price=usd("0")), view(), malformed("limit_price must be > 0")),
    (
        stock_order(stop_price=usd("42")),
        view(),
        malformed("limit orders require no stop price"),
    ),
    (
        stock_order(**STOP | {"stop_price": None}),
        view(),
        malformed("stop orders require a stop price"),
    ),
    (
        stock_order(order_type=OrderType.STOP_LIMIT),
        view(),
        malformed("stop limit orders require both stop and limit price"),
    ),
    (
        stock_order(**TRAIL),
        view(),
        malformed("trailing stop orders require either trail_price or trail_percent"),
    ),
    (
        stock_order(**TRAIL, trail_percent=usd("0.09")),
        view(),
        malformed("trail_percent must be >= 0.1"),
    ),
    (
        stock_order(**TRAIL, trail_percent=usd("100")),
        view(),
        malformed("trail_percent must be < 100, found 100"),
    ),
    (
        stock_order(trail_price=usd("1")),
        view(),
        malformed("only trailing stop orders accept a trail"),
    ),
    (
        stock_order(**BRACKET | {"stop_loss": None}),
        view(),
        malformed("bracket orders require take_profit and stop_loss"),
    ),
    (
        stock_order(**OTO | {"stop_loss": None}),
        view(),
        malformed("oto orders require either take_profit or stop_loss"),
    ),
    (
        stock_order(take_profit=TakeProfit(usd("43"))),
        view(),
        malformed("simple orders accept no take_profit and no stop_loss"),
    ),
    (stock_order(legs=LEGS), view(), malformed("only mleg orders accept legs")),
    (
        stock_order(symbol="BTCUSD"),
        view(COIN),
        unprocessable('asset "BTCUSD" not found'),
    ),
    (
        stock_order(**STOP, time_in_force=OPG),
        view(),
        unprocessable("invalid time_in_force: a stop order must be day or gtc"),
    ),
    (
        stock_order(**TRAIL, trail_price=usd("1"), time_in_force=IOC),
        view(),
        unprocessable("invalid time_in_force: a trailing_stop order must be day or gtc"),
    ),
    (
        stock_order(**STOP, quantity=None, notional=usd("100")),
        view(),
        unprocessable("notional orders must be market or limit orders"),
    ),
    (
        stock_order(**TRAIL, trail_price=usd("1"), quantity=usd("0.5")),
        view(),
        unprocessable("fractional orders cannot be trailing stop orders"),
    ),
    (
        stock_order(**BRACKET, extended_hours=True),
        view(),
        unprocessable("extended hours orders must be simple orders"),
    ),
    (
        stock_order(symbol="PENY", extended_hours=True, quantity=usd("0.5")),
        view(named("PENY", attributes=())),
        unprocessable("fractional orders are not supported in extended hours for this asset"),
    ),
    (
        stock_order(position_intent=PositionIntent.BUY_TO_CLOSE),
        view(),
        unprocessable("position intent mismatch, inferred: buy_to_open, specified: buy_to_close"),
    ),
    (
        stock_order(**BRACKET | {"take_profit": TakeProfit(usd("43.501"))}),
        view(),
        unprocessable(
            "invalid take_profit.limit_price 43.501."
            " sub-penny increment does not fulfill minimum pricing criteria"
        ),
    ),
    (
        stock_order(**BRACKET, time_in_force=IOC),
        view(),
        unprocessable("bracket orders must be DAY or GTC orders"),
    ),
    (
        stock_order(**BRACKET | STOP | {"order_class": OrderClass.BRACKET}),
        view(),
        unprocessable("bracket orders must be market or limit orders"),
    ),
    (
        stock_order(**BRACKET),
        view(having(STOCK, "-12")),
        unprocessable("bracket orders must be entry orders"),
    ),
    (
        stock_order(**OCO | {"order_type": OrderType.STOP_LIMIT, "stop_price": usd("40")}),
        view(having(STOCK, "12")),
        unprocessable("oco orders must be limit orders"),
    ),
    (
        stock_order(**OCO | {"side": BUY}),
        view(having(STOCK, "-12")),
        unprocessable("take_profit.limit_price must be < stop_loss.stop_price"),
    ),
    (
        stock_order(**SHORT_BRACKET | {"stop_loss": StopLoss(usd("40"))}),
        view(),
        Refusal(
            422, 42210000, "stop_loss.stop_price must be >= base_price + 0.01", {"base_price": "40"}
        ),
    ),
    (
        stock_order(**SHORT_BRACKET | {"take_profit": TakeProfit(usd("40"))}),
        view(),
        Refusal(
            422,
            42210000,
            "take_profit.limit_price must be <= base_price - 0.01",
            {"base_price": "40"},
        ),
    ),
    (
        stock_order(**BRACKET | {"take_profit": TakeProfit(usd("40.05"))}),
        view(),
        Refusal(
            422,
            42210000,
            "take_profit.limit_price must be >= base_price + 0.01",
            {"base_price": "40.05"},
        ),
    ),
    (
        stock_order(
            **BRACKET
            | {
                "order_type": OrderType.MARKET,
                "limit_price": None,
                "stop_loss": StopLoss(usd("41.27")),
            }
        ),
        view(),
        Refusal(
            422,
            42210000,
            "stop_loss.stop_price must be <= base_price - 0.01",
            {"base_price": "41.27"},
        ),
    ),
    (
        stock_order(symbol="PTP"),
        view(named("PTP", attributes=("ptp_no_exception",))),
        forbidden('account is not allowed to open positions in asset "PTP"'),
    ),
    (
        stock_order(quantity=usd("0.5")),
        view(configuration=AccountConfiguration(fractional_trading=False)),
        forbidden("account is not allowed to trade fractional shares"),
    ),
    (
        stock_order(symbol="HARD", side=SELL),
        view(named("HARD", easy_to_borrow=False)),
        forbidden('asset "HARD" cannot be sold short'),
    ),
    (
        stock_order(side=SELL),
        view(figures=figures(cash="1999.99", shares="0")),
        forbidden("account is not allowed to short"),
    ),
    (
        stock_order(side=SELL),
        view(figures=figures(multiplier=1)),
        forbidden("account is not allowed to short"),
    ),
    (
        stock_order(side=SELL),
        view(having(STOCK, "12", working_order(limit_price=usd("41.27")))),
        forbidden(
            "potential wash trade detected. use complex orders",
            existing_order_id=working_order().id,
            reject_reason="opposite side limit order exists",
        ),
    ),
    (
        stock_order(side=SELL, quantity=usd("112")),
        view(
            having(STOCK, "200"),
            options=holding((CALL, "-1"), shares="200"),
        ),
        forbidden(
            "insufficient qty available for order (requested: 112, available: 100)",
            available="100",
            existing_qty="200",
            held_for_orders="0",
            related_orders=[],
            symbol="HYDR",
        ),
    ),
    (
        market_order(side=SELL, quantity=usd("100")),
        view(
            having(STOCK, "100"),
            options=holding((CALL, "-1"), (contract("45"), "1"), shares="100"),
            figures=figures(cash="249", shares="0"),
        ),
        forbidden(
            "insufficient options buying power", cost_basis="250", options_buying_power="249"
        ),
    ),
    (
        stock_order(quantity=usd("2000"), symbol="CASH"),
        view(named("CASH", marginable=False)),
        forbidden("insufficient buying power", buying_power="61874.33", cost_basis="82540"),
    ),
    (
        # The asset ties up three quarters of its value, so the buying power is used up faster.
        stock_order(quantity=usd("3000"), symbol="LEVR"),
        view(named("LEVR", margin_pct=75)),
        forbidden("insufficient buying power", buying_power="160287.04", cost_basis="123810"),
    ),
    (
        # At the ask it could be paid, but not 4 % over it.
        market_order(quantity=usd("3800")),
        view(),
        forbidden("insufficient buying power", buying_power="160287.04", cost_basis="163134"),
    ),
    (
        # The margin would do, but everything together is worth over six times the equity.
        stock_order(),
        view(figures=account_figures(cash=usd("100000"), multiplier=2, options=[DEEP_SPREAD])),
        forbidden("insufficient buying power", buying_power="200000", cost_basis="495.24"),
    ),
    (
        stock_order(side=SELL, quantity=usd("4000")),
        view(),
        # 3 % over the ask of 41.28 counts, not the limit.
        forbidden("insufficient buying power", buying_power="160287.04", cost_basis="170073.6"),
    ),
    (
        coin_order(
            order_class=OrderClass.OCO,
            take_profit=TakeProfit(usd("1")),
            stop_loss=StopLoss(usd("1")),
        ),
        view(COIN),
        unprocessable("crypto orders must be simple orders"),
    ),
    (
        coin_order(extended_hours=True),
        view(COIN),
        unprocessable("extended hours is not supported for crypto orders"),
    ),
    (
        coin_order(time_in_force=IOC, order_type=OrderType.STOP_LIMIT, stop_price=usd("61000")),
        view(COIN),
        unprocessable("invalid crypto time_in_force"),
    ),
    (
        coin_order(quantity=usd("3.3")),
        view(COIN, figures=figures(cash="900000")),
        forbidden("cost basis must be <= maximal amount of order 200000"),
    ),
    (
        coin_order(),
        view(COIN, standing=AccountStanding(crypto_status="PAPER_ONLY")),
        forbidden("account is not authorized to trade"),
    ),
    (
        coin_order(),
        view(COIN, figures=figures(cash="765.63")),
        forbidden("insufficient buying power", buying_power="765.63", cost_basis="765.631875"),
    ),
    (
        coin_order(
            quantity=None,
            notional=usd("100"),
            order_type=OrderType.STOP_LIMIT,
            stop_price=usd("61000"),
        ),
        view(COIN),
        unprocessable("notional orders must be market or limit orders"),
    ),
    (
        coin_order(quantity=usd("0.0125")),
        view(SymbolView(symbol="BTC/USD", asset=COARSE_COIN, quote=COIN.quote)),
        unprocessable("qty must be a multiple of 0.01, found 0.0125"),
    ),
    (
        coin_order(limit_price=usd("61250.551")),
        view(COIN),
        unprocessable(
            "invalid limit_price 61250.551."
            " sub-penny increment does not fulfill minimum pricing criteria"
        ),
    ),
    (
        coin_order(position_intent=PositionIntent.BUY_TO_CLOSE),
        view(COIN),
        unprocessable("position intent mismatch, inferred: buy_to_open, specified: buy_to_close"),
    ),
    (
        coin_order(),
        view(COIN, standing=AccountStanding(account_blocked=True)),
        forbidden("account is not authorized to trade"),
    ),
    (
        coin_order(),
        view(COIN, standing=AccountStanding(liquidation_only=True)),
        forbidden("account is restricted to liquidation only"),
    ),
    (
        coin_order(),
        view(having(COIN, "1", working_order(side=SELL, order_type=OrderType.STOP_LIMIT))),
        forbidden(
            "potential wash trade detected. use complex orders",
            existing_order_id=working_order().id,
            reject_reason="opposite side market/stop order exists",
        ),
    ),
]


@pytest.mark.parametrize(("order", "seen", "refusal"), ORDERS)
def test_an_order_is_refused_with_its_reason(
    order: PlaceOrder, seen: OrderView, refusal: Refusal
) -> None:
    assert first_refusal(order, seen) == refusal


TAKEN: list[tuple[PlaceOrder, OrderView]] = [
    (stock_order(**TRAIL, trail_percent=usd("1.5"), time_in_force=GTC), view()),
    (stock_order(**STOP, quantity=usd("0.5")), view()),
    (stock_order(extended_hours=True, quantity=usd("0.5")), view()),
    (stock_order(extended_hours=True, time_in_force=GTC), view()),
    (stock_order(**OTO), view()),
    (stock_order(**SHORT_BRACKET), view()),
    (stock_order(client_order_id=""), view(client_order_id_used=True)),
    # Whoever is short may always buy back.
    (stock_order(), view(having(STOCK, "-12"), figures=figures(cash="-9000", shares="-1"))),
    # Complex orders are kept apart from simple ones.
    (stock_order(side=SELL), view(having(STOCK, "12", working_order(order_class=OrderClass.OCO)))),
    (stock_order(side=SELL), view(having(STOCK, "12", working_order(limit_price=usd("41.26"))))),
    (
        stock_order(side=SELL),
        view(having(STOCK, "12", working_order(side=SELL, status=Status.HELD))),
    ),
    # What is held is not in the market yet.
    (
        stock_order(side=SELL),
        view(having(STOCK, "12", working_order(order_type=OrderType.STOP, status=Status.HELD))),
    ),
    # Dust is sold by closing the position, and in no other way.
    (
        coin_order(
            side=SELL, quantity=usd("0.0001"), order_type=OrderType.MARKET, limit_price=None
        ),
        view(having(COIN, "0.0001"), closes_position=True),
    ),
    (coin_order(quantity=usd("0.0125000009999")), view(COIN)),
]


@pytest.mark.parametrize(("order", "seen"), TAKEN)
def test_an_order_that_breaks_no_rule_is_taken(order: PlaceOrder, seen: OrderView) -> None:
    assert first_refusal(order, seen) is None


def test_decimals_of_a_coin_beyond_the_ninth_are_cut_and_not_refused() -> None:
    order = coin_order(quantity=usd("0.0125000009999"), client_order_id="")

    taken = as_taken(order, view(COIN))

    assert taken == coin_order(quantity=usd("0.012500000"), client_order_id=None)


def test_what_is_wrong_with_an_order_is_told_in_the_documented_order() -> None:
    """Syntax, asset, combination, window, account, quantity, wash trade, money."""
    all_wrong = stock_order(
        quantity=None, symbol="ZZZZZ", side=SELL, time_in_force=OPG, limit_price=usd("41.273")
    )
    suspended = AccountConfiguration(suspend_trade=True)
    sold = working_order(side=SELL, quantity=usd("5000"))
    crowded = having(STOCK, "5000", sold)
    crossed = having(STOCK, "0", working_order(id="other", order_type=OrderType.MARKET))
    poor = figures(cash="2000", shares="0")

    steps = [
        (all_wrong, view(SymbolView(symbol="ZZZZZ"), configuration=suspended)),
        (stock_order(symbol="ZZZZZ", side=SELL, time_in_force=OPG, limit_price=usd("41.273")),
         view(SymbolView(symbol="ZZZZZ"), configuration=suspended)),
        (stock_order(side=SELL, time_in_force=OPG, limit_price=usd("41.273")),
         view(crowded, configuration=suspended)),
        (stock_order(side=SELL, time_in_force=OPG), view(crowded, configuration=suspended)),
        (stock_order(side=SELL), view(crowded, configuration=suspended)),
        (stock_order(side=SELL), view(crowded)),
        (stock_order(side=SELL, quantity=usd("60")), view(crossed, figures=poor)),
        (stock_order(quantity=usd("6000"), side=BUY),
         view(having(STOCK, "0", working_order(side=SELL, order_type=OrderType.MARKET)),
              figures=poor)),
        (stock_order(quantity=usd("6000"), side=BUY), view(figures=poor)),
    ]  # fmt: skip

    told = [_message(first_refusal(order, seen)) for order, seen in steps]
    assert told == [
        "qty or notional is required",
        'asset "ZZZZZ" not found',
        "invalid limit_price 41.273. sub-penny increment does not fulfill minimum pricing criteria",
        "opg orders must be submitted after 7:00pm and before 9:28am",
        "account is not authorized to trade",
        "insufficient qty available for order (requested: 12, available: 0)",
        "cannot open a short sell while a long buy order is open",
        "potential wash trade detected. use complex orders",
        "insufficient buying power",
    ]


def _message(refusal: Refusal | None) -> str:
    assert refusal is not None
    return refusal.message
