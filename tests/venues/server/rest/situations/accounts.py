"""Account, activities, clock, calendar, assets, contracts."""

from decimal import Decimal

from hydra.venues.simulated.brokerage.acts import ChangeCash, DriftPosition, RestrictAccount
from hydra.venues.simulated.server.faults.alterations import Alteration
from hydra.venues.simulated.server.faults.request_faults import Alter
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.situations.registry import example
from tests.venues.server.rest.stage import CALL, Stage


@example
def account() -> Answer:
    stage = Stage()
    stage.buy()
    return stage.ask("GET", "/v2/account")


@example
def account_legacy_pdt_fields() -> Answer:
    stage = Stage()
    old = {
        "pattern_day_trader": False,
        "daytrade_count": 0,
        "daytrading_buying_power": "0",
        "bod_dtbp": "0",
    }
    stage.spoil(Alter(alteration=Alteration(set=old)))
    return stage.ask("GET", "/v2/account")


@example
def account_blocked() -> Answer:
    stage = Stage()
    stage.act(RestrictAccount(trading_blocked=True))
    stage.ask("PATCH", "/v2/account/configurations", body={"suspend_trade": True})
    return stage.ask("GET", "/v2/account")


@example
def account_configurations() -> Answer:
    stage = Stage()
    stage.ask("PATCH", "/v2/account/configurations", body={"max_options_trading_level": 3})
    return stage.ask("GET", "/v2/account/configurations")


@example
def account_configurations_patch() -> Answer:
    stage = Stage()
    stage.ask("PATCH", "/v2/account/configurations", body={"max_options_trading_level": 3})
    return stage.ask("PATCH", "/v2/account/configurations", body={"suspend_trade": True})


@example
def portfolio_history() -> Answer:
    stage = Stage()
    stage.buy()
    stage.come_to("2026-11-23T14:50:00Z")
    query = {
        "period": "1D",
        "timeframe": "15Min",
        "intraday_reporting": "continuous",
        "pnl_reset": "no_reset",
    }
    return stage.ask("GET", "/v2/account/portfolio/history", query)


@example
def activities_fill() -> Answer:
    stage = Stage()
    order = stage.rest()
    stage.fill(order, "5", "34.99")
    stage.fill(order, "7", "34.98")
    query = {"direction": "desc", "page_size": "100"}
    return stage.ask("GET", "/v2/account/activities/FILL", query)


@example
def activities_nontrade() -> Answer:
    """A dividend would be a change of cash here, without its amount for a share."""
    stage = Stage()
    stage.buy("BTC/USD", "0.0125")
    stage.act(DriftPosition(symbol=CALL, quantity=Decimal(2), price=Decimal("1.35")))
    stage.act(ChangeCash(amount=Decimal("6.12"), activity="DIV", symbol="HYDR"))
    stage.come_to("2026-12-21T15:00:00Z")
    query = {"activity_types": "CFEE,OPEXP"}
    return stage.ask("GET", "/v2/account/activities", query)


@example
def clock_open() -> Answer:
    return Stage().ask("GET", "/v2/clock")


@example
def clock_closed_weekend() -> Answer:
    return Stage(now="2026-11-21T16:00:00.000218733Z").ask("GET", "/v2/clock")


@example
def calendar_thanksgiving_week() -> Answer:
    return Stage().ask("GET", "/v2/calendar", {"start": "2026-11-25", "end": "2026-11-27"})


@example
def asset_equity() -> Answer:
    return Stage().ask("GET", "/v2/assets/HYDR")


@example
def asset_equity_without_easy_to_borrow() -> Answer:
    stage = Stage()
    stage.spoil(Alter(alteration=Alteration(remove=("easy_to_borrow",))))
    return stage.ask("GET", "/v2/assets/HYDR")


@example
def asset_crypto() -> Answer:
    return Stage().ask("GET", "/v2/assets/BTC%2FUSD")


@example
def assets_list_crypto() -> Answer:
    return Stage().ask("GET", "/v2/assets", {"status": "active", "asset_class": "crypto"})


@example
def error_asset_not_found() -> Answer:
    return Stage().ask("GET", "/v2/assets/ZZZZZ")


@example
def option_contract() -> Answer:
    return Stage().ask("GET", f"/v2/options/contracts/{CALL}")


@example
def option_contracts() -> Answer:
    query = {"underlying_symbols": "HYDR", "expiration_date_lte": "2026-12-18", "limit": "1"}
    return Stage().ask("GET", "/v2/options/contracts", query)


@example
def error_option_contract_not_found() -> Answer:
    return Stage().ask("GET", "/v2/options/contracts/HYDR261218C00999000")
