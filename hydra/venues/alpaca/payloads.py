"""The broker's JSON as it stands on the wire, read leniently where that is safe.

Words stay text, since new ones appear without notice. Amounts are read from their digits, whether
they come as strings or as numbers, and never pass through a float. Fields that we do not know are
left alone; absent and null mean the same. What has the wrong type is a `BadAnswer`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from hydra.trading.echo import words
from hydra.venues.alpaca.bad_answer import BadAnswer

T = TypeVar("T")


class OrderPayload(msgspec.Struct, kw_only=True):
    """An order, in an answer or in an update of the trading stream."""

    id: str
    client_order_id: str | None = None
    symbol: str | None = None
    asset_id: str | None = None
    asset_class: str | None = None
    side: str | None = None
    type: str | None = None
    order_class: str | None = None
    time_in_force: str | None = None
    qty: Decimal | None = None
    notional: Decimal | None = None
    filled_qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    extended_hours: bool | None = None
    status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    submitted_at: str | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    legs: "list[OrderPayload] | None" = None


class PositionPayload(msgspec.Struct, kw_only=True):
    """What is held of one asset; `qty` is below zero when short."""

    asset_id: str
    symbol: str
    asset_class: str | None = None
    qty: Decimal
    qty_available: Decimal | None = None
    side: str | None = None


class AccountPayload(msgspec.Struct, kw_only=True):
    """The account."""

    account_number: str
    status: str | None = None
    crypto_status: str | None = None
    currency: str | None = None
    cash: Decimal
    equity: Decimal | None = None
    trading_blocked: bool | None = None
    account_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None


class FillPayload(msgspec.Struct, kw_only=True):
    """One execution, as the record of the account's activities has it."""

    id: str
    activity_type: str
    transaction_time: str
    price: Decimal
    qty: Decimal
    side: str
    symbol: str
    order_id: str
    cum_qty: Decimal | None = None


class FeePayload(msgspec.Struct, kw_only=True):
    """A fee, as the record of the account's activities has it: in coins (`qty`) or in USD."""

    id: str
    activity_type: str
    date: str | None = None
    created_at: str | None = None
    net_amount: Decimal | None = None
    symbol: str | None = None
    qty: Decimal | None = None
    status: str | None = None


class AssetPayload(msgspec.Struct, kw_only=True):
    """One thing that is traded. Its class is called `class` on the wire."""

    id: str
    symbol: str
    asset_class: str | None = msgspec.field(default=None, name="class")
    status: str | None = None
    tradable: bool | None = None
    min_trade_increment: str | None = None
    """Of coins alone, as the next."""
    price_increment: str | None = None


class ClockPayload(msgspec.Struct, kw_only=True):
    """The broker's clock; it speaks of regular hours only."""

    timestamp: str
    is_open: bool
    next_open: str
    next_close: str


class SessionPayload(msgspec.Struct, kw_only=True):
    """One day of the broker's calendar, in New York's time."""

    date: str
    open: str
    close: str


class CanceledPayload(msgspec.Struct, kw_only=True):
    """What became of one order when all were asked to be canceled."""

    id: str
    status: int


def reader(kind: type[T]) -> Callable[[bytes], T]:
    """A function that reads an answer's body as `kind`, or raises `BadAnswer`."""
    decoder = msgspec.json.Decoder(kind)

    def read(body: bytes) -> T:
        try:
            return decoder.decode(body)
        except RecursionError as error:
            raise BadAnswer("nested too deeply") from error
        except ValueError as error:  # of msgspec, and of text that is not UTF-8
            raise BadAnswer(str(error) if body else "the body is empty") from error

    return read


def rows_reader(kind: type[T], rows: str) -> Callable[[bytes], T]:
    """As `reader`, of an answer that may lack its `rows` where there are none.

    One that lacks them and says something else instead is not that answer.
    """
    read = reader(kind)

    def read_rows(body: bytes) -> T:
        found = read(body)
        if getattr(found, rows) is None:
            said = _read_fields(body).keys()
            if rows not in said and said - {"next_page_token"}:
                raise BadAnswer(f"found {words(sorted(said))}, wanted {rows}")
        return found

    return read_rows


_read_fields = reader(dict[str, msgspec.Raw])
read_order = reader(OrderPayload)
read_orders = reader(list[OrderPayload])
read_positions = reader(list[PositionPayload])
read_account = reader(AccountPayload)
read_fills = reader(list[FillPayload])
read_fees = reader(list[FeePayload])
read_asset = reader(AssetPayload)
read_assets = reader(list[AssetPayload])
read_clock = reader(ClockPayload)
read_sessions = reader(list[SessionPayload])
read_canceled = reader(list[CanceledPayload])


def read_nothing(body: bytes) -> None:
    """Of an answer whose status says all there is to say; a body is somebody else's word."""
    if body:
        raise BadAnswer(f"{len(body)} bytes where there should be none")
