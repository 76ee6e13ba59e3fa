"""What may be lost in a day: by each bot, by each bucket of bots, and by the account.

One sum, on three levels. What a bot has used up of its grant is

    its realised loss of the day (a gain is no loss, and nothing else)
    + its heat: what is lost if all that it holds and works is stopped out, with the gap.

A bucket of bots has used up of its share what its bots have of theirs, and the account of the daily
loss limit what all bots have (K11). A lot is in the heat while it is open and in the realised loss
once it is closed, so nothing counts twice: what is reserved for an order passes to the lots that it
opens, and from them to the loss that they make. A gain raises no grant, and the gain of one bot
does not pay for the loss of another.

There is no count of reservations beside the orders and positions that they are for: see `RiskBook`.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Context, Decimal

import msgspec

from hydra.trading.exact import add, percent_of, subtract, total
from hydra.trading.inventory import ClosedLot
from hydra.trading.situation import BudgetView

ZERO = Decimal(0)
_CENT = Decimal("0.01")
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)


class DayGrants(msgspec.Struct, frozen=True, kw_only=True):
    """Who may lose how much in one day, in USD. Who is not named may lose nothing.

    `grants` by bot, `shares` by bucket. `refused` says why a bot got no grant.
    """

    grants: Mapping[str, Decimal]
    shares: Mapping[str, Decimal]
    bucket_of: Mapping[str, str]
    refused: Mapping[str, str] = {}


class Budgets:
    """The grants of one day and what was lost of them. A new day, or new grants, is a new one."""

    def __init__(
        self, loss_limit: Decimal | None, granted: DayGrants, realised: Mapping[str, Decimal]
    ) -> None:
        """`loss_limit` is the account's, None if it could not be worked out; `realised` is what
        each bot has made today, losses below zero.
        """
        self._loss_limit = loss_limit
        self._granted = granted
        self._realised = dict(realised)
        self._lost = ZERO
        """By all bots today, below zero; it changes only when lots are closed."""
        self._lost_of_bucket: dict[str, Decimal] = {}
        self._count_losses()

    @property
    def realised(self) -> dict[str, Decimal]:
        """What each bot has made today by closing lots; losses are below zero."""
        return dict(self._realised)

    def booked(self, bot: str, closed: Sequence[ClosedLot]) -> None:
        """A fill of this bot has closed these lots."""
        self.made(bot, total(lot.realised for lot in closed))

    def made(self, bot: str, made: Decimal) -> None:
        """This bot has made so much more; what it paid in fees is below zero."""
        self._realised[bot] = add(self._realised.get(bot, ZERO), made)
        self._count_losses()

    def view(self, bot: str, at_risk: Mapping[str, Decimal | None]) -> BudgetView:
        """What is left to this bot; below zero if more is at risk than was granted.

        `at_risk` is every bot's heat (`RiskBook.at_risk`). None of a level: nothing was granted on
        it, or something that is at risk there cannot be valued.
        """
        granted = self._granted
        bucket = granted.bucket_of.get(bot)
        heat: Decimal | None = ZERO
        heat_of_bucket: Decimal | None = ZERO
        for other, its_heat in at_risk.items():
            heat = _sum_of(heat, its_heat)
            if granted.bucket_of.get(other) == bucket:
                heat_of_bucket = _sum_of(heat_of_bucket, its_heat)
        return BudgetView(
            bot_left=_left(granted.grants.get(bot), self._lost_by(bot), at_risk.get(bot, ZERO)),
            bucket_left=(
                None
                if bucket is None
                else _left(
                    granted.shares.get(bucket),
                    self._lost_of_bucket.get(bucket, ZERO),
                    heat_of_bucket,
                )
            ),
            day_left=_left(self._loss_limit, self._lost, heat),
        )

    def _lost_by(self, bot: str) -> Decimal:
        return min(self._realised.get(bot, ZERO), ZERO)

    def _count_losses(self) -> None:
        self._lost, self._lost_of_bucket = ZERO, {}
        for bot in self._realised:
            lost = self._lost_by(bot)
            self._lost = add(self._lost, lost)
            bucket = self._granted.bucket_of.get(bot)
            if bucket is not None:
                before = self._lost_of_bucket.get(bucket, ZERO)
                self._lost_of_bucket[bucket] = add(before, lost)


def _left(limit: Decimal | None, lost: Decimal, heat: Decimal | None) -> Decimal | None:
    if limit is None or heat is None:
        return None
    return subtract(add(limit, lost), heat)


def _sum_of(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else add(one, other)


def grants_for_day(
    daily_risk: Decimal,
    bucket_pct: Mapping[str, Decimal],
    bots: Mapping[str, Sequence[str]],
    *,
    min_pct: Decimal,
    max_pct: Decimal,
) -> DayGrants:
    """Share out what may be lost in a day (USD): to each bucket its percentage, to its bots alike.

    `bots` are the enabled ones of each bucket, in the order of the configuration. None gets more
    than `max_pct` percent of the day's risk. Where there is not `min_pct` percent for each, the
    first ones share the bucket, as many as can have that much, and the others get nothing: what is
    too little to trade with is not granted. Grants are whole cents, rounded down; they never add up
    to more than the day's risk.
    """
    if total(bucket_pct.values()) > 100 or not 0 < min_pct <= max_pct:
        raise ValueError(
            f"found buckets of {dict(bucket_pct)} percent and {min_pct} to {max_pct} percent a bot,"
            " wanted at most 100 percent in all, and limits over zero with the lower one first"
        )
    if not (daily_risk.is_finite() and daily_risk > 0):
        daily_risk = ZERO
    shares, grants, refused = dict[str, Decimal](), dict[str, Decimal](), dict[str, str]()
    for bucket, names in bots.items():
        pct = bucket_pct.get(bucket, ZERO)
        shares[bucket] = _in_cents(percent_of(daily_risk, pct))
        affordable = min(len(names), int(_DOWN.divide_int(pct, min_pct)))
        for name in names[affordable:]:
            refused[name] = (
                f"the {bucket} bucket has {pct} percent of the day's risk, which is enough for "
                f"{affordable} of its {len(names)} bots with at least {min_pct} each"
            )
        for name in names[:affordable]:
            part = _DOWN.divide(shares[bucket], Decimal(affordable))
            grant = _in_cents(min(part, percent_of(daily_risk, max_pct)))
            if grant > 0:
                grants[name] = grant
            else:
                refused[name] = f"the day's risk is {daily_risk} USD, too little for a grant"
    bucket_of = {name: bucket for bucket, names in bots.items() for name in names}
    return DayGrants(grants=grants, shares=shares, bucket_of=bucket_of, refused=refused)


def _in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, context=_DOWN)
