"""Splits, mergers and the like: who asks for them, and who is told what follows from them.

action watch -> source: ActionsQuestion; source -> action watch: ActionsRead or ActionsNotRead;
action watch -> guardian, exit bot, data feed: ActionsReported.
"""

from datetime import date

from hydra.trading.corporate_actions import CorporateAction, Spell
from messages.message import Message


class ActionsQuestion(Message, frozen=True, kw_only=True):
    """What is known of these shares, booked on these days (both included)? `reply_to` is the path
    that is told; `asked_by` is the incarnation that asks, and `number` counts its questions.
    """

    symbols: tuple[str, ...]
    first: date
    last: date
    reply_to: str
    asked_by: int
    number: int


class ActionsRead(Message, frozen=True, kw_only=True):
    """All that there is. `unread`: shares of which something is told that nobody can read."""

    actions: tuple[CorporateAction, ...]
    asked_by: int
    number: int
    unread: tuple[str, ...] = ()


class ActionsNotRead(Message, frozen=True, kw_only=True):
    """It could not be read whole, so nothing is known by it."""

    reason: str
    asked_by: int
    number: int


class ActionsReported(Message, frozen=True, kw_only=True):
    """What is known now: told after each loop, and whenever it changes.

    `known` are the shares of which everything is known that there is; `spells` the days that are
    near. `at` is market time.
    """

    at: int
    known: tuple[str, ...]
    spells: tuple[Spell, ...]


ACTIONS_TOPIC = "corporate-actions"
"""Where `ActionsReported` is published."""
