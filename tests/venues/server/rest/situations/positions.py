"""Positions that are held, closed, exercised."""

from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.situations.registry import example
from tests.venues.server.rest.stage import CALL, Stage


def with_positions() -> Stage:
    """A long share that an exit order holds, a short one, a coin and an option."""
    stage = Stage()
    stage.buy()
    stage.place(side="sell", limit_price="60")
    stage.place(symbol="NOVA", qty="8", side="sell", type="market", limit_price=None)
    stage.buy("BTC/USD", "0.0125")
    stage.buy(CALL, "2")
    return stage


@example
def positions_list() -> Answer:
    return with_positions().ask("GET", "/v2/positions")


@example
def position_get_crypto() -> Answer:
    return with_positions().ask("GET", "/v2/positions/BTCUSD")


@example
def position_close() -> Answer:
    stage = Stage()
    stage.buy()
    return stage.ask("DELETE", "/v2/positions/HYDR", {"percentage": "100"})


@example
def positions_close_all() -> Answer:
    stage = Stage()
    stage.buy("BTC/USD", "0.0125")
    stage.buy()
    stage.place(side="sell", limit_price="60")
    return stage.ask("DELETE", "/v2/positions", {"cancel_orders": "false"})


@example
def error_position_not_found() -> Answer:
    return Stage().ask("GET", "/v2/positions/HYDR")


@example
def error_position_close_not_found() -> Answer:
    return Stage().ask("DELETE", "/v2/positions/HYDR")


@example
def option_exercise() -> Answer:
    stage = Stage()
    stage.buy(CALL, "2")
    return stage.ask("POST", f"/v2/positions/{CALL}/exercise")


@example
def error_option_exercise() -> Answer:
    return Stage().ask("POST", f"/v2/positions/{CALL}/exercise")
