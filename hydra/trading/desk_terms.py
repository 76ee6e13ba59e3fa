"""What the risk desk is held to, and what it is rebuilt from."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.account_day import AccountDay, DayLimits
from hydra.trading.budgets import BudgetTerms
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.exposure import Holding
from hydra.trading.fees import NO_FEES, FeeSchedule
from hydra.trading.rates import RateEvent
from hydra.trading.regimes import RegimeShares
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.situation import Limits, PriceStep
from hydra.trading.working_orders import WorkingOrder


class DeskTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk holds everything to. `windows` has each bot's own trade window."""

    limits: Limits
    day_limits: DayLimits
    budgets: BudgetTerms
    sessions: SessionTable
    windows: Mapping[str, Window]
    price_steps: Mapping[str, tuple[PriceStep, ...]]
    """By symbol."""
    coins: Mapping[str, CoinTerms] = {}
    """In which steps pairs are traded, and so what of them is dust."""
    fees: FeeSchedule = NO_FEES
    """What the venue keeps of executions."""
    entry_notional_usd: Mapping[str, Decimal] = {}
    """What one entry may be worth of a bot that is not trusted to keep to it by itself; of all
    others the limits alone say.
    """
    entries_per_day: Mapping[str, int] = {}
    """How many entries such a bot may make in a day, where the strategy mode says it of each."""
    regime_shares: RegimeShares | None = None
    """What entries may risk in which regime; None: nobody tells of regimes, nor is to."""
    asks_of_actions: bool = False
    """Somebody tells of splits and the like: what he does not say is not known."""

    def limits_of(self, bot: str) -> Limits:
        """The limits of its entries: with what it may enter alone, for they are written down."""
        most, entries = self.limits.order_notional_usd_max, self.limits.bot_entries_per_day_max
        return structs.replace(
            self.limits,
            symbols=frozenset(each for each in self.limits.symbols if each[0] == bot),
            option_roots=frozenset(each for each in self.limits.option_roots if each[0] == bot),
            order_notional_usd_max=min(most, self.entry_notional_usd.get(bot, most)),
            bot_entries_per_day_max=min(entries, self.entries_per_day.get(bot, entries)),
        )


class DeskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk is rebuilt from. `orders` are those that are open, and the day's others;
    `given_up` are the absent ones of earlier days; `happened` is what was attempted and what came
    of it, in the order of the record.
    """

    holdings: Mapping[tuple[str, str], Holding]
    orders: tuple[WorkingOrder, ...]
    given_up: tuple[WorkingOrder, ...]
    excluded: Mapping[str, Decimal]
    happened: tuple[RateEvent, ...]
    realised: Mapping[str, Decimal]
    """What each bot has made in the day by closing lots."""
    granted: Mapping[str, Decimal]
    """What each bot was granted for the day."""
    day: AccountDay
    opening_cash: Decimal | None
    cash: Decimal
    """What all sub-ledgers add up to, without the opening cash."""
