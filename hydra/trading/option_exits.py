"""When a long option must be sold, and how many contracts a budget buys.

Levels are fractions of the premium that was paid: a stop loss of 0.40 is hit when 40 % of it is
gone. They are held against the bid, since that is what the contract can be sold for; a quote that
cannot be used says nothing, and then only the clock closes (the guard that asks here is stale, so
the position counts as uncovered).
"""

from collections.abc import Callable
from decimal import ROUND_FLOOR, Context, Decimal

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.exact import add, multiply, subtract
from hydra.trading.exit_rules import ExitReason
from hydra.trading.exposure import is_price
from hydra.trading.option_symbols import CONTRACT_SIZE

ZERO, ONE = Decimal(0), Decimal(1)
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)


class PremiumExits(msgspec.Struct, frozen=True, kw_only=True):
    """A bot's limits on an option position. Fractions of the premium, and ns.

    Raises ValueError for what would limit nothing.
    """

    stop_loss: Decimal
    take_profit: Decimal
    time_stop_ns: int
    flatten_before_close_ns: int

    def __post_init__(self) -> None:
        if not (is_price(self.stop_loss) and self.stop_loss <= 1):
            raise ValueError(f"stop_loss: found {self.stop_loss}, wanted a fraction above 0, to 1")
        if not is_price(self.take_profit):
            raise ValueError(f"take_profit: found {self.take_profit}, wanted a fraction above 0")
        for name in ("time_stop_ns", "flatten_before_close_ns"):
            value = getattr(self, name)
            if not (type(value) is int and value > 0):
                raise ValueError(f"{name}: found {value}, wanted a whole number above 0")

    def stop_price(self, premium: Decimal) -> Decimal:
        """At or below this bid too much is lost. Exact, not rounded to a step."""
        return multiply(premium, subtract(ONE, self.stop_loss))

    def take_profit_price(self, premium: Decimal) -> Decimal:
        """At or above this bid the gain is taken. Exact, not rounded to a step."""
        return multiply(premium, add(ONE, self.take_profit))


class OpenOption(msgspec.Struct, frozen=True, kw_only=True):
    """A long option as a rule sees it. All times are market time (UTC ns).

    `premium` was paid for a share of it. `bid` None: there is no quote that can be used. `close_at`
    is the close of the session that is open, None if none is; `flat_by` is `option_expiry.flat_by`.
    """

    exits: PremiumExits
    premium: Decimal
    opened_at: int
    bid: Decimal | None
    at: int
    close_at: int | None
    flat_by: int | None
    manage_until_passed: bool


def stop_loss_is_hit(p: OpenOption) -> ExitReason | None:
    """The bid is at the stop, or below."""
    if p.bid is not None and p.bid <= p.exits.stop_price(p.premium):
        return ExitReason.STOP_LOSS
    return None


def take_profit_is_hit(p: OpenOption) -> ExitReason | None:
    """The bid is at the target, or above."""
    if p.bid is not None and p.bid >= p.exits.take_profit_price(p.premium):
        return ExitReason.TAKE_PROFIT
    return None


def time_is_up(p: OpenOption) -> ExitReason | None:
    """It has been held for as long as it may be."""
    return ExitReason.TIME_STOP if p.at - p.opened_at >= p.exits.time_stop_ns else None


def session_is_over(p: OpenOption) -> ExitReason | None:
    """The close is near, or the bot looks after nothing any more; by a half day's own close."""
    is_near = p.close_at is None or p.at >= p.close_at - p.exits.flatten_before_close_ns
    return ExitReason.SESSION_END if is_near or p.manage_until_passed else None


def expiry_is_near(p: OpenOption) -> ExitReason | None:
    """It must be gone by now, or nobody knows by when: then it must be gone too."""
    return ExitReason.SESSION_END if p.flat_by is None or p.at >= p.flat_by else None


RULES: tuple[Callable[[OpenOption], ExitReason | None], ...] = (
    stop_loss_is_hit,
    take_profit_is_hit,
    time_is_up,
    session_is_over,
    expiry_is_near,
)


def option_exit_reason(position: OpenOption) -> ExitReason | None:
    """Ask every rule in turn; the first that wants out gives the reason. None is: hold on.

    Raises ValueError if the premium is no price: no level can be worked out from it. A bid that is
    none must be None (a zero bid, too: nobody buys).
    """
    if not is_price(position.premium):
        raise ValueError(f"premium is {position.premium}, wanted a decimal above 0")
    if position.bid is not None and not is_price(position.bid):
        raise ValueError(f"bid is {position.bid}, wanted a decimal above 0, or none")
    for rule in RULES:
        reason = rule(position)
        if reason is not None:
            return reason
    return None


def contracts_for(budget_usd: Decimal, price: Decimal, fees_each_usd: Decimal = ZERO) -> Decimal:
    """How many contracts the budget pays at this price of a share, fees included; rounded down.

    Zero where a number is none: what is not known buys nothing.
    """
    if not (is_amount(budget_usd) and is_price(price) and is_amount(fees_each_usd)):
        return ZERO
    if budget_usd <= 0 or fees_each_usd < 0:
        return ZERO
    each = add(multiply(price, CONTRACT_SIZE), fees_each_usd)
    return _DOWN.divide_int(budget_usd, each)
