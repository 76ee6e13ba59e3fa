"""Orders that are refused."""

from decimal import Decimal

from hydra.venues.simulated.brokerage.acts import RestrictAccount
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.situations.registry import example
from tests.venues.server.rest.stage import CALL, HIGHER_CALL, LIMIT, SATURDAY, Stage

AFTERNOON = "2026-11-23T20:56:30Z"
LAST_AFTERNOON = "2026-12-18T20:30:30Z"
MARKET = {"type": "market", "limit_price": None}
BRACKET = {
    "order_class": "bracket",
    "take_profit": {"limit_price": "43.50"},
    "stop_loss": {"stop_price": "40.10"},
}
OPTION = {"symbol": CALL, "qty": "2", "limit_price": "1.35"}
COIN = {"symbol": "BTC/USD", "qty": "0.01", "limit_price": "50000", "time_in_force": "gtc"}


def refused(stage: Stage | None = None, /, **fields: object) -> Answer:
    """The ordinary order with these fields, or without those that are None."""
    stage = Stage() if stage is None else stage
    return stage.ask("POST", "/v2/orders", body={**LIMIT, **fields})


@example
def error_order_account_not_authorized() -> Answer:
    stage = Stage()
    stage.act(RestrictAccount(trading_blocked=True))
    return refused(stage)


@example
def error_order_liquidation_only() -> Answer:
    stage = Stage()
    stage.act(RestrictAccount(liquidation_only=True))
    return refused(stage)


@example
def error_order_asset_not_tradable() -> Answer:
    return refused(symbol="HALT", limit_price="10")


@example
def error_order_symbol_unknown() -> Answer:
    return refused(symbol="ZZZZZ")


@example
def error_order_bracket_stop_base_price() -> Answer:
    return refused(**{**BRACKET, "stop_loss": {"stop_price": "41.27"}})


@example
def error_order_bracket_tp_sl() -> Answer:
    return refused(**{**BRACKET, "take_profit": {"limit_price": "40"}})


@example
def error_order_oco_not_exit() -> Answer:
    return refused(**{**BRACKET, "order_class": "oco", "side": "sell", "limit_price": "43.50"})


@example
def error_order_client_order_id_too_long() -> Answer:
    return refused(client_order_id="x" * 129)


@example
def error_order_duplicate_client_order_id() -> Answer:
    stage = Stage()
    stage.rest(client_order_id="once")
    return refused(stage, client_order_id="once")


@example
def error_order_cls_window() -> Answer:
    return refused(Stage(now=AFTERNOON), time_in_force="cls")


@example
def error_order_opg_window() -> Answer:
    return refused(time_in_force="opg")


@example
def error_order_crypto_min_cost() -> Answer:
    return refused(**{**COIN, "qty": "0.0001"})


@example
def error_order_crypto_order_type() -> Answer:
    return refused(**{**COIN, "type": "stop", "limit_price": None, "stop_price": "50000"})


@example
def error_order_crypto_time_in_force() -> Answer:
    return refused(**{**COIN, "time_in_force": "day"})


@example
def error_order_insufficient_crypto_balance() -> Answer:
    stage = Stage()
    stage.buy("BTC/USD", "0.0125")
    return refused(stage, **{**COIN, **MARKET, "qty": "0.0125", "side": "sell"})


@example
def error_order_extended_hours_type() -> Answer:
    return refused(**MARKET, extended_hours=True)


@example
def error_order_fractional_not_day() -> Answer:
    return refused(qty="1.5", time_in_force="gtc")


@example
def error_order_fractional_not_simple() -> Answer:
    return refused(qty="1.5", **BRACKET)


@example
def error_order_fractional_short() -> Answer:
    return refused(qty="1.5", side="sell")


@example
def error_order_not_fractionable() -> Answer:
    return refused(symbol="PENY", qty="1.5", limit_price="2")


@example
def error_order_insufficient_buying_power() -> Answer:
    return refused(qty="10000")


@example
def error_order_insufficient_qty() -> Answer:
    stage = Stage()
    stage.buy()
    stage.place(side="sell", limit_price="60")
    return refused(stage, side="sell", limit_price="61")


@example
def error_order_wash_trade() -> Answer:
    stage = Stage()
    stage.buy()
    stage.place(side="sell", type="stop", limit_price=None, stop_price="35")
    return refused(stage, **MARKET)


@example
def error_order_short_while_buy_open() -> Answer:
    stage = Stage()
    stage.rest()
    return refused(stage, side="sell", limit_price="60")


@example
def error_order_not_allowed_to_short() -> Answer:
    stage = Stage()
    stage.ask("PATCH", "/v2/account/configurations", body={"no_shorting": True})
    return refused(stage, side="sell")


@example
def error_order_invalid_time_in_force() -> Answer:
    return refused(time_in_force="forever")


@example
def error_order_limit_price_missing() -> Answer:
    return refused(limit_price=None)


@example
def error_order_market_with_price() -> Answer:
    return refused(type="market")


@example
def error_order_qty_and_notional() -> Answer:
    return refused(notional="100")


@example
def error_order_qty_or_notional_missing() -> Answer:
    return refused(qty=None)


@example
def error_order_qty_not_positive() -> Answer:
    return refused(qty=0)


@example
def error_order_notional_decimals() -> Answer:
    return refused(qty=None, notional="500.755", **MARKET)


@example
def error_order_notional_too_small() -> Answer:
    return refused(qty=None, notional="0.99", **MARKET)


@example
def error_order_sub_penny_limit() -> Answer:
    return refused(limit_price="41.273")


@example
def error_order_mleg_legs() -> Answer:
    leg = {"symbol": CALL, "ratio_qty": "1", "side": "buy", "position_intent": "buy_to_open"}
    return refused(symbol=None, side=None, order_class="mleg", legs=[leg])


@example
def error_order_option_buying_power() -> Answer:
    stage = Stage(terms=BrokerageTerms(starting_cash=Decimal(100)))
    return refused(stage, **OPTION)


@example
def error_order_option_complex() -> Answer:
    return refused(**{**OPTION, **BRACKET})


@example
def error_order_option_expiring() -> Answer:
    return refused(Stage(now=LAST_AFTERNOON), **OPTION)


@example
def error_order_option_extended() -> Answer:
    return refused(**OPTION, extended_hours=True)


@example
def error_order_option_intent() -> Answer:
    return refused(**OPTION, side="sell", position_intent="sell_to_close")


@example
def error_order_option_level() -> Answer:
    return refused(Stage(terms=BrokerageTerms(options_level=1)), **OPTION)


@example
def error_order_option_market_closed() -> Answer:
    return refused(Stage(now=SATURDAY), **{**OPTION, **MARKET})


@example
def error_order_option_notional() -> Answer:
    return refused(**{**OPTION, "qty": None, "notional": "500"})


@example
def error_order_option_qty() -> Answer:
    return refused(**{**OPTION, "qty": "1.5"})


@example
def error_order_option_tif() -> Answer:
    return refused(**OPTION, time_in_force="gtc")


@example
def error_order_option_uncovered() -> Answer:
    return refused(**{**OPTION, "symbol": HIGHER_CALL, "side": "sell", "limit_price": "0.5"})
