"""What a venue keeps of a trade, and how far a fee may explain what the account no longer has.

A coin's buyer pays in the coin, so the venue holds less for the account than was executed; a coin's
seller pays in USD. Neither is part of the execution. The venue books it later, as an activity of
its own. So a coin's execution gets a `Fee` on record with it, by a dated schedule at the dearest
rate: what is on record is then never more than what can be sold.

What is true is learned in two ways. The first comparison that has the execution shows what is
missing: within the bound of the fees that no comparison has seen yet (`spread`) it is taken to be
the fee. Each fee is open to that once. An activity of the venue names an amount: it takes the place
of what was accrued, once per activity. It may say more than that only as far as the account shows
it missing, and within the fees' own bounds. What is outside of them stays a difference, and halts.

Small fees of shares and options are the account's, in USD: nothing is accrued for them, and what
the venue books is bounded by what was traded in the week before (`regulatory_most`).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Context, Decimal
from enum import Enum
from typing import TypeAlias

import msgspec
from msgspec import structs

from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.instruments import Instrument, instrument, is_crypto, value_of
from hydra.trading.orders import Fill, Side
from hydra.trading.venue_view import VenueFee

USD = "USD"
"""The asset of every fee that is not paid in a coin."""

ZERO = Decimal(0)
COIN_INCREMENT = Decimal("0.000000001")
CENT = Decimal("0.01")
_BASIS_POINT = Decimal("0.0001")
_ROUNDING = Context(prec=100)


class FeeRate(msgspec.Struct, frozen=True, kw_only=True):
    """The dearest rate of coins, in basis points of what is received, from `since` (UTC ns) on."""

    since: int
    coin_bps: Decimal


class FeeSchedule(msgspec.Struct, frozen=True):
    """Rates by their dates, the oldest first. None: nothing is ever kept."""

    rates: tuple[FeeRate, ...] = ()

    def coin_share(self, at: int) -> Decimal:
        """The share that may be kept of what a coin's execution at this time brings."""
        rates = [rate for rate in self.rates if rate.since <= at]
        return multiply(rates[-1].coin_bps, _BASIS_POINT) if rates else ZERO


NO_FEES = FeeSchedule()
ALPACA_FEES = FeeSchedule((FeeRate(since=0, coin_bps=Decimal(25)),))
"""Who takes liquidity at the lowest tier pays 25 bps (PROTOCOL 8.3); everybody else pays less."""


class FeeBasis(Enum):
    """How a fee's amount is known."""

    ACCRUED = "accrued"
    """From the execution, by the schedule; no comparison has seen it yet."""
    OBSERVED = "observed"
    """From what a comparison found the account to have."""
    BOOKED = "booked"
    """From the venue's own activities, the whole amount."""


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue keeps of one execution, by what is known now.

    `asset` is the coin's symbol (then `amount` is coins) or "USD". It is `most` at most; `booked`
    of it is accounted for by activities. The account's own fees are named by their activity, with
    no order. `at` is market time (UTC ns).
    """

    client_order_id: str
    execution_id: str
    bot: str
    symbol: str
    asset: str
    amount: Decimal
    most: Decimal
    at: int
    booked: Decimal = ZERO
    basis: FeeBasis = FeeBasis.ACCRUED

    @property
    def unbooked(self) -> Decimal:
        """What no activity accounts for."""
        return subtract(self.amount, self.booked)

    @property
    def room(self) -> Decimal:
        """By how much it may turn out to be more."""
        return subtract(self.most, self.amount)


class FeePart(msgspec.Struct, frozen=True, kw_only=True):
    """So much of the fee of one execution."""

    client_order_id: str
    execution_id: str
    amount: Decimal


class FeeChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a fee turned out to be. `dust`: so many coins are left over that are no bot's, or (below
    zero) so many fewer than were.
    """

    client_order_id: str
    execution_id: str
    amount: Decimal
    dust: Decimal = ZERO


class FeeObservation(msgspec.Struct, frozen=True):
    """The account was seen to have what it has if these are the fees."""

    asset: str
    changes: tuple[FeeChange, ...]


class FeeBooking(msgspec.Struct, frozen=True):
    """An activity of the venue, and which fees it accounts for; the rest is the account's own."""

    charge: VenueFee
    parts: tuple[FeePart, ...]

    @property
    def of_the_account(self) -> Decimal:
        """What it charges beyond what was accrued."""
        return subtract(self.charge.amount, total(part.amount for part in self.parts))


FeeAct: TypeAlias = FeeObservation | FeeBooking


class FeeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is on record of fees, for a comparison.

    `fees` are those that are not booked in full, the oldest first. `booked` names activities and
    assets that are on record. `held` is by bot and symbol. `excluded` are coins that are no bot's.
    `regulatory_room`: so much may yet be booked for shares and options, in USD. `unheard` are the
    symbols in which something was executed that the venue's word does not have yet.
    """

    fees: tuple[Fee, ...] = ()
    booked: frozenset[tuple[str, str]] = frozenset()
    held: Mapping[tuple[str, str], Decimal] = {}
    excluded: Mapping[str, Decimal] = {}
    regulatory_room: Decimal = ZERO
    unheard: frozenset[str] = frozenset()


def expected_fee(fill: Fill, bot: str, schedule: FeeSchedule) -> Fee | None:
    """What the venue will keep of this execution at the dearest rate; None: nothing.

    The rate of coins is rounded up to what a coin is counted in, and one such step more, for
    another way of rounding, is the most. Of a sale it is a cent more.
    """
    share = schedule.coin_share(fill.at) if is_crypto(fill.symbol) else ZERO
    if not share:
        return None
    kept = multiply(fill.quantity, share)
    if fill.side is Side.BUY:
        asset, step = fill.symbol, COIN_INCREMENT
        kept = kept.quantize(step, rounding=ROUND_CEILING, context=_ROUNDING)
    else:
        asset, step = USD, CENT
        kept = multiply(kept, fill.price)
    return Fee(
        client_order_id=fill.client_order_id,
        execution_id=fill.execution_id,
        bot=bot,
        symbol=fill.symbol,
        asset=asset,
        amount=kept,
        most=add(kept, step),
        at=fill.at,
    )


class FeeMost(msgspec.Struct, frozen=True):
    """The most that an execution costs in USD: `each` for one share or contract, and `share` of its
    value. What is rounded up once in an execution, to a cent or a coin's smallest part, is not in
    it.
    """

    each: Decimal
    share: Decimal


def most_of(symbol: str, schedule: FeeSchedule) -> FeeMost:
    """The most that executions of this symbol cost where fees go by this schedule, at any time."""
    if not schedule.rates:
        return _NOTHING_KEPT
    if is_crypto(symbol):
        dearest = max(rate.coin_bps for rate in schedule.rates)
        return FeeMost(ZERO, multiply(dearest, _BASIS_POINT))
    return _regulatory(symbol)


def regulatory_most(fills: Iterable[Fill]) -> Decimal:
    """The most that regulators and clearing can charge for these in USD, coins left out.

    Each as of `FeeMost`, and a cent a fill for rounding.
    """
    most = ZERO
    for fill in fills:
        if is_crypto(fill.symbol):
            continue
        rate = _regulatory(fill.symbol)
        value = multiply(value_of(fill.symbol, fill.quantity, fill.price), rate.share)
        most = add(most, add(add(multiply(fill.quantity, rate.each), value), CENT))
    return most


def _regulatory(symbol: str) -> FeeMost:
    return _OF_CONTRACTS if instrument(symbol) is Instrument.OPTION else _OF_SHARES


def spread(fees: Sequence[Fee], apart: Decimal) -> tuple[Fee, ...] | None:
    """The same fees as they must be if the venue has `apart` more than the record (or, below zero,
    less), and nothing but these fees is to blame; None if that cannot be.

    This is the bound. Each fee is what activities account for at least, and its `most` at most. So
    of fees accrued at F and bound by M in all, no more than M - F can be missing, a step for each
    fill, and no more than F can be there in excess. The oldest are taken first.
    """
    left, found = apart, []
    for fee in fees:
        less = max(min(left, fee.unbooked), fee.room.copy_negate())
        found.append(structs.replace(fee, amount=subtract(fee.amount, less)))
        left = subtract(left, less)
    return None if left else tuple(found)


def explained(
    record: FeeRecord, told: Iterable[VenueFee], differences: Iterable[Difference]
) -> tuple[FeeAct, ...]:
    """What of the venue's word and of these differences is fees, in the order it is to be recorded.

    While anything but positions and cash differs nothing is, nor where the venue has not heard of
    an execution: record and venue may be of two different instants then.
    """
    apart: dict[str, Decimal | None] = {}
    for difference in differences:
        match difference.kind:
            case DifferenceKind.POSITION:
                apart[difference.subject] = difference.amount
            case DifferenceKind.CASH:
                apart[USD] = difference.amount
            case _:
                return ()
    explanation = _Explanation(record, apart)
    for charge in sorted(told, key=lambda each: (each.at, each.activity_id, each.asset)):
        if charge.amount > 0 and (charge.activity_id, charge.asset) not in record.booked:
            explanation.book(charge)
    for asset in dict.fromkeys(fee.asset for fee in record.fees):
        explanation.observe(asset)
    return tuple(explanation.acts)


class _Explanation:
    """Goes from one act to the next; each is judged by what those before it have left."""

    def __init__(self, record: FeeRecord, apart: dict[str, Decimal | None]) -> None:
        self.acts: list[FeeAct] = []
        self._fees = {(fee.client_order_id, fee.execution_id): fee for fee in record.fees}
        self._apart = apart
        self._held = dict(record.held)
        self._excluded = dict(record.excluded)
        self._regulatory_room = record.regulatory_room
        self._unheard = record.unheard

    def book(self, charge: VenueFee) -> None:
        """Take up an activity, if it fits: else it is left, and what it did stays a difference."""
        accrued = total(fee.unbooked for fee in self._pool(charge))
        more = subtract(charge.amount, accrued)
        if more > 0 and not self._goes_beyond(charge, more):
            return
        left, parts = charge.amount, list[FeePart]()
        for fee in self._pool(charge):
            amount = min(left, fee.unbooked)
            if amount > 0:
                parts.append(_part(fee, amount))
                self._put(booked_more(fee, amount))
                left = subtract(left, amount)
        self.acts.append(FeeBooking(charge, tuple(parts)))

    def observe(self, asset: str) -> None:
        """What no comparison has seen of this asset is what this one shows, if that can be."""
        unseen = [fee for fee in self._fees.values() if fee.asset == asset]
        unseen = [fee for fee in unseen if fee.basis is FeeBasis.ACCRUED]
        apart = self._apart.get(asset, ZERO)
        if not unseen or apart is None or not self._is_of_one_instant(asset):
            return
        found = spread(unseen, apart)
        if found is not None:
            self._take(asset, list(zip(unseen, found, strict=True)))

    def _is_of_one_instant(self, asset: str) -> bool:
        return not self._unheard if asset == USD else asset not in self._unheard

    def _pool(self, charge: VenueFee) -> list[Fee]:
        of = (charge.asset, charge.symbol)
        return [fee for fee in self._fees.values() if (fee.asset, fee.symbol) == of]

    def _goes_beyond(self, charge: VenueFee, more: Decimal) -> bool:
        """Whether it may be so much more than was accrued: the account shows it, and it fits."""
        apart = self._apart.get(charge.asset, ZERO)
        if apart is None or apart > more.copy_negate() or not self._is_of_one_instant(charge.asset):
            return False
        if not charge.is_of_coins:
            if more > self._regulatory_room:
                return False
            self._regulatory_room = subtract(self._regulatory_room, more)
            self._apart[charge.asset] = add(apart, more)
            return True
        pool = self._pool(charge)
        found = spread(pool, more.copy_negate())
        if found is None:
            return False
        pairs = zip(pool, found, strict=True)
        # The others may be unseen yet, and stay so.
        return self._take(charge.asset, [each for each in pairs if each[0] != each[1]])

    def _take(self, asset: str, pairs: Sequence[tuple[Fee, Fee]]) -> bool:
        """Take the fees to be what they must be, if there is somebody to pay for it."""
        changes = self._changes(pairs)
        if changes is None:
            return False
        for _, new in pairs:
            self._put(seen(new, new.amount))
        back = total(subtract(old.amount, new.amount) for old, new in pairs)
        self._apart[asset] = subtract(self._apart.get(asset) or ZERO, back)
        self.acts.append(FeeObservation(asset, changes))
        return True

    def _changes(self, pairs: Sequence[tuple[Fee, Fee]]) -> tuple[FeeChange, ...] | None:
        """Whose the coins are: the bot's while it holds any, else nobody's; None: there are none
        to be taken.
        """
        held, excluded = dict(self._held), dict(self._excluded)
        changes: list[FeeChange] = []
        for old, new in pairs:
            back, dust = subtract(old.amount, new.amount), ZERO
            if old.asset != USD and back:
                place = (old.bot, old.symbol)
                has = held.get(place, ZERO)
                if has > 0 and add(has, back) > 0:
                    held[place] = add(has, back)
                else:
                    dust = back
                    excluded[old.symbol] = add(excluded.get(old.symbol, ZERO), dust)
                    if excluded[old.symbol] < 0:
                        return None
            changes.append(
                FeeChange(
                    client_order_id=old.client_order_id,
                    execution_id=old.execution_id,
                    amount=new.amount,
                    dust=dust,
                )
            )
        self._held, self._excluded = held, excluded
        return tuple(changes)

    def _put(self, fee: Fee) -> None:
        self._fees[(fee.client_order_id, fee.execution_id)] = fee


def booked_more(fee: Fee, amount: Decimal) -> Fee:
    """The fee once an activity accounts for so much more of it."""
    booked = add(fee.booked, amount)
    basis = FeeBasis.BOOKED if booked == fee.amount else fee.basis
    return structs.replace(fee, booked=booked, basis=basis)


def seen(fee: Fee, amount: Decimal) -> Fee:
    """The fee once the account was seen to have paid so much."""
    basis = FeeBasis.BOOKED if 0 < fee.booked == amount else FeeBasis.OBSERVED
    return structs.replace(fee, amount=amount, basis=basis)


def _part(fee: Fee, amount: Decimal) -> FeePart:
    return FeePart(
        client_order_id=fee.client_order_id, execution_id=fee.execution_id, amount=amount
    )


_NOTHING_KEPT = FeeMost(ZERO, ZERO)
_OF_SHARES = FeeMost(Decimal("0.001"), _BASIS_POINT)
_OF_CONTRACTS = FeeMost(Decimal("0.20"), _BASIS_POINT)
"""Ceilings well over any rate there was."""
