"""The account's figures: what it is worth, and what can still be bought with it.

The broker lends against stocks. A position ties up a part of its value in the account's own money:
the initial margin when it is opened (Regulation T: half), the maintenance margin as long as it is
held (the asset's own rate). What is left of the equity after all initial margins, and after what
open orders need, can be used `multiplier` times: the buying power.

- multiplier 1, a cash account: everything is paid in full;
- multiplier 2: the initial margin is half the value, or the asset's own rate where that is more;
- multiplier 4, kept from the time of the rule about day traders: a quarter instead of half.

Coins, options and stocks that are not marginable are paid in full, in cash that nothing else needs.
Short options tie up what they may have to pay at worst (`option_book`); what the options are worth
now is part of the equity already, so worth and worst payment together are their margin.

Sources: the initial margins are those of Regulation T, the multipliers and what the figures mean
are in the broker's documentation, and its example account comes out to the cent. That options and
coins may use the same cash, and no more, is the strict reading of it; so is that a short sale's
proceeds buy nothing that is paid in full. `sma` is what the equity exceeds the initial margin by.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from hydra.trading.exact import add, multiply, percent_of, subtract, total
from hydra.venues.simulated.brokerage.amounts import CENT, floored, raised_share, rounded

PAID_IN_FULL_PCT = 100


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """What an open order ties up; what closes a position ties up nothing.

    `value` is what the order may come to in USD: its price for a purchase, what has to be bought
    back for a short sale, for options the most that can be lost. `margin_pct` percent of it is the
    asset's own rate. `cash` is how much less cash there may be after it, in USD.
    """

    value: Decimal = Decimal(0)
    margin_pct: int = PAID_IN_FULL_PCT
    cash: Decimal = Decimal(0)

    def rest(self, remaining: Decimal, whole: Decimal) -> "Reserve":
        """What is still tied up when so much of the order is left, rounded up to cents."""
        return Reserve(
            value=raised_share(self.value, remaining, whole),
            margin_pct=self.margin_pct,
            cash=raised_share(self.cash, remaining, whole),
        )


class Stake(msgspec.Struct, frozen=True):
    """A position in a stock or coin: its worth in USD, below zero for a short, and its own rate."""

    value: Decimal
    margin_pct: int


class OptionStake(msgspec.Struct, frozen=True):
    """All options on one underlying: the worth of the long ones, that of the short ones (zero or
    below), and the most that they may have to pay (`option_book.risk_of`). In USD.
    """

    long_value: Decimal
    short_value: Decimal
    payout: Decimal


class AccountFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The account at one moment, in USD. `short_market_value` is zero or below; what can be bought
    is in whole cents, rounded down, and never below zero. `reserved` is the value of open orders.
    """

    multiplier: int
    cash: Decimal
    equity: Decimal
    long_market_value: Decimal
    short_market_value: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    buying_power: Decimal
    regt_buying_power: Decimal
    non_marginable_buying_power: Decimal
    options_buying_power: Decimal
    sma: Decimal
    reserved: Decimal

    @property
    def exposure(self) -> Decimal:
        """The value of all positions, long and short, and of all that open orders may add."""
        held = subtract(self.long_market_value, self.short_market_value)
        return add(held, self.reserved)


def account_figures(
    *,
    cash: Decimal,
    multiplier: int,
    stakes: Iterable[Stake] = (),
    options: Iterable[OptionStake] = (),
    reserves: Iterable[Reserve] = (),
) -> AccountFigures:
    """Everything that follows from cash, positions at their prices, and open orders."""
    stakes, options, reserves = tuple(stakes), tuple(options), tuple(reserves)
    long_value = total(stake.value for stake in stakes if stake.value > 0)
    short_value = total(stake.value for stake in stakes if stake.value < 0)
    long_market_value = add(long_value, total(option.long_value for option in options))
    short_market_value = add(short_value, total(option.short_value for option in options))
    equity = add(cash, add(long_market_value, short_market_value))
    option_margin = total(_option_margin(option) for option in options)

    def free(times: int) -> Decimal:
        """The equity that nothing needs when it may be used so many times."""
        needed = total(_margin(stake.value, stake.margin_pct, times) for stake in stakes)
        ordered = total(_margin(order.value, order.margin_pct, times) for order in reserves)
        return subtract(equity, add(option_margin, add(needed, ordered)))

    regulated = min(multiplier, _REGULATION_T)
    initial = add(
        option_margin,
        total(_margin(stake.value, stake.margin_pct, regulated) for stake in stakes),
    )
    maintenance = add(
        option_margin, total(percent_of(s.value.copy_abs(), Decimal(s.margin_pct)) for s in stakes)
    )
    needed_cash = add(
        total(order.cash for order in reserves),
        subtract(total(option.payout for option in options), short_value),
    )
    in_cash = _purchasable(min(subtract(cash, needed_cash), free(multiplier)), 1)
    return AccountFigures(
        multiplier=multiplier,
        cash=cash,
        equity=equity,
        long_market_value=long_market_value,
        short_market_value=short_market_value,
        initial_margin=rounded(initial),
        maintenance_margin=rounded(maintenance),
        buying_power=_purchasable(free(multiplier), multiplier),
        regt_buying_power=_purchasable(free(regulated), regulated),
        non_marginable_buying_power=in_cash,
        options_buying_power=in_cash,
        sma=_purchasable(subtract(equity, initial), 1),
        reserved=total(order.value for order in reserves),
    )


def used_buying_power(reserve: Reserve, multiplier: int) -> Decimal:
    """How much of the buying power an order takes."""
    return multiply(_margin(reserve.value, reserve.margin_pct, multiplier), Decimal(multiplier))


_REGULATION_T = 2
_INITIAL_PCT = {1: 100, _REGULATION_T: 50, 4: 25}


def _margin(value: Decimal, margin_pct: int, multiplier: int) -> Decimal:
    return percent_of(value.copy_abs(), Decimal(max(_INITIAL_PCT[multiplier], margin_pct)))


def _option_margin(option: OptionStake) -> Decimal:
    worth = add(option.long_value, option.short_value)
    return max(Decimal(0), add(worth, option.payout))


def _purchasable(free: Decimal, times: int) -> Decimal:
    return floored(multiply(max(Decimal(0), free), Decimal(times)), CENT)
