"""`bots.yaml`: the bots."""

import re
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from hydra.settings.bot_parts import (
    Buckets,
    ChainRules,
    CryptoExecution,
    Execution,
    Exits,
    Guardrails,
    KillConditions,
    OptionExits,
    Signal,
    StockWindow,
    TradeLimits,
    TradingWindow,
)
from hydra.settings.errors import shown
from hydra.settings.kinds import Word
from hydra.settings.safer import Safer
from hydra.settings.section import Minutes, OnOff, Section, percent_of
from hydra.trading.sub_ledgers import UNATTRIBUTED

T = TypeVar("T")


def _not_nobodys(bot_id: str) -> str:
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
Pair = Annotated[
    str, Word(re.compile(r"[A-Z0-9]{1,10}/[A-Z]{3,5}"), "a currency pair such as BTC/USD")
]


def _each_once(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise ValueError("the list is empty, wanted at least one")
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ValueError(f"{shown(value)} is in the list twice")
    return values


class ExitBotSettings(Section):
    """Closes positions and reports what must halt trading."""

    # Off, open positions lose their guard; on, entries are possible again: never while running.
    enabled: Annotated[OnOff, Safer.NEITHER]
    cooloff_minutes: Annotated[Minutes, Safer.HIGHER]
    kill_conditions: KillConditions


class PortfolioBotSettings(Section):
    """Grants every bot its share of the day's risk budget."""

    # Off, nobody guards the shares; on, entries are possible again: never while running.
    enabled: Annotated[OnOff, Safer.NEITHER]
    cash_reserve_pct: Annotated[Decimal, percent_of("the account"), Safer.HIGHER]
    buckets: Buckets
    guardrails: Guardrails


class MomentumBotSettings(Section):
    """One bot on one stock. Several may trade the same one."""

    bot_id: Annotated[BotId, Safer.NEITHER]
    enabled: Annotated[OnOff, Safer.OFF]
    ticker: Annotated[Ticker, Safer.NEITHER]
    session: StockWindow
    execution: Execution
    risk: TradeLimits
    exits: Exits
    signal: Signal


class OptionsBotSettings(Section):
    """The options bot, over some underlyings."""

    enabled: Annotated[OnOff, Safer.OFF]
    bot_id: Annotated[BotId, Safer.NEITHER]
    tickers: Annotated[tuple[Ticker, ...], AfterValidator(_each_once), Safer.FEWER]
    session: StockWindow
    risk: TradeLimits
    exits: OptionExits
    chain_rules: ChainRules


class CryptoBotSettings(Section):
    """The crypto bot, over some pairs."""

    enabled: Annotated[OnOff, Safer.OFF]
    bot_id: Annotated[BotId, Safer.NEITHER]
    pairs: Annotated[tuple[Pair, ...], AfterValidator(_each_once), Safer.FEWER]
    session: TradingWindow
    execution: CryptoExecution
    risk: TradeLimits
    exits: Exits
    signal: Signal


class BotSections(Section):
    """`bots.yaml`."""

    exitbot: ExitBotSettings
    portfoliobot: PortfolioBotSettings
    momentum_bots: tuple[MomentumBotSettings, ...]
    optionsbot: OptionsBotSettings
    cryptobot: CryptoBotSettings
