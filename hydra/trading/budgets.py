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

Grants are proposed (`proposed`) and verified (`fault_in_grants`, `proof_of`) by two rules that know
nothing of one another: who proposes may be wrong, or gone.
"""

from collections.abc import Mapping, Sequence, Set
from decimal import ROUND_FLOOR, Context, Decimal

import msgspec

from hydra.trading.exact import add, percent_of, subtract, total, total_if_known
from hydra.trading.inventory import ClosedLot
from hydra.trading.situation import BudgetView

ZERO = Decimal(0)
_CENT = Decimal("0.01")
_DOWN = Context(prec=60, rounding=ROUND_FLOOR)


class BudgetTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How the day's risk may be shared out; percentages of it, by bucket, and the bots of each.

    `is_proposed`: somebody is there to propose grants. Without that there are none, whatever
    `falls_back` says: that without a proposal in time each bot gets `bot_min_pct`.
    """

    bucket_pct: Mapping[str, Decimal]
    bots: Mapping[str, tuple[str, ...]]
    bot_min_pct: Decimal
    bot_max_pct: Decimal
    is_proposed: bool = True
    falls_back: bool = False


class BudgetDay(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of a day to grant anything in it. All amounts are in USD.

    `used` is what each bot has lost today and would lose if stopped out now; None: that is not
    known. `granted` is what is granted already.
    """

    session: str
    loss_limit: Decimal
    terms: BudgetTerms
    used: Mapping[str, Decimal | None] = {}
    granted: Mapping[str, Decimal] = {}


class GrantProof(msgspec.Struct, frozen=True, kw_only=True):
    """That the day's limit holds though every bot loses all it may (K11). In USD.

    `beyond` is what bots have lost and have at risk beyond what is granted to them.
    """

    limit: Decimal
    granted: Decimal
    beyond: Decimal

    @property
    def holds(self) -> bool:
        """Whether all that can be lost is within the limit."""
        return add(self.granted, self.beyond) <= self.limit


class GrantProposal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be allowed to lose how much in a session (USD), and that this can be afforded."""

    session: str
    grants: Mapping[str, Decimal]
    refused: Mapping[str, str]
    """Why a bot is to get none."""
    proof: GrantProof


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
        if closed:
            self.made(bot, total(lot.realised for lot in closed))
        else:
            self._realised.setdefault(bot, ZERO)  # nothing yet, and it is one of those who trade

    def made(self, bot: str, made: Decimal) -> None:
        """This bot has made so much more; what it paid in fees is below zero."""
        before = self._realised.get(bot, ZERO)
        self._realised[bot] = now = add(before, made)
        if before <= 0 or now <= 0:
            self._count_losses()

    def used(self, at_risk: Mapping[str, Decimal | None]) -> dict[str, Decimal | None]:
        """What each bot has lost today and would lose if stopped out now; None: not known."""
        used: dict[str, Decimal | None] = {}
        for bot in {**self._realised, **at_risk}:
            heat = at_risk.get(bot, ZERO)
            used[bot] = None if heat is None else subtract(heat, self._lost_by(bot))
        return used

    def view(self, bot: str, at_risk: Mapping[str, Decimal | None]) -> BudgetView:
        """What is left to this bot; below zero if more is at risk than was granted.

        `at_risk` is every bot's heat (`RiskBook.at_risk`). None of a level: nothing was granted on
        it, or something that is at risk there cannot be valued.
        """
        granted = self._granted
        bucket = granted.bucket_of.get(bot)
        in_bucket = [
            heat for other, heat in at_risk.items() if granted.bucket_of.get(other) == bucket
        ]
        return BudgetView(
            bot_left=_left(granted.grants.get(bot), self._lost_by(bot), at_risk.get(bot, ZERO)),
            bucket_left=(
                None
                if bucket is None
                else _left(
                    granted.shares.get(bucket),
                    self._lost_of_bucket.get(bucket, ZERO),
                    total_if_known(in_bucket),
                )
            ),
            day_left=_left(self._loss_limit, self._lost, total_if_known(at_risk.values())),
        )

    def _lost_by(self, bot: str) -> Decimal:
        return min(self._realised.get(bot, ZERO), ZERO)

    def _count_losses(self) -> None:
        self._lost, self._lost_of_bucket = ZERO, {}
        for bot, made in self._realised.items():
            if made > 0:
                continue
            self._lost = add(self._lost, made)
            bucket = self._granted.bucket_of.get(bot)
            if bucket is not None:
                before = self._lost_of_bucket.get(bucket, ZERO)
                self._lost_of_bucket[bucket] = add(before, made)


def _left(limit: Decimal | None, lost: Decimal, heat: Decimal | None) -> Decimal | None:
    if limit is None or heat is None:
        return None
    return subtract(add(limit, lost), heat)


def grants_for_day(
    daily_risk: Decimal,
    bucket_pct: Mapping[str, Decimal],
    bots: Mapping[str, Sequence[str]],
    *,
    min_pct: Decimal,
    max_pct: Decimal,
    spent: Mapping[str, Decimal] = {},
) -> DayGrants:
    """Share out what may be lost in a day (USD): to each bucket its percentage, to its bots alike.

    `bots` are those of each bucket that may trade, in the order of the configuration, and `spent`
    (USD) is what of the bucket is used up by others. None gets more than `max_pct` percent of the
    day's risk. Where there is not `min_pct` percent for each, the first ones share the bucket, as
    many as can have that much, and the others get nothing: what is too little to trade with is not
    granted. Grants are whole cents, rounded down; they never add up to more than the day's risk.
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
        free = max(subtract(shares[bucket], spent.get(bucket, ZERO)), ZERO)
        affordable = min(len(names), _affordable(free, daily_risk, pct, min_pct))
        for name in names[affordable:]:
            refused[name] = (
                f"the {bucket} bucket has {pct} percent of the day's risk, which is enough for "
                f"{affordable} of its {len(names)} bots with at least {min_pct} each"
            )
        for name in names[:affordable]:
            part = _DOWN.divide(free, Decimal(affordable))
            grant = _in_cents(min(part, percent_of(daily_risk, max_pct)))
            if grant > 0:
                grants[name] = grant
            else:
                refused[name] = f"the day's risk is {daily_risk} USD, too little for a grant"
    bucket_of = {name: bucket for bucket, names in bots.items() for name in names}
    return DayGrants(grants=grants, shares=shares, bucket_of=bucket_of, refused=refused)


def proposed(day: BudgetDay, down: Set[str]) -> GrantProposal | None:
    """What to grant in a day, with the proof. `down` are bots that do not run: they get nothing,
    and what they have not used up goes to the others of their bucket.

    None: what some bot has lost or has at risk is not known, so nothing can be proven.
    """
    if proof_of({}, day) is None:
        return None
    terms = day.terms
    used = {bot: amount for bot, amount in day.used.items() if amount is not None}
    shared = grants_for_day(
        day.loss_limit,
        terms.bucket_pct,
        {bucket: [bot for bot in bots if bot not in down] for bucket, bots in terms.bots.items()},
        min_pct=terms.bot_min_pct,
        max_pct=terms.bot_max_pct,
        spent={
            bucket: total(used.get(bot, ZERO) for bot in bots if bot in down)
            for bucket, bots in terms.bots.items()
        },
    )
    least = _in_cents(percent_of(day.loss_limit, terms.bot_min_pct))
    fitting = _fitted(shared.grants, used, day.loss_limit)
    grants = {bot: grant for bot, grant in fitting.items() if grant >= least and grant > 0}
    refused = dict(shared.refused)
    for bot in shared.grants.keys() - grants.keys():
        refused[bot] = (
            f"all bots have used up so much of the day's {day.loss_limit} USD that less than "
            f"{least} USD would be left for it"
        )
    for bots in terms.bots.values():
        refused.update({bot: "it does not run" for bot in bots if bot in down})
    proof = proof_of(grants, day)
    assert proof is not None, "everything is known"
    return GrantProposal(session=day.session, grants=grants, refused=refused, proof=proof)


def proof_of(grants: Mapping[str, Decimal], day: BudgetDay) -> GrantProof | None:
    """What these grants come to; None if what some bot has lost or has at risk is not known."""
    beyond = ZERO
    for bot, used in day.used.items():
        if used is None:
            return None
        beyond = add(beyond, max(subtract(used, grants.get(bot, ZERO)), ZERO))
    return GrantProof(limit=day.loss_limit, granted=total(grants.values()), beyond=beyond)


def fault_in_grants(grants: Mapping[str, Decimal], day: BudgetDay) -> str | None:
    """What the terms do not allow in these grants, whatever has been lost; None: nothing."""
    terms, limit = day.terms, day.loss_limit
    bucket_of = {bot: bucket for bucket, bots in terms.bots.items() for bot in bots}
    least, most = (
        _in_cents(percent_of(limit, pct)) for pct in (terms.bot_min_pct, terms.bot_max_pct)
    )
    of_bucket: dict[str, Decimal] = {}
    for bot, grant in grants.items():
        bucket = bucket_of.get(bot)
        if bucket is None:
            return f"found a grant for {bot}, wanted one of {', '.join(sorted(bucket_of))}"
        if not (type(grant) is Decimal and grant.is_finite() and grant > 0):
            return f"found a grant of {grant} USD for {bot}, wanted an amount over 0"
        if not least <= grant <= most:
            return f"found a grant of {grant} USD for {bot}, wanted from {least} to {most} USD"
        of_bucket[bucket] = add(of_bucket.get(bucket, ZERO), grant)
    for bucket, granted in of_bucket.items():
        share = percent_of(limit, terms.bucket_pct.get(bucket, ZERO))
        if not granted <= share:
            return f"found {granted} USD for the {bucket} bucket, wanted at most {share} USD"
    return None


def fault_in_proposal(proposal: GrantProposal, day: BudgetDay) -> str | None:
    """Why what is proposed cannot be granted; None: it can. What it says of itself is not used."""
    if proposal.session != day.session:
        return f"found grants for session {proposal.session or 'none'}, wanted {day.session}"
    fault = fault_in_grants(proposal.grants, day)
    if fault is not None:
        return fault
    proof = proof_of(proposal.grants, day)
    if proof is None:
        unknown = sorted(bot for bot, used in day.used.items() if used is None)
        return f"it is not known what {', '.join(unknown)} has at risk"
    if proof.holds:
        return None
    return (
        f"found {proof.granted} USD of grants and {proof.beyond} USD lost or at risk beyond them, "
        f"wanted at most {proof.limit} USD together"
    )


def fallback_grants(day: BudgetDay) -> DayGrants:
    """The least that a bot can get, for as many as the buckets can afford; nothing is proven."""
    terms = day.terms
    return grants_for_day(
        day.loss_limit,
        terms.bucket_pct,
        terms.bots,
        min_pct=terms.bot_min_pct,
        max_pct=terms.bot_min_pct,
    )


def shares_for_day(day: BudgetDay) -> DayGrants:
    """What the buckets may lose in a day, before anything is granted to their bots."""
    return DayGrants(
        grants={},
        shares={
            bucket: _in_cents(percent_of(day.loss_limit, pct))
            for bucket, pct in day.terms.bucket_pct.items()
        },
        bucket_of={bot: bucket for bucket, bots in day.terms.bots.items() for bot in bots},
    )


def _affordable(free: Decimal, daily_risk: Decimal, pct: Decimal, min_pct: Decimal) -> int:
    """How many bots can have the least out of what is free in a bucket."""
    by_share = int(_DOWN.divide_int(pct, min_pct))
    least = percent_of(daily_risk, min_pct)
    # A share is rounded down to cents: the percentages alone say how many a whole bucket is for.
    if least <= 0 or free >= _in_cents(percent_of(daily_risk, pct)):
        return by_share
    return min(by_share, int(_DOWN.divide_int(free, least)))


def _fitted(
    grants: Mapping[str, Decimal], used: Mapping[str, Decimal], limit: Decimal
) -> Mapping[str, Decimal]:
    """The grants, made smaller alike where they and what is used beyond them exceed the limit."""
    extra = {bot: max(subtract(grant, used.get(bot, ZERO)), ZERO) for bot, grant in grants.items()}
    wanted, room = total(extra.values()), subtract(limit, total(used.values()))
    if wanted <= room:
        return grants
    if room <= 0:
        return {}
    return {
        bot: min(
            grant,
            _in_cents(
                add(used.get(bot, ZERO), _DOWN.divide(_DOWN.multiply(extra[bot], room), wanted))
            ),
        )
        for bot, grant in grants.items()
    }


def _in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, context=_DOWN)
