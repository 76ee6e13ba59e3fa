"""What was traded, for people."""

from decimal import Decimal

import msgspec

from messages.message import Message


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One closed lot: bought (or sold short) and closed again. Times are market time (UTC ns)."""

    bot: str
    symbol: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    opened_at: int
    closed_at: int
    entry_reason: str
    exit_reason: str
    realised: Decimal


class OpenLot(msgspec.Struct, frozen=True, kw_only=True):
    """What is still held, at its entry price and its newest price."""

    bot: str
    symbol: str
    quantity: Decimal
    average_price: Decimal
    last_price: Decimal | None
    unrealised: Decimal | None


class FeePaid(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue is taken to have kept of one execution, and what that was worth then (USD).

    `asset` is the coin's symbol or "USD". What comparisons find out later is not in it.
    """

    bot: str
    symbol: str
    asset: str
    amount: Decimal
    usd: Decimal


class Summarize(Message, frozen=True, kw_only=True):
    """Ask the reporter for the session so far."""


class SessionSummary(Message, frozen=True, kw_only=True):
    """The session so far. `denials` counts refused intents by the check that refused."""

    trades: tuple[Trade, ...]
    held: tuple[OpenLot, ...]
    bars: int
    orders: int
    denials: tuple[tuple[str, int], ...]
    fees: tuple[FeePaid, ...] = ()
    """No trade's `realised` has them taken off."""
