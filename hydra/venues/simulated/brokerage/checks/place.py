"""Whether the broker takes a new order: the table of all checks, in the order of asking.

Syntax, asset, combination, window, account, quantity and wash trades, money: what is wrong with the
order itself is told before what is wrong with the moment. A new rule is one function in the module
of its subject and one line in the table there, or here.
"""

from decimal import Decimal
from enum import Enum

from msgspec import structs

from hydra.venues.simulated.brokerage.amounts import NINE_DECIMALS, floored, is_multiple
from hydra.venues.simulated.brokerage.checks import (
    accounts,
    crypto,
    equities,
    funds,
    groups,
    multi_leg,
    options,
    quantity,
    windows,
)
from hydra.venues.simulated.brokerage.checks.assets import ASSET
from hydra.venues.simulated.brokerage.checks.check import Check, first_of
from hydra.venues.simulated.brokerage.checks.syntax import SYNTAX
from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import AssetClass, OrderClass
from hydra.venues.simulated.order_rules import QUANTITY_MAX


class Kind(Enum):
    """Which rules an order is judged by."""

    EQUITY = "equity"
    CRYPTO = "crypto"
    OPTION = "option"
    MULTI_LEG = "multi_leg"


CHECKS: dict[Kind, tuple[Check, ...]] = {
    Kind.EQUITY: (
        *equities.COMBINATION,
        *groups.COMBINATION,
        *windows.WINDOW,
        *accounts.ACCOUNT,
        accounts.account_may_trade_within_the_day,
        accounts.account_takes_partnerships,
        accounts.account_takes_fractions,
        *quantity.SHARES,
        funds.shares_can_be_paid,
        funds.options_stay_paid_for,
    ),
    Kind.CRYPTO: (
        *crypto.COMBINATION,
        *accounts.ACCOUNT,
        accounts.account_may_trade_coins,
        *quantity.COINS,
        crypto.value_is_between_the_least_and_the_most,
        funds.shares_can_be_paid,
    ),
    Kind.OPTION: (
        *options.COMBINATION,
        *options.WINDOW,
        *accounts.ACCOUNT,
        options.level_is_high_enough,
        quantity.what_it_closes_is_available,
        options.short_calls_are_covered,
        quantity.it_would_not_trade_with_our_own,
        funds.options_can_be_paid,
    ),
    Kind.MULTI_LEG: (
        options.order_is_not_by_value,
        options.contracts_are_whole,
        options.order_is_for_the_day,
        options.hours_are_not_extended,
        *multi_leg.COMBINATION,
        options.market_order_comes_in_market_hours,
        multi_leg.no_leg_expires_soon,
        *accounts.ACCOUNT,
        multi_leg.level_is_for_spreads,
        multi_leg.what_legs_close_is_available,
        options.short_calls_are_covered,
        funds.options_can_be_paid,
    ),
}
"""What is asked once the order can be read and its asset exists."""


def first_refusal(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Ask every check in turn; None means that the order, `as_taken`, is the broker's now.

    The view must be the order's own: its symbol in `subject`, its legs in `legs`, one for each.
    """
    order = as_taken(order, view)
    refusal = first_of(SYNTAX, order, view) or first_of(ASSET, order, view)
    return refusal or first_of(CHECKS[kind_of(order, view)], order, view)


def as_taken(order: PlaceOrder, view: OrderView) -> PlaceOrder:
    """The order as the broker keeps it: more than nine decimals of a coin are cut without a word.

    A client order id of no characters is none.
    """
    if order.client_order_id == "":
        order = structs.replace(order, client_order_id=None)
    asset, quantity_asked = view.subject.asset, order.quantity
    if asset is None or asset.asset_class is not AssetClass.CRYPTO or quantity_asked is None:
        return order
    if not (quantity_asked.is_finite() and Decimal(0) < quantity_asked <= QUANTITY_MAX):
        return order
    if is_multiple(quantity_asked, NINE_DECIMALS):
        return order
    return structs.replace(order, quantity=floored(quantity_asked, NINE_DECIMALS))


def kind_of(order: PlaceOrder, view: OrderView) -> Kind:
    """By which rules an order is judged whose asset exists."""
    if order.order_class is OrderClass.MLEG:
        return Kind.MULTI_LEG
    if view.subject.contract is not None:
        return Kind.OPTION
    asset = view.subject.asset
    assert asset is not None, "asset checks come first"
    return Kind.CRYPTO if asset.asset_class is AssetClass.CRYPTO else Kind.EQUITY
