"""What an honest broker does not do, or does not do by itself: acts, for tests and drills.

Each is plain data and goes on the venue's record like a request.
"""

from datetime import date
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.venues.simulated.brokerage.requests import PlaceOrder


class HaltSymbol(msgspec.Struct, frozen=True, tag="halt_symbol"):
    """Trading in the symbol stops: nothing executes until it is resumed."""

    symbol: str


class ResumeSymbol(msgspec.Struct, frozen=True, tag="resume_symbol"):
    """Trading in the symbol goes on; market orders that came meanwhile execute at the next bar."""

    symbol: str


class RejectLate(msgspec.Struct, frozen=True, kw_only=True, tag="reject_late"):
    """The market refuses what the broker had accepted: an open order, or the next `times` orders.

    `order_id` names one; else those of `symbol` ("" is any) that come from now on. An order that
    has filled in part cannot be rejected any more.
    """

    order_id: str | None = None
    symbol: str = ""
    times: int = 1
    reason: str = ""


class HoldCancels(msgspec.Struct, frozen=True, kw_only=True, tag="hold_cancels"):
    """The next `times` cancels stay pending_cancel until `ReleaseCancels`; orders work on."""

    symbol: str = ""
    times: int = 1


class ReleaseCancels(msgspec.Struct, frozen=True, tag="release_cancels"):
    """All cancels that were held are done."""


class RejectCancels(msgspec.Struct, frozen=True, kw_only=True, tag="reject_cancels"):
    """The market refuses the next `times` cancels: order_cancel_rejected, the order works on."""

    symbol: str = ""
    times: int = 1
    reason: str = "TOO_LATE_TO_CANCEL"


class RejectReplacements(msgspec.Struct, frozen=True, kw_only=True, tag="reject_replacements"):
    """The market refuses the next `times` replacements: the old order works on."""

    symbol: str = ""
    times: int = 1
    reason: str = "TOO_LATE_TO_CANCEL"


class FillAfterCancel(msgspec.Struct, frozen=True, kw_only=True, tag="fill_after_cancel"):
    """The next `times` cancels come too late: what is left fills at the price shown.

    With `quantity` only so much fills before the cancel takes effect.
    """

    symbol: str = ""
    times: int = 1
    quantity: Decimal | None = None


class FillOrder(msgspec.Struct, frozen=True, kw_only=True, tag="fill_order"):
    """An execution out of thin air, of an order in any state, of `quantity` at `price`."""

    order_id: str
    quantity: Decimal
    price: Decimal


class FillInParts(msgspec.Struct, frozen=True, kw_only=True, tag="fill_in_parts"):
    """The next `times` orders execute in pieces: these shares (over 0, sum at most 1) of the whole.

    A piece at each opportunity; what is left after the last piece comes by the ordinary rule.
    """

    shares: tuple[Decimal, ...]
    symbol: str = ""
    times: int = 1


class BustExecution(msgspec.Struct, frozen=True, tag="bust_execution"):
    """An execution is taken back: trade_bust, and what it booked is undone."""

    execution_id: str


class CorrectExecution(msgspec.Struct, frozen=True, kw_only=True, tag="correct_execution"):
    """An execution was at another price or of another quantity: trade_correct."""

    execution_id: str
    price: Decimal
    quantity: Decimal | None = None


class ForeignOrder(msgspec.Struct, frozen=True, tag="foreign_order"):
    """Somebody else places an order in the account, without any check."""

    order: PlaceOrder


class DriftPosition(msgspec.Struct, frozen=True, kw_only=True, tag="drift_position"):
    """A holding changes by itself, as by somebody's hand; `activity` is the word, or "" for none.

    `price` is the entry price of what is added.
    """

    symbol: str
    quantity: Decimal
    price: Decimal | None = None
    activity: str = ""


class ChangeCash(msgspec.Struct, frozen=True, kw_only=True, tag="change_cash"):
    """The cash changes by itself: a fee, a dividend, a transfer."""

    amount: Decimal
    activity: str = "JNLC"
    description: str = ""
    symbol: str | None = None


class RestrictAccount(msgspec.Struct, frozen=True, kw_only=True, tag="restrict_account"):
    """The broker changes what the account may do. What is None stays."""

    status: str | None = None
    crypto_status: str | None = None
    trading_blocked: bool | None = None
    account_blocked: bool | None = None
    liquidation_only: bool | None = None
    shorting_enabled: bool | None = None
    day_trades_denied: bool | None = None


class CloseEarly(msgspec.Struct, frozen=True, tag="close_early"):
    """The exchange closes the session of this date at `at` (UTC ns), and the calendar says so."""

    date: date
    at: int


class SplitSymbol(msgspec.Struct, frozen=True, kw_only=True, tag="split_symbol"):
    """`new` shares for `old` ones: holdings change, open orders are canceled."""

    symbol: str
    new: int
    old: int


class AssignOption(msgspec.Struct, frozen=True, kw_only=True, tag="assign_option"):
    """The holder on the other side exercises: so many short contracts become shares."""

    contract: str
    quantity: Decimal


Act: TypeAlias = (
    HaltSymbol
    | ResumeSymbol
    | RejectLate
    | HoldCancels
    | ReleaseCancels
    | RejectCancels
    | RejectReplacements
    | FillAfterCancel
    | FillOrder
    | FillInParts
    | BustExecution
    | CorrectExecution
    | ForeignOrder
    | DriftPosition
    | ChangeCash
    | RestrictAccount
    | CloseEarly
    | SplitSymbol
    | AssignOption
)
