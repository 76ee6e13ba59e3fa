"""The checks that every order must pass: pure questions about one situation.

A check is named for what must be true and answers None, or the reason why it is not. The good case
comes first and everything else is "no", so that a value nobody thought of is refused.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from hydra.trading.exact import add, multiply
from hydra.trading.orders import Denial, Role, Side
from hydra.trading.trading_state import TradingState

# Beyond these a number is no order, no price and no limit, but a mistake.
QUANTITY_MAX = Decimal(10**12)
QUANTITY_DECIMALS_MAX = 9
PRICE_USD_MAX = Decimal(10**9)
PRICE_DECIMALS_MAX = 30
NOTIONAL_USD_MAX = Decimal(10**12)


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """One order that a bot would like, and all that the checks may know. Times are market ns.

    `position` is the bot's confirmed position in the symbol, signed. `reducing_quantity_live` is
    the total of its other orders that would reduce that position and are live or unknown.
    `reference_price` is what the order is valued at, None if there is no fresh price.
    """

    trading_state: TradingState
    cause_codes: tuple[str, ...]
    role: Role
    side: Side
    quantity: Decimal
    reference_price: Decimal | None
    symbol: str
    symbols_allowed: frozenset[str]
    position: Decimal
    reducing_quantity_live: Decimal
    notional_usd_max: Decimal
    at: int
    decided_at: int
    decision_age_ns_max: int
    session_open: bool
    window_open: bool

    @property
    def reduces_position(self) -> bool:
        """Opposite to the position and, with all other reducing orders, not larger than it.

        Such an order can never pass through zero. Numbers that are not sane reduce nothing.
        """
        if numbers_are_sane(self) is not None or self.position == 0:
            return False
        closing_side = Side.SELL if self.position > 0 else Side.BUY
        reducing = add(self.quantity, self.reducing_quantity_live)
        return self.side is closing_side and reducing <= self.position.copy_abs()


def trading_is_open(s: Situation) -> str | None:
    """ACTIVE passes everything, CLOSE_ONLY what reduces a position, HALTED nothing."""
    if s.trading_state is TradingState.ACTIVE:
        return None
    if s.trading_state is TradingState.CLOSE_ONLY and s.reduces_position:
        return None
    causes = ", ".join(s.cause_codes) or "no cause given"
    if s.trading_state is TradingState.CLOSE_ONLY:
        return f"only orders that reduce a position may pass ({causes}): {_exposure_of(s)}"
    return f"trading is halted ({causes})"


def numbers_are_sane(s: Situation) -> str | None:
    """Every number is of its type, finite, in range, and not more precise than can be sent.

    It comes before anything is compared: no comparison with NaN is true, nor says so.
    """
    if not _is_quantity(s.quantity) or s.quantity <= 0:
        return f"quantity is {s.quantity}, wanted {_QUANTITY_WANTED} and above zero"
    if not _is_quantity(s.position):
        return f"position is {s.position}, wanted {_QUANTITY_WANTED}"
    if not _is_quantity(s.reducing_quantity_live) or s.reducing_quantity_live < 0:
        return (
            f"live reducing quantity is {s.reducing_quantity_live}, wanted {_QUANTITY_WANTED} "
            "and not below zero"
        )
    if s.reference_price is not None and not _is_price(s.reference_price):
        return f"reference price is {s.reference_price}, wanted {_PRICE_WANTED}"
    if not _is_decimal_within(s.notional_usd_max, NOTIONAL_USD_MAX) or s.notional_usd_max <= 0:
        return f"notional limit is {s.notional_usd_max}, wanted a decimal above 0"
    if not type(s.at) is type(s.decided_at) is type(s.decision_age_ns_max) is int:
        return (
            f"times are {s.at!r}, {s.decided_at!r} and {s.decision_age_ns_max!r}, "
            "wanted whole nanoseconds"
        )
    return None


def symbol_is_allowed(s: Situation) -> str | None:
    """Only symbols that the configuration names are traded."""
    if s.symbol in s.symbols_allowed:
        return None
    return f"{s.symbol} is not among the {len(s.symbols_allowed)} symbols allowed"


def decision_is_fresh(s: Situation) -> str | None:
    """An old decision is about another market; one from the future is a fault of a clock."""
    age_ns = s.at - s.decided_at
    if 0 <= age_ns <= s.decision_age_ns_max:
        return None
    allowed = f"at most {_seconds(s.decision_age_ns_max)} s allowed"
    if age_ns < 0:
        return f"decision is {_seconds(-age_ns)} s from the future, {allowed}"
    return f"decision is {_seconds(age_ns)} s old, {allowed}"


def session_is_open(s: Situation) -> str | None:
    """The exchange trades this symbol now."""
    return None if s.session_open is True else f"no exchange session for {s.symbol} at this time"


def window_is_open(s: Situation) -> str | None:
    """A bot enters only in its own trade window; leaving is not bound to it."""
    if s.window_open is True or s.role is Role.EXIT:
        return None
    return "an entry outside the bot's trade window"


def exit_reduces_position(s: Situation) -> str | None:
    """Only an entry may create or enlarge exposure."""
    if s.role is Role.ENTRY or s.reduces_position:
        return None
    return f"an exit that does not reduce the position: {_exposure_of(s)}"


def notional_is_within_limit(s: Situation) -> str | None:
    """An entry's value is known and not above the limit.

    An exit is held within the position by `exit_reduces_position` and needs no second limit: one
    on its value would lock in a position that was bought near the limit and then rose.
    """
    if s.role is Role.EXIT:
        return None
    if s.reference_price is None:
        return f"no price for {s.symbol}"
    notional_usd = multiply(s.quantity, s.reference_price)
    if notional_usd <= s.notional_usd_max:
        return None
    return f"order is worth {notional_usd:f} USD, at most {s.notional_usd_max:f} USD allowed"


CHECKS: tuple[Callable[[Situation], str | None], ...] = (
    trading_is_open,
    numbers_are_sane,
    symbol_is_allowed,
    decision_is_fresh,
    session_is_open,
    window_is_open,
    exit_reduces_position,
    notional_is_within_limit,
    # The promise is "first and last". On one frozen situation both answer the same; the last keeps
    # the promise when a check between them comes to read something that changes.
    trading_is_open,
)


def first_denial(situation: Situation) -> Denial | None:
    """Ask every check in turn. No denial is the only way to an approval."""
    for check in CHECKS:
        reason = check(situation)
        if reason is not None:
            return Denial(check.__name__, reason)
    return None


_QUANTITY_WANTED = f"a decimal within {QUANTITY_MAX:.0e} of at most {QUANTITY_DECIMALS_MAX} places"
_PRICE_WANTED = f"a decimal above zero and within {PRICE_USD_MAX:.0e}"


def _is_quantity(value: Decimal) -> bool:
    return _is_decimal_within(value, QUANTITY_MAX) and _places(value) <= QUANTITY_DECIMALS_MAX


def _is_price(value: Decimal) -> bool:
    return (
        _is_decimal_within(value, PRICE_USD_MAX)
        and value > 0
        and _places(value) <= PRICE_DECIMALS_MAX
    )


def _is_decimal_within(value: Decimal, limit: Decimal) -> bool:
    # The exact type, because a bool is an int, and a float with a limit compares like a decimal.
    return type(value) is Decimal and value.is_finite() and value.copy_abs() <= limit


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # a finite decimal has a number for an exponent
    return -exponent


def _exposure_of(s: Situation) -> str:
    return (
        f"{s.side.value} {s.quantity} {s.symbol} on a position of {s.position} "
        f"with {s.reducing_quantity_live} more being closed"
    )


def _seconds(duration_ns: int) -> str:
    return f"{Decimal(duration_ns).scaleb(-9).normalize():f}"
