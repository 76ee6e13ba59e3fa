"""The account: its figures, its configuration, and how its value has moved."""

from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.brokerage.account_sheet import AccountSheet
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.refusals import Refusal, malformed
from hydra.venues.simulated.brokerage.requests import Configure
from hydra.venues.simulated.server.rest.amount_text import amount_text
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.bodies import Fields, fields_of
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.routing import venue_of
from hydra.venues.simulated.server.rest.timestamps import rfc3339
from hydra.venues.simulated.server.rest.trading.portfolio_history import (
    history_body,
    history_query,
)
from hydra.venues.simulated.server.rest.trading.queries import parameters_of

CRYPTO_TIER = 1
_MULTIPLIERS = frozenset({"1", "2", "4"})
_CONFIRMATIONS = frozenset({"all", "none"})
_OPTIONS_LEVELS = range(4)


async def get(request: Request) -> Response:
    """The account's figures now."""
    return json_answer(account_body(venue_of(request).at_present().account()))


async def get_configuration(request: Request) -> Response:
    """What its owner has set."""
    return json_answer(configuration_body(venue_of(request).at_present().configuration()))


async def configure(request: Request) -> Response:
    """Change what is given, leave the rest; 200 with the whole."""
    answer = venue_of(request).receive(configuration_of(await fields_of(request))).answer
    if isinstance(answer, Refusal):
        raise Refused(answer)
    assert isinstance(answer, AccountConfiguration)
    return json_answer(configuration_body(answer))


async def portfolio_history(request: Request) -> Response:
    """The account's value at regular times."""
    venue = venue_of(request)
    brokerage = venue.at_present()
    query = history_query(parameters_of(request), venue.now())
    return json_answer(history_body(query, brokerage.equity_history(), brokerage.sessions))


def account_body(sheet: AccountSheet) -> dict[str, object]:
    """All figures, in the broker's words."""
    equity = amount_text(sheet.equity)
    buying_power = amount_text(sheet.buying_power)
    return {
        "id": sheet.id,
        "account_number": sheet.account_number,
        "status": sheet.status,
        "crypto_status": sheet.crypto_status,
        "crypto_tier": CRYPTO_TIER,
        "currency": "USD",
        "cash": amount_text(sheet.cash),
        "accrued_fees": amount_text(sheet.accrued_fees),
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "pending_reg_taf_fees": "0",
        "portfolio_value": equity,
        "equity": equity,
        "last_equity": amount_text(sheet.last_equity),
        "balance_asof": sheet.balance_asof,
        "long_market_value": amount_text(sheet.long_market_value),
        "short_market_value": amount_text(sheet.short_market_value),
        "position_market_value": amount_text(sheet.long_market_value - sheet.short_market_value),
        "initial_margin": amount_text(sheet.initial_margin),
        "maintenance_margin": amount_text(sheet.maintenance_margin),
        "last_maintenance_margin": amount_text(sheet.last_maintenance_margin),
        "sma": amount_text(sheet.sma),
        "multiplier": str(sheet.multiplier),
        "buying_power": buying_power,
        "regt_buying_power": amount_text(sheet.regt_buying_power),
        "effective_buying_power": buying_power,
        "non_marginable_buying_power": amount_text(sheet.non_marginable_buying_power),
        "options_buying_power": amount_text(sheet.options_buying_power),
        "options_approved_level": sheet.options_approved_level,
        "options_trading_level": sheet.options_trading_level,
        "intraday_adjustments": "0",
        "shorting_enabled": sheet.shorting_enabled,
        "trade_suspended_by_user": sheet.trade_suspended_by_user,
        "trading_blocked": sheet.trading_blocked,
        "transfers_blocked": False,
        "account_blocked": sheet.account_blocked,
        "created_at": rfc3339(sheet.created_at),
        "admin_configurations": {},
        "user_configurations": None,
    }


def configuration_body(configuration: AccountConfiguration) -> dict[str, object]:
    """All settings, in the broker's words."""
    return {
        "no_shorting": configuration.no_shorting,
        "suspend_trade": configuration.suspend_trade,
        "fractional_trading": configuration.fractional_trading,
        "max_margin_multiplier": configuration.max_margin_multiplier,
        "trade_confirm_email": configuration.trade_confirm_email,
        "ptp_no_exception_entry": configuration.ptp_no_exception_entry,
        "max_options_trading_level": configuration.max_options_trading_level,
        "disable_overnight_trading": configuration.disable_overnight_trading,
    }


def configuration_of(body: Fields) -> Configure:
    """The body of PATCH /v2/account/configurations. Raises `Refused`."""
    wanted = Configure(
        no_shorting=body.flag("no_shorting"),
        suspend_trade=body.flag("suspend_trade"),
        fractional_trading=body.flag("fractional_trading"),
        max_margin_multiplier=body.text("max_margin_multiplier"),
        trade_confirm_email=body.text("trade_confirm_email"),
        ptp_no_exception_entry=body.flag("ptp_no_exception_entry"),
        max_options_trading_level=_options_level(body),
        disable_overnight_trading=body.flag("disable_overnight_trading"),
    )
    if wanted.max_margin_multiplier not in {None, *_MULTIPLIERS}:
        raise Refused(malformed("invalid max_margin_multiplier"))
    if wanted.trade_confirm_email not in {None, *_CONFIRMATIONS}:
        raise Refused(malformed("invalid trade_confirm_email"))
    return wanted


def _options_level(body: Fields) -> int | None:
    level = body.amount("max_options_trading_level")
    if level is not None and level not in _OPTIONS_LEVELS:
        raise Refused(malformed("invalid max_options_trading_level"))
    return None if level is None else int(level)
