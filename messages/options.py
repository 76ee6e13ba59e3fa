"""Option chains and the quotes of contracts: who asks for them, and what comes of it."""

from datetime import date
from decimal import Decimal

from hydra.trading.option_rules import ChainContract, NotEligible
from hydra.trading.option_symbols import Right
from messages.message import Message


class ChainQuestion(Message, frozen=True, kw_only=True):
    """A bot asks for the contracts on an underlying. `reply_to` is the path that is told.

    Calls or puts, with these expirations and strikes (both ends included). `asked_by` is the
    incarnation that asks, and `number` counts its questions.
    """

    underlying: str
    right: Right
    first: date
    last: date
    strike_from: Decimal
    strike_to: Decimal
    reply_to: str
    asked_by: int
    number: int


class ChainRead(Message, frozen=True, kw_only=True):
    """The contracts that were asked for, as they are listed and quoted now.

    `unread` are listed too, and nobody can tell what they are: they cost no other its place.
    """

    contracts: tuple[ChainContract, ...]
    asked_by: int
    number: int
    unread: tuple[NotEligible, ...] = ()


class ChainNotRead(Message, frozen=True, kw_only=True):
    """They could not be read whole, so nothing is known of them."""

    reason: str
    asked_by: int
    number: int


class ChainOverdue(Message, frozen=True, kw_only=True):
    """A bot's word to itself: the question of this number should have been answered."""

    number: int


class FollowContracts(Message, frozen=True, kw_only=True):
    """A bot tells the data feed of which contracts it wants quotes: all of them, each time, those
    first that it holds. Of more than there is room for the first are followed.

    The feed goes on with them if the bot is gone: somebody else may have to close what it held.
    """

    bot: str
    symbols: tuple[str, ...]


class LookDue(Message, frozen=True, kw_only=True):
    """A bot's word to itself: see what time alone asks for."""


CONTRACT_QUOTES_TOPIC = "quotes/contracts"
"""Where `QuoteChanged` of every contract that is followed is published."""
