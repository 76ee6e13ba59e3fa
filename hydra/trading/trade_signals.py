"""What an outside strategy asks for, line by line: how a line is read, and what is done with it.

A line is one JSON object. It is read strictly, because whoever can write it can trade: a key that
is not known, or stands there twice, a time without a zone or a number in a strange shape make it a
bad line, which is set aside and never guessed at. `docs/signals.md` is the format for people.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Never

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.durations import SECOND
from hydra.trading.exact import add
from hydra.trading.orders import Role, Side

LINE_BYTES_MAX = 16 * 1024
"""Longer is no signal."""
AHEAD_MAX = 5 * SECOND
"""Clocks differ a little. A signal that is dated further in the future was made by a wrong one."""
NUMBERS_FROM = 1 << 47
"""The numbers of signals begin here; all that is counted stays far below."""

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,9}(\.[A-Z]{1,3})?")
_REASON_LENGTH_MAX = 200
_AMOUNT_MAX = Decimal(10_000_000)
_PLACES_MAX = 9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END_OF_TIMES = 9_214_646_400 * SECOND
"""The beginning of 2262, the year in which nanoseconds no longer fit into 64 bits."""


class BadLine(ValueError):
    """A line that is no signal; its text says what was found and what was wanted."""


class SignalAction(Enum):
    """What is asked for. Long only: a sale never takes more off than is held."""

    BUY = "buy"
    SELL = "sell"

    @property
    def role(self) -> Role:
        """What an order for it is for."""
        return Role.ENTRY if self is SignalAction.BUY else Role.EXIT

    @property
    def side(self) -> Side:
        """Which way such an order trades."""
        return Side.BUY if self is SignalAction.BUY else Side.SELL


class TradeSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One wish of an outside strategy. `id` names it for ever; times are market time (UTC ns).

    A buy has either a quantity (shares) or a notional (USD); a sale may have a quantity, else it
    is of all that is held. `limit_price` is the most that a buy pays per share, `stop_price` where
    what it bought is given up. `expires_at` None: the settings alone say how long it is good for.
    """

    id: str
    symbol: str
    action: SignalAction
    at: int
    quantity: Decimal | None = None
    notional_usd: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    expires_at: int | None = None
    reason: str = ""


class SignalLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the bridge holds all signals to, besides the guardian's own checks.

    Orders and notional are of entries, by trading day: nothing keeps an exit from being made.
    """

    symbols: frozenset[str]
    orders_per_day_max: int
    notional_per_day_usd_max: Decimal
    age_ns_max: int


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that were tried in one trading day, and what they were worth (USD)."""

    session: str = ""
    orders: int = 0
    notional_usd: Decimal = Decimal(0)

    def in_session(self, session: str) -> "DayCount":
        """The count of that day: this one, or that of a later day. One that is over never comes
        back, whatever a clock says.
        """
        return self if session <= self.session else DayCount(session=session)

    def with_entry(self, notional_usd: Decimal) -> "DayCount":
        """With one entry more."""
        return DayCount(
            session=self.session,
            orders=self.orders + 1,
            notional_usd=add(self.notional_usd, notional_usd),
        )


def signal_in(line: bytes) -> TradeSignal:
    """The signal that a line holds; raises `BadLine`."""
    read = _converted(_parsed(line))
    if not _ID.fullmatch(read.id):
        raise BadLine(f"id: found {_shown(read.id)}, wanted 1 to 64 of A-Z a-z 0-9 . _ : -")
    if not _SYMBOL.fullmatch(read.symbol):
        raise BadLine(f"symbol: found {_shown(read.symbol)}, wanted a ticker such as AAPL")
    if len(read.reason) > _REASON_LENGTH_MAX or not read.reason.isprintable():
        raise BadLine(f"reason: wanted at most {_REASON_LENGTH_MAX} printable characters")
    for name in ("quantity", "notional_usd", "limit_price", "stop_price"):
        _refuse_odd_number(name, getattr(read, name))
    at = _ns(read.at)
    if not 0 <= at < _END_OF_TIMES:
        raise BadLine(f"at: found {_shown(read.at.isoformat())}, wanted a year from 1970 to 2261")
    # Some write the year 9999 where they mean that it never expires.
    expires_at = None if read.expires_at is None else min(_ns(read.expires_at), _END_OF_TIMES)
    if expires_at is not None and expires_at <= at:
        raise BadLine("expires_at: found a time that is not after at, wanted a later one")
    signal = TradeSignal(
        id=read.id,
        symbol=read.symbol,
        action=read.action,
        at=at,
        quantity=read.quantity,
        notional_usd=read.notional_usd,
        limit_price=read.limit_price,
        stop_price=read.stop_price,
        expires_at=expires_at,
        reason=read.reason,
    )
    _refuse_what_does_not_fit(signal)
    return signal


def number_of(signal_id: str) -> int:
    """The number that decisions made for this signal bear, for ever.

    It is far above what a bot counts to by itself, so the bot's own exits never have one.
    """
    digest = hashlib.blake2b(signal_id.encode(), digest_size=8).digest()
    return NUMBERS_FROM | int.from_bytes(digest, "big") >> 17


def is_over(signal: TradeSignal, limits: SignalLimits, at: int) -> str | None:
    """Why nothing can come of a signal any more, or ever, by its time alone; None: it is good."""
    if signal.at > at + AHEAD_MAX:
        ahead = (signal.at - at) / SECOND
        return f"it is dated {ahead:.0f} s in the future, at most {AHEAD_MAX // SECOND} s allowed"
    if signal.expires_at is not None and at >= signal.expires_at:
        return f"it expired {(at - signal.expires_at) / SECOND:.0f} s ago"
    age = at - signal.at
    if age > limits.age_ns_max:
        return f"it is {age / SECOND:.0f} s old, at most {limits.age_ns_max // SECOND} s allowed"
    return None


def refusal(
    signal: TradeSignal,
    limits: SignalLimits,
    count: DayCount,
    *,
    at: int,
    closed: str | None,
) -> str | None:
    """Why the bridge does not act on a signal, before anything is said of its worth; None: it may.

    `closed`: why its entries are closed, by its own kill file for example.
    """
    over = is_over(signal, limits, at)
    if over is not None:
        return over
    if signal.symbol not in limits.symbols:
        return f"{signal.symbol} is not in signalbot.symbols"
    if signal.action is SignalAction.SELL:
        return None
    if closed is not None:
        return f"it is closed for entries: {closed}"
    if count.orders >= limits.orders_per_day_max:
        most = limits.orders_per_day_max
        return f"it has made its {count.orders} entries of the day, at most {most} allowed"
    return None


def notional_refusal(notional: Decimal, limits: SignalLimits, count: DayCount) -> str | None:
    """Why an entry of this worth (USD) is too much for the day; None: it is not."""
    most = limits.notional_per_day_usd_max
    if not is_amount(notional):
        return f"its worth cannot be told, at most {most:f} USD allowed"
    after = add(count.notional_usd, notional)
    if notional > 0 and after <= most:
        return None
    return f"the day's entries would be worth {after:f} USD, at most {most:f} USD allowed"


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may stand in a line."""

    id: str
    symbol: str
    action: SignalAction
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    quantity: Decimal | None = None
    notional_usd: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    reason: str = ""


def _parsed(line: bytes) -> object:
    if len(line) > LINE_BYTES_MAX:
        raise BadLine(f"found {len(line)} bytes, wanted at most {LINE_BYTES_MAX}")
    try:
        text = line.decode("utf-8")
        return json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_each_key_once,
        )
    except BadLine:
        raise
    except UnicodeDecodeError as error:
        raise BadLine(f"found bytes that are no UTF-8, wanted JSON: {error.reason}") from error
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise BadLine(f"found no JSON, wanted one object: {error}") from error


def _converted(content: object) -> _Line:
    if not isinstance(content, dict):
        raise BadLine(f"found {_shown(content)}, wanted one JSON object")
    try:
        return msgspec.convert(content, type=_Line, strict=True)
    except msgspec.ValidationError as error:
        text = str(error).replace(" - at `$.", ", at `")
        raise BadLine(text[:1].lower() + text[1:]) from error
    except UnicodeEncodeError as error:  # JSON can name half a character, which no text can hold
        raise BadLine("found half a character, wanted whole ones") from error


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadLine(f"{_shown(twice)} stands there twice, wanted each key once")
    return found


def _no_number(word: str) -> Never:
    raise BadLine(f"found {word}, wanted a number")


def _refuse_odd_number(name: str, value: Decimal | None) -> None:
    if value is None:
        return
    exponent = value.as_tuple().exponent
    is_plain = isinstance(exponent, int) and exponent >= -_PLACES_MAX
    if not (is_plain and 0 < value <= _AMOUNT_MAX):
        raise BadLine(
            f"{name}: found {_shown(str(value))}, wanted a number over 0, at most {_AMOUNT_MAX}, "
            f"with no more than {_PLACES_MAX} decimals"
        )


def _refuse_what_does_not_fit(signal: TradeSignal) -> None:
    if signal.quantity is not None and signal.quantity % 1:
        raise BadLine(f"quantity: found {signal.quantity}, wanted whole shares")
    match signal.action:
        case SignalAction.BUY:
            if (signal.quantity is None) is (signal.notional_usd is None):
                raise BadLine("a buy: wanted either quantity or notional_usd, and not both")
            stop, limit = signal.stop_price, signal.limit_price
            if stop is not None and limit is not None and stop >= limit:
                raise BadLine(f"stop_price: found {stop}, wanted less than limit_price ({limit})")
        case SignalAction.SELL:
            for name in ("notional_usd", "limit_price", "stop_price"):
                if getattr(signal, name) is not None:
                    raise BadLine(f"{name}: found it in a sale, which has a quantity or nothing")


def _ns(at: datetime) -> int:
    """UTC nanoseconds, exact: a float of that size has no microseconds."""
    since = at - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
