"""The three families of market data, and in what they differ."""

import re
from collections.abc import Callable
from datetime import tzinfo
from zoneinfo import ZoneInfo

import msgspec

from hydra.trading.local_time import NEW_YORK
from hydra.venues.simulated.brokerage.words import AssetClass
from hydra.venues.simulated.market.tape import Tape
from hydra.venues.simulated.server.rest.data import rows
from hydra.venues.simulated.server.rest.data.plans import (
    DelayOf,
    no_feed,
    option_delay,
    stock_delay,
)
from hydra.venues.simulated.server.rest.errors import DataRefused

_PAIR = re.compile(r"^[A-Z]+x?/[A-Z]+$")


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """`zone` is where its days begin; `knows` says whether a symbol is one of it.

    `delay_of` judges the feed that is asked for, and says by how much its data are late.
    """

    forms: rows.RowForms
    zone: tzinfo
    delay_of: DelayOf
    knows: Callable[[Tape, str], bool]

    def known(self, tape: Tape, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Those that there are: an unknown symbol is no error, it just has no data."""
        return tuple(symbol for symbol in symbols if self.knows(tape, symbol))


def _is_stock(tape: Tape, symbol: str) -> bool:
    return _is_asset(tape, symbol, AssetClass.EQUITY)


def _is_coin(tape: Tape, symbol: str) -> bool:
    if _PAIR.fullmatch(symbol) is None:
        raise DataRefused(400, f"invalid symbol: {symbol[:80]} does not match {_PAIR.pattern}")
    return _is_asset(tape, symbol, AssetClass.CRYPTO)


def _is_contract(tape: Tape, symbol: str) -> bool:
    contract = tape.contract(symbol)
    return contract is not None and contract.symbol == symbol


def _is_asset(tape: Tape, symbol: str, asset_class: AssetClass) -> bool:
    # The tape finds assets by their ids too, and coins without their slash.
    asset = tape.asset(symbol)
    return asset is not None and asset.symbol == symbol and asset.asset_class is asset_class


STOCKS = Family(forms=rows.STOCKS, zone=NEW_YORK, delay_of=stock_delay, knows=_is_stock)
CRYPTO = Family(forms=rows.CRYPTO, zone=ZoneInfo("UTC"), delay_of=no_feed, knows=_is_coin)
OPTIONS = Family(forms=rows.OPTIONS, zone=NEW_YORK, delay_of=option_delay, knows=_is_contract)
