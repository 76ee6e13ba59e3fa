"""How bots and what they trade are named in `bots.yaml`."""

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from hydra.settings.errors import shown
from hydra.settings.kinds import Word
from hydra.trading.sub_ledgers import UNATTRIBUTED

T = TypeVar("T")


TAKEN = ("exit_bot", "portfolio_bot")
"""Who lives beside the bots already."""


def _not_nobodys(bot_id: str) -> str:
    if bot_id in TAKEN:
        raise ValueError(
            f"found {shown(bot_id)}, wanted another name; that one is the engine's own"
        )
    if bot_id == UNATTRIBUTED:
        raise ValueError(
            f"found {shown(bot_id)}, wanted another name; that one is the record's, for money and"
            " positions that no bot has a part in"
        )
    return bot_id


BotId = Annotated[
    str,
    Word(re.compile(r"[A-Za-z0-9_-]{1,32}"), "a name of 1 to 32 letters, digits, _ and -"),
    AfterValidator(_not_nobodys),
]
Ticker = Annotated[
    str, Word(re.compile(r"[A-Z][A-Z0-9]{0,5}(\.[A-Z]{1,3})?"), "a ticker such as AAPL")
]
# Every price, budget and limit is counted in USD: of ETH/BTC a notional of 50 would be 50 bitcoin.
Pair = Annotated[
    str,
    Word(
        re.compile(r"[A-Z0-9]{1,10}/USD"), "a currency pair such as BTC/USD, which is paid in USD"
    ),
]


def each_once(values: tuple[T, ...]) -> tuple[T, ...]:
    """A list that is not empty and has nothing twice; raises ValueError."""
    if not values:
        raise ValueError("the list is empty, wanted at least one")
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ValueError(f"{shown(value)} is in the list twice")
    return values
