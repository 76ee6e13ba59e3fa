"""What is told about a question: one value, shown as a page to people and as JSON to programs.

Money is in USD, quantities are in units of the symbol, times are market time. `line` is the number
of a line in the journal, `ledger_event` that of an event in the ledger; None: it is not there.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from hydra.ops.why.times import When
from hydra.trading.explaining import BudgetEffect, Looked


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to trade, as the bot put it. `asked_at` is when it was told, None if that is lost."""

    by: str
    bot: str
    symbol: str
    session: str
    signal: int
    role: str
    side: str
    quantity: Decimal
    order_type: str
    time_in_force: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    protective_stop: Decimal | None
    replaces: str | None
    reason: str
    reference_price: Decimal | None
    decided_at: When
    asked_at: When | None
    line: int | None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the risk guardian decided, and each check with its numbers. `checks` is empty, and
    `fault` says why, if the situation cannot be read. `as_derived`: asked again today, the checks
    come to the same answer.
    """

    verdict: Literal["approved", "denied"]
    at: When
    line: int
    check: str | None = None
    reason: str | None = None
    state: str | None = None
    causes: tuple[str, ...] = ()
    checks: tuple[Looked, ...] = ()
    budgets: tuple[BudgetEffect, ...] = ()
    as_derived: bool | None = None
    fault: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an order. `event` is for programs: the report or the line."""

    at: When
    event: str
    text: str
    line: int | None = None
    ledger_event: int | None = None


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One fill, and what it did to the bot's position in the symbol and to its money.

    `closed` has the lots that it closed: quantity, entry price, realised.
    """

    execution_id: str
    at: When
    quantity: Decimal
    price: Decimal
    position_before: Decimal
    position_after: Decimal
    cash: Decimal
    realised: Decimal
    closed: tuple[tuple[Decimal, Decimal, Decimal], ...]
    ledger_event: int
    fee: Decimal | None = None
    """What the venue kept, of `fee_asset`; cash, realised and the position after have it taken off.
    """
    fee_asset: str = ""
    fee_basis: str = ""
    """How it is known: accrued, observed or booked."""


class OrderTold(msgspec.Struct, frozen=True, kw_only=True):
    """One order, from its record on. `status` is "not on record" if it never got there.

    `position_now`, `cash_now` and `realised_now` are the bot's as the record stands now; `version`
    and `configuration` are those of the engine that made the order.
    """

    client_order_id: str
    venue_order_id: str | None
    status: str
    is_open: bool
    reason: str
    quantity: Decimal
    filled_quantity: Decimal
    steps: tuple[Step, ...]
    executions: tuple[Execution, ...]
    cash: Decimal
    realised: Decimal
    position_now: Decimal | None
    cash_now: Decimal | None
    realised_now: Decimal | None
    version: str | None
    configuration: str | None


class CauseTold(msgspec.Struct, frozen=True, kw_only=True):
    """One reason not to trade freely. `since` is None if nobody wrote down when it began."""

    code: str
    state: str | None
    cause_class: str | None
    since: When | None
    detail: str
    concerns: str
    """Whose orders: "all orders", or a bot's, or those in a symbol."""
    ends: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The trading state at a moment, since when, and everything that stood against trading."""

    at: When
    state: str
    since: When | None
    causes: tuple[CauseTold, ...]


class BotTold(msgspec.Struct, frozen=True, kw_only=True):
    """How the bot was at that moment."""

    is_up: bool
    text: str


class EngineTold(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an engine ran at that moment, and which one."""

    is_running: bool
    text: str
    version: str | None = None
    configuration: str | None = None


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing was wanted, and since when; `since` None: it has said nothing at all."""

    reason: str
    since: When | None
    line: int | None


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """The wish before the answer, and how to ask about it."""

    at: When
    text: str
    ask: str


class InARow(msgspec.Struct, frozen=True, kw_only=True):
    """How many denials by the same check came one after the other, and when the first one was."""

    denials: int
    first_at: When
    ask: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `headline` is it in one sentence; the rest is there as far as it matters."""

    question: str
    outcome: Literal["order", "denied", "nothing", "not judged", "not running"]
    headline: str
    asked: When | None = None
    engine: EngineTold | None = None
    bot: BotTold | None = None
    wanted: Wanted | None = None
    judged: Judged | None = None
    order: OrderTold | None = None
    nothing: Nothing | None = None
    in_a_row: InARow | None = None
    before: Before | None = None
    standing: Standing | None = None
    standing_now: Standing | None = None
    notes: tuple[str, ...] = ()


class NothingFound(Exception):
    """The question is about nothing that is on record, or about more than one thing."""
