"""What an account has in options on one underlying, and what that may cost it at worst."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import add, multiply, subtract, total
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right


class OptionLot(msgspec.Struct, frozen=True):
    """So many of one contract, below zero for short ones."""

    contract: OptionContract
    quantity: Decimal


class WorkingOptions(msgspec.Struct, frozen=True):
    """What an open order would add to the account if all that is left of it executed.

    One lot for an order in one contract, one for each leg of a multi-leg order; sales are below
    zero.
    """

    order_id: str
    lots: tuple[OptionLot, ...]


class OptionBook(msgspec.Struct, frozen=True, kw_only=True):
    """Options held on one underlying, and open orders in them, oldest first.

    `shares` of the underlying can cover short calls: those held less those that open sales may
    take away, never below zero.
    """

    held: tuple[OptionLot, ...] = ()
    working: tuple[WorkingOptions, ...] = ()
    shares: Decimal = Decimal(0)


class Risk(msgspec.Struct, frozen=True):
    """What short options may come to. `payout` is the most that they may have to pay, in USD, net
    of what covers them; `naked_shares` is how many shares short calls may have to deliver that
    neither another option nor the account has, and `payout` does not speak of them.
    """

    payout: Decimal
    naked_shares: Decimal


def risk_of(
    lots: Iterable[OptionLot], longs_cover: bool = True, shares: Decimal = Decimal(0)
) -> Risk:
    """The worst of these options at expiration, over all prices of the underlying.

    Short options of one expiration are judged together with long ones that cover them, which
    expire with them or later. A long option covers in one place only, so the sum over all
    expirations is a bound whatever the price does between them; with several expirations another
    way to cover may cost less, and that is not searched for. `shares` of the underlying cover
    the short calls that no long one covers, and then those of the lowest strikes. With
    `longs_cover` False no long option covers anything: puts are secured by cash alone.
    """
    legs = [_leg_of(lot) for lot in _netted(lots)]
    shorts = [leg for leg in legs if leg.shares < 0]
    longs = [leg for leg in legs if leg.shares > 0] if longs_cover else []
    judged, spare = _judged(shorts, longs), shares
    while spare > judged.naked_shares and any(leg.right is Right.CALL for leg in shorts):
        # What a share covers needs no long option any more, which may then cover another one.
        freed = subtract(spare, judged.naked_shares)
        shorts, spare = _without_calls(shorts, freed), judged.naked_shares
        judged = _judged(shorts, longs)
    return Risk(judged.payout, max(_ZERO, subtract(judged.naked_shares, spare)))


def added_risk(book: OptionBook, lots: tuple[OptionLot, ...], longs_cover: bool) -> Risk:
    """What an order for `lots` adds to what may have to be paid and delivered. Never below zero.

    Open orders may or may not execute, so what they sell counts, and what they buy does not. What
    an order opens is judged by itself, as a spread; only short calls that it does not cover itself
    lean on what the account has, and then all that the order sells does.
    """
    alone, leaning = _judged_alone(book.held, lots, longs_cover)
    promised = _promised(book, longs_cover)
    old = risk_of(promised, longs_cover, book.shares)
    new = risk_of((*promised, *leaning), longs_cover, book.shares)
    return Risk(
        payout=add(alone.payout, max(_ZERO, subtract(new.payout, old.payout))),
        naked_shares=max(_ZERO, subtract(new.naked_shares, old.naked_shares)),
    )


def shares_needed(book: OptionBook, longs_cover: bool) -> Decimal:
    """How many shares must stay in the account, for short calls and open orders for such."""
    return risk_of(_promised(book, longs_cover), longs_cover).naked_shares


def payout_without(book: OptionBook, shares: Decimal, longs_cover: bool) -> Decimal:
    """How much more short options may have to pay when so many shares are gone."""
    promised, left = _promised(book, longs_cover), max(_ZERO, subtract(book.shares, shares))
    covered = risk_of(promised, longs_cover, book.shares)
    return subtract(risk_of(promised, longs_cover, left).payout, covered.payout)


def _promised(book: OptionBook, longs_cover: bool) -> tuple[OptionLot, ...]:
    """What is held, and what open orders may sell of it or beyond it."""
    sold: list[OptionLot] = []
    for order in book.working:
        _, leaning = _judged_alone(book.held, order.lots, longs_cover)
        sold += [lot for lot in leaning if lot.quantity < 0]
    return (*book.held, *sold)


def _judged_alone(
    held: tuple[OptionLot, ...], lots: tuple[OptionLot, ...], longs_cover: bool
) -> tuple[Risk, tuple[OptionLot, ...]]:
    """The risk of what an order opens, if it covers itself, and the lots that lean on the account:
    those that close, and else what it sells.
    """
    quantities = {lot.contract.symbol: lot.quantity for lot in _netted(held)}
    closing = tuple(lot for lot in lots if _is_closing(lot, quantities))
    opening = tuple(lot for lot in lots if not _is_closing(lot, quantities))
    alone = risk_of(opening, longs_cover)
    if not alone.naked_shares:
        return alone, closing
    return Risk(_ZERO, _ZERO), (*closing, *(lot for lot in opening if lot.quantity < 0))


def _is_closing(lot: OptionLot, held: dict[str, Decimal]) -> bool:
    return lot.quantity * held.get(lot.contract.symbol, _ZERO) < 0


def _netted(lots: Iterable[OptionLot]) -> tuple[OptionLot, ...]:
    """One lot a contract, none of zero."""
    net: dict[str, OptionLot] = {}
    for lot in lots:
        known = net.get(lot.contract.symbol)
        quantity = lot.quantity if known is None else add(known.quantity, lot.quantity)
        net[lot.contract.symbol] = OptionLot(lot.contract, quantity)
    return tuple(lot for lot in net.values() if lot.quantity)


class _Leg(msgspec.Struct, frozen=True):
    """Options as the shares that they deliver; below zero: that they may be made to deliver."""

    right: Right
    strike: Decimal
    expiration: date
    shares: Decimal


def _leg_of(lot: OptionLot) -> _Leg:
    contract = lot.contract
    shares = multiply(lot.quantity, Decimal(contract.multiplier))
    return _Leg(contract.right, contract.strike, contract.expiration, shares)


def _judged(shorts: list[_Leg], longs: list[_Leg]) -> Risk:
    risks = [_risk_of_group(group) for group in _groups(shorts, longs)]
    return Risk(
        payout=total(risk.payout for risk in risks),
        naked_shares=total(risk.naked_shares for risk in risks),
    )


def _groups(shorts: list[_Leg], longs: list[_Leg]) -> list[list[_Leg]]:
    """Short options by expiration, each group with the long ones that cover it.

    The last expiration chooses first, because the fewest can cover it; what it does not need is
    left for the earlier ones, and what nobody needs helps the last that it may.
    """
    groups: dict[date, list[_Leg]] = {}
    for day in sorted({leg.expiration for leg in shorts}, reverse=True):
        group = [leg for leg in shorts if leg.expiration == day]
        for right in Right:
            sold = total(leg.shares for leg in group if leg.right is right).copy_negate()
            taken, longs = _taken(longs, right, day, sold)
            group.extend(taken)
        groups[day] = group
    for leg in longs:
        covered = [day for day in groups if day <= leg.expiration]
        if covered:
            groups[covered[0]].append(leg)
    return list(groups.values())


def _taken(
    longs: list[_Leg], right: Right, day: date, wanted: Decimal
) -> tuple[list[_Leg], list[_Leg]]:
    """So many shares' worth of those that can cover, the nearest and best first; and the rest."""
    best_first = sorted(
        (leg for leg in longs if leg.right is right and leg.expiration >= day),
        key=lambda leg: (leg.expiration, leg.strike if right is Right.CALL else -leg.strike),
    )
    taken, rest = [], [leg for leg in longs if leg not in best_first]
    for leg in best_first:
        shares = min(wanted, leg.shares)
        wanted = subtract(wanted, shares)
        left = subtract(leg.shares, shares)
        taken += [structs.replace(leg, shares=shares)] if shares else []
        rest += [structs.replace(leg, shares=left)] if left else []
    return taken, rest


def _risk_of_group(legs: list[_Leg]) -> Risk:
    calls = total(leg.shares for leg in legs if leg.right is Right.CALL)
    naked = max(_ZERO, calls.copy_negate())
    bounded = _without_calls(legs, naked)
    # Between two strikes the worth is a straight line, and beyond the last it cannot fall any
    # more, so the worst is at a strike or at zero.
    prices = {_ZERO, *(leg.strike for leg in bounded)}
    worst = min(total(_worth(leg, price) for leg in bounded) for price in prices)
    return Risk(payout=max(_ZERO, worst.copy_negate()), naked_shares=naked)


def _without_calls(legs: list[_Leg], shares: Decimal) -> list[_Leg]:
    """Short calls for so many shares taken out, those of the lowest strikes first."""
    kept = [leg for leg in legs if leg.right is Right.PUT or leg.shares > 0]
    calls = (leg for leg in legs if leg.right is Right.CALL and leg.shares < 0)
    for leg in sorted(calls, key=lambda leg: leg.strike):
        taken = min(shares, leg.shares.copy_abs())
        shares = subtract(shares, taken)
        if taken < leg.shares.copy_abs():
            kept.append(structs.replace(leg, shares=add(leg.shares, taken)))
    return kept


def _worth(leg: _Leg, price: Decimal) -> Decimal:
    """At expiration, with the underlying at `price`."""
    above = subtract(price, leg.strike)
    gain = above if leg.right is Right.CALL else above.copy_negate()
    return multiply(leg.shares, max(_ZERO, gain))


_ZERO = Decimal(0)
