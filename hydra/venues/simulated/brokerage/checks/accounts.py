"""Whether the account may trade at all, and trade this."""

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.checks.equities import is_fractional
from hydra.venues.simulated.brokerage.option_rules import inferred_intent, opens
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass

ACTIVE = "ACTIVE"
PARTNERSHIP_WITHOUT_EXCEPTION = "ptp_no_exception"
"""The attribute of a partnership on whose sale foreigners pay a tax."""


def account_may_trade(_order: PlaceOrder, view: OrderView) -> Refusal | None:
    standing = view.standing
    blocked = standing.trading_blocked or standing.account_blocked
    if standing.status == ACTIVE and not (blocked or view.configuration.suspend_trade):
        return None
    return _not_authorized()


def account_may_trade_coins(_order: PlaceOrder, view: OrderView) -> Refusal | None:
    return None if view.standing.crypto_status == ACTIVE else _not_authorized()


def account_may_open(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if not view.standing.liquidation_only or not opens_something(order, view):
        return None
    return forbidden("account is restricted to liquidation only")


def account_may_trade_within_the_day(_order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Under the old rule; whoever keeps the account judges whether it would be a day trade."""
    if not (view.rules.counts_day_trades and view.standing.day_trades_denied):
        return None
    return Refusal(403, 40310100, "trade denied due to pattern day trading protection")


def account_takes_partnerships(order: PlaceOrder, view: OrderView) -> Refusal | None:
    asset = view.subject.asset
    if asset is None or PARTNERSHIP_WITHOUT_EXCEPTION not in asset.attributes:
        return None
    if view.configuration.ptp_no_exception_entry or not opens_something(order, view):
        return None
    return forbidden(f'account is not allowed to open positions in asset "{order.symbol}"')


def account_takes_fractions(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if view.configuration.fractional_trading or not is_fractional(order):
        return None
    if not opens_something(order, view):
        return None
    return forbidden("account is not allowed to trade fractional shares")


ACCOUNT: tuple[Check, ...] = (account_may_trade, account_may_open)


def opens_something(order: PlaceOrder, view: OrderView) -> bool:
    """Whether a position is created or enlarged, in any of the legs if there are several."""
    if order.order_class is OrderClass.MLEG:
        return any(
            opens(inferred_intent(leg.side, seen.position))
            for leg, seen in zip(order.legs, view.legs, strict=True)
        )
    assert isinstance(order.side, Side), "syntax comes first"
    return opens(inferred_intent(order.side, view.subject.position))


def _not_authorized() -> Refusal:
    return forbidden("account is not authorized to trade")
