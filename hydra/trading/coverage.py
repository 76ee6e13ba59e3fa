"""Exit coverage: what of everything that is held is protected, proven from the broker's own data.

Every open share, contract and coin is matched to an order that protects it at the broker, then to
a guard of the engine; what is left is uncovered (SCOPE K4). A line is what one bot holds in one
symbol, and what the account holds beyond all bots; its orders and guards are its own, so a stop of
one bot covers no position of another, and opposite positions are not offset: each needs its own
exit. For each line, exactly:

    covered by orders + covered by guards + uncovered = what is held, without its sign

While trading is halted only what rests at the broker covers anything: the engine sends nothing.
Nothing is covered that is not known to be: without a picture of the account, or with an old one,
everything is uncovered. No clock, no I/O.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.coverage_lines import (
    DOWN,
    HUNDREDTH,
    WHOLE,
    CoverageLine,
    Leg,
    Line,
    Mismatch,
    MismatchKind,
    Place,
    Watch,
)
from hydra.trading.exact import add, subtract, total
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.protection import (
    ZERO,
    Guard,
    OrderGroups,
    ProtectionTerms,
    chain_of,
    guard_term,
    is_open,
    order_term,
    remaining,
)
from hydra.trading.sub_ledgers import UNATTRIBUTED
from hydra.trading.venue_view import VenuePosition, VenueSnapshot


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """Whose is what, by our own record.

    `positions` are signed, by bot and symbol. `decisions` name our orders by their client order id.
    `excluded` is what an operator left out of account by name, by symbol: it needs no exit.
    `excluded_orders`, by the venue's names, are theirs to look after: they close nothing of ours.
    """

    positions: Mapping[tuple[str, str], Decimal]
    decisions: Mapping[str, DecisionKey]
    excluded: Mapping[str, Decimal] = {}
    excluded_orders: frozenset[str] = frozenset()


class ExitCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The whole account. `is_known`: it was seen, lately and whole."""

    is_known: bool
    lines: tuple[CoverageLine, ...]
    mismatches: tuple[Mismatch, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything is covered. Of an account that is not seen that cannot be said."""
        return self.is_known and not any(line.uncovered for line in self.lines)

    @property
    def pct(self) -> Decimal:
        """Percent, the mean of all lines, rounded down to a hundredth; 100 only if all is covered.

        Shares, contracts and coins cannot be added up, so each line counts alike. 0 if the account
        is not seen, 100 if nothing is held.
        """
        if not self.is_known:
            return ZERO
        if self.is_whole:
            return WHOLE
        mean = DOWN.divide(total([line.pct for line in self.lines]), Decimal(len(self.lines)))
        return mean.quantize(HUNDREDTH, context=DOWN)


class Match(msgspec.Struct, frozen=True):
    """A coverage, and the lines that it was found by, which know how long it holds."""

    coverage: ExitCoverage
    lines: tuple[Line, ...] = ()


NOTHING = Match(ExitCoverage(is_known=True, lines=(), mismatches=()))
"""Nothing is held, and no order stands."""


def exit_coverage(
    snapshot: VenueSnapshot | None,
    guards: Sequence[Guard],
    attribution: Attribution | None,
    terms: ProtectionTerms,
    at: int,
    groups: OrderGroups | None = None,
    halted: Collection[tuple[str, str]] = (),
) -> ExitCoverage:
    """What is covered at market time `at`. Without an attribution a symbol is one line.

    `guards` are those that are alive: one that is not listed is not there, and one that is listed
    twice is there once. `halted` names each bot and symbol of which no order passes now: a guard
    can close nothing then, so it covers nothing (I11).
    """
    return matched(snapshot, guards, attribution, terms, at, groups, halted).coverage


def matched(
    snapshot: VenueSnapshot | None,
    guards: Sequence[Guard],
    attribution: Attribution | None,
    terms: ProtectionTerms,
    at: int,
    groups: OrderGroups | None = None,
    halted: Collection[tuple[str, str]] = (),
) -> Match:
    """As `exit_coverage`, with what it was found by."""
    unseen = _unseen(snapshot, attribution, terms, at)
    if unseen:
        bare = _bare_lines(snapshot)
        return Match(ExitCoverage(is_known=False, lines=bare, mismatches=(unseen,)))
    assert snapshot is not None, "a missing picture is unseen"
    positions = _positions(snapshot, attribution)
    legs = _legs(snapshot, attribution, groups or OrderGroups(), terms, at)
    places = sorted({**positions, **legs})
    if not places:
        return NOTHING
    kept: dict[Place, list[Watch]] = {}
    for guard in {(each.bot, each.symbol, each.name): each for each in guards}.values():
        bot = UNATTRIBUTED if attribution is None else guard.bot
        is_held_back = (guard.bot, guard.symbol) in halted
        watch = Watch(guard, guard_term(guard, terms, at), is_held_back)
        kept.setdefault((guard.symbol, bot), []).append(watch)
    found = [
        Line(place, positions.get(place, ZERO), legs.get(place, ()), kept.get(place, ()))
        for place in places
    ]
    lines, mismatches = list[CoverageLine](), list[Mismatch]()
    for each in found:
        now = each.covered_at(at)
        if each.is_held:
            lines.append(now)
        mismatches += each.mismatches(now, at + terms.expiring_ns)
    coverage = ExitCoverage(is_known=True, lines=tuple(lines), mismatches=tuple(mismatches))
    return Match(coverage, tuple(found))


def _unseen(
    snapshot: VenueSnapshot | None,
    attribution: Attribution | None,
    terms: ProtectionTerms,
    at: int,
) -> Mismatch | None:
    """Why the account cannot be judged by this picture; None: it can."""
    if snapshot is None:
        detail = "it was never read"
    elif not 0 <= at - snapshot.at <= terms.snapshot_age_ns_max:
        detail = "its picture is old, or of the future"
    elif (unreadable := _no_amount(snapshot, attribution)) is not None:
        detail = f"what is held in {unreadable} is no number"
    else:
        return None
    return Mismatch(
        kind=MismatchKind.UNKNOWN_ACCOUNT,
        symbol="",
        bot=UNATTRIBUTED,
        quantity=ZERO,
        detail=detail,
    )


def _no_amount(snapshot: VenueSnapshot, attribution: Attribution | None) -> str | None:
    """A symbol of which somebody holds what is no number; None: there is none."""
    for each in snapshot.positions:
        if not is_amount(each.quantity):
            return each.symbol
    if attribution is None:
        return None
    for (_, symbol), quantity in attribution.positions.items():
        if not is_amount(quantity):
            return symbol
    for symbol, quantity in attribution.excluded.items():
        if not is_amount(quantity):
            return symbol
    return None


def _bare_lines(snapshot: VenueSnapshot | None) -> tuple[CoverageLine, ...]:
    """What was held when it was last seen, all of it uncovered."""
    if snapshot is None:
        return ()
    held = _summed([each for each in snapshot.positions if is_amount(each.quantity)])
    return tuple(
        CoverageLine(
            symbol=symbol,
            bot=UNATTRIBUTED,
            position=position,
            by_orders=ZERO,
            by_guards=ZERO,
            uncovered=position.copy_abs(),
        )
        for symbol, position in sorted(held.items())
        if position
    )


def _summed(positions: Iterable[VenuePosition]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for each in positions:
        held[each.symbol] = add(held.get(each.symbol, ZERO), each.quantity)
    return held


def _positions(snapshot: VenueSnapshot, attribution: Attribution | None) -> dict[Place, Decimal]:
    """By symbol and bot. What the account has beyond all bots and exclusions is nobody's.

    The positions of a symbol add up to what the venue has, less what is excluded.
    """
    rest = _summed(snapshot.positions)
    places: dict[Place, Decimal] = {}
    if attribution is not None:
        for (bot, symbol), position in attribution.positions.items():
            places[(symbol, bot)] = position
            rest[symbol] = subtract(rest.get(symbol, ZERO), position)
        for symbol, excluded in attribution.excluded.items():
            rest[symbol] = subtract(rest.get(symbol, ZERO), excluded)
    for symbol, position in rest.items():
        place = (symbol, UNATTRIBUTED)
        places[place] = add(places.get(place, ZERO), position)
    return {place: position for place, position in places.items() if position}


def _legs(
    snapshot: VenueSnapshot,
    attribution: Attribution | None,
    groups: OrderGroups,
    terms: ProtectionTerms,
    at: int,
) -> dict[Place, list[Leg]]:
    """Every open order that is no entry and not left out, by whose it is.

    One that is listed twice is a chain of its own, and counts once like every chain.
    """
    by_name = {each.order.client_order_id: each for each in snapshot.orders}
    excluded = frozenset[str]() if attribution is None else attribution.excluded_orders
    legs: dict[Place, list[Leg]] = {}
    for order in snapshot.orders:
        decision = None
        if attribution is not None:
            decision = attribution.decisions.get(order.order.client_order_id)
        if not is_open(order) or (decision is not None and decision.role is Role.ENTRY):
            continue
        if decision is None and order.venue_order_id in excluded:
            continue
        chain = chain_of(order, by_name)
        leg = Leg(
            order=order,
            remaining=remaining(order, by_name),
            group=groups.of.get(order.venue_order_id, chain),
            chain=chain,
            is_exit=decision is not None or order.order.stop_price is not None,
            waits=order.venue_order_id in groups.waiting,
            term=order_term(order, terms, at),
        )
        bot = UNATTRIBUTED if decision is None else decision.bot
        legs.setdefault((order.order.symbol, bot), []).append(leg)
    return legs
