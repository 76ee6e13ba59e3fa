"""All that the checks of an order may know, put together by whoever keeps the account."""

from decimal import Decimal

import msgspec

from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.hours import MarketHours
from hydra.venues.simulated.brokerage.money import AccountFigures
from hydra.venues.simulated.brokerage.option_book import OptionBook
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.quotes import Quote
from hydra.venues.simulated.brokerage.rulebook import NEWEST, Rulebook


class SymbolView(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of an order: what it names, what the market shows, what the account has in it.

    `asset` or `contract` is what bears the symbol, both None if nothing does. `position` is signed.
    `working` are the open orders in the symbol, legs of multi-leg orders among them; an order that
    is being replaced is left out.
    """

    symbol: str
    asset: Asset | None = None
    contract: OptionContract | None = None
    quote: Quote | None = None
    position: Decimal = Decimal(0)
    working: tuple[BrokerOrder, ...] = ()


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker lets the account do, whatever its owner has configured.

    `shorting_enabled`: as on the account sheet. `options_level` is what it was approved for, 0 to
    3. `day_trades_denied`: it may not trade on the day under the old rule about day traders.
    """

    status: str = "ACTIVE"
    crypto_status: str = "ACTIVE"
    trading_blocked: bool = False
    account_blocked: bool = False
    liquidation_only: bool = False
    shorting_enabled: bool = True
    options_level: int = 3
    day_trades_denied: bool = False


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """The situation that a new order meets, at market time `at` (UTC ns).

    `subject` is the symbol of the order, `legs` those of a multi-leg order's legs in their order
    (it has no subject of its own). `underlying` is the stock under the options, the stock itself
    for an order in stocks, None for coins; `options` is what the account has in options on it.
    `client_order_id_used`: some order of this account has had that name, whatever became of it.
    `replaced` is the order that the new one is to take the place of. `closes_position`: the order
    comes from a request to close a position, which is also good for dust.
    """

    at: int
    hours: MarketHours
    standing: AccountStanding
    configuration: AccountConfiguration
    figures: AccountFigures
    subject: SymbolView
    legs: tuple[SymbolView, ...] = ()
    underlying: SymbolView | None = None
    options: OptionBook = OptionBook()
    client_order_id_used: bool = False
    replaced: BrokerOrder | None = None
    closes_position: bool = False
    rules: Rulebook = NEWEST
