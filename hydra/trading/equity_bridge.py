"""How an account's equity went from one reading of it to a later one, line by line, exactly.

The two ends are the venue's own: cash, and what it says that each position is worth. Between them
are what bots made by the record, what the venue's activities say that came and went besides, and
the change of what is held. What these lines do not come to is unexplained, and is never rounded
away; each difference between account, activities and record is named with its amount, and all of
them together are what is unexplained.

What an execution of ours did is on the record's word, and that it was executed on the venue's: it
counts if an activity lists it. What is not on record (somebody else's trade, an assignment, a
split) is taken at the price at the end: what it brought in cash, and what it is worth now. For that
a position is parted into what the record has of it and the rest, which is all at the venue's price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.account_moves import BookedMove, MoveKind, RecordSide
from hydra.trading.account_reading import FILL, AccountReading, Activity, Mark
from hydra.trading.exact import add, multiply, plain, subtract, total
from hydra.trading.fees import USD
from hydra.trading.instruments import value_of

ZERO = Decimal(0)
COIN_FEE = "CFEE"
FEES = frozenset({"FEE", COIN_FEE})
OPTION_ACTS = frozenset({"OPASN", "OPEXC", "OPEXP", "OPTRD"})


class Section(Enum):
    """What a line is about."""

    REALISED = "realised P&L"
    UNREALISED = "unrealised P&L"
    FEES = "fees"
    ACTIVITIES = "activities"
    OPTIONS = "options"
    FOREIGN = "not Hydra's"
    ROUNDING = "rounding"


class Line(msgspec.Struct, frozen=True):
    """So much of the way (USD, signed). `of`: whose, of what, or the venue's own word."""

    section: Section
    of: str
    amount: Decimal


class Difference(msgspec.Struct, frozen=True):
    """What does not fit together, in words, and what the account is worth more (less) by it."""

    what: str
    amount: Decimal


class EquityBridge(msgspec.Struct, frozen=True, kw_only=True):
    """From one equity to the other. `since` says which reading it begins with.

    `unexplained` None: the beginning is not known exactly, as `unknown` says, and so is nothing.
    `notes` say what counts in no line, and `hints` what an unexplained amount could be.
    """

    since: str
    began_at: int
    ended_at: int
    began: Decimal | None
    ended: Decimal
    lines: tuple[Line, ...] = ()
    unexplained: Decimal | None = None
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def is_zero(self) -> bool:
        """Whether all is explained, to the last digit, and nothing differs."""
        return self.unexplained == 0 and not self.differences


def not_known(why: str, since: str, end: AccountReading) -> EquityBridge:
    """A bridge without a beginning: it comes to nothing that could be called zero."""
    return EquityBridge(
        since=since, began_at=0, ended_at=end.at, began=None, ended=end.worth, unknown=why
    )


def equity_bridge(
    begin: AccountReading,
    end: AccountReading,
    activities: Sequence[Activity],
    record: RecordSide,
    *,
    since: str,
) -> EquityBridge:
    """The way from one reading to the other. `activities` are all that the venue listed with the
    later one, back to some time before the earlier.
    """
    return _Bridge(begin, end, activities, record).built(since)


def held_before(
    end: AccountReading,
    activities: Sequence[Activity],
    record: RecordSide,
    *,
    counted: Iterable[str],
    at: int,
) -> tuple[Decimal, Mapping[str, Decimal]]:
    """Cash and quantities as they must have been at `at`, if these activities, but for those that
    had `counted` by then, are all that happened since.
    """
    nothing = AccountReading(
        account=end.account, at=at, cash=ZERO, equity=None, marks=(), counted=tuple(counted)
    )
    return _Bridge(nothing, end, activities, record).what_was_there()


class _Flow(msgspec.Struct, frozen=True, kw_only=True):
    """What came or went and is no bot's: cash (USD) and holdings, each signed."""

    section: Section
    of: str
    symbol: str
    quantity: Decimal
    cash: Decimal
    price: Decimal | None = None


class _Bridge:
    """One bridge being built; everything is worked out once."""

    def __init__(
        self,
        begin: AccountReading,
        end: AccountReading,
        activities: Sequence[Activity],
        record: RecordSide,
    ) -> None:
        self._begin, self._end, self._record = begin, end, record
        self._before = {mark.symbol: mark for mark in begin.marks}
        self._after = {mark.symbol: mark for mark in end.marks}
        self._fresh, self._taken_back, self._pending = _parted(activities, set(begin.counted))
        self._counted_before = {each.rpartition("::")[2] for each in begin.counted}
        new = [move for move in record.moves if self._may_be_new(move)]
        self._matched = _matches(self._fresh, new, record.names, begin.at)
        moves = self._by_time()
        self._moves, self._moves_before = moves[_Time.WITHIN], moves[_Time.BEFORE]
        self._missing = moves[_Time.MISSING]
        self._unbooked = dict(record.unbooked)
        self._flows = list(self._found_flows())
        self._prices_before, self._prices_after = self._prices()

    def built(self, since: str) -> EquityBridge:
        lines = tuple(self._lines())
        gone = subtract(self._end.worth, self._begin.worth)
        unexplained = subtract(gone, total(line.amount for line in lines))
        differences = tuple(self._differences())
        is_zero = not unexplained and not differences
        return EquityBridge(
            since=since,
            began_at=self._begin.at,
            ended_at=self._end.at,
            began=plain(self._begin.worth),
            ended=plain(self._end.worth),
            lines=tuple(Line(each.section, each.of, plain(each.amount)) for each in lines),
            unexplained=plain(unexplained),
            differences=differences,
            notes=tuple(self._notes()),
            hints=() if is_zero else tuple(self._hints()),
        )

    def what_was_there(self) -> tuple[Decimal, Mapping[str, Decimal]]:
        """Of what nothing that happened says."""
        quantities = self._quantities_apart()
        return self._cash_apart(), {symbol: each for symbol, each in quantities.items() if each}

    def _by_time(self) -> Mapping[_Time, list[BookedMove]]:
        """What the record has, by whether the account had it before, within, or not at all."""
        places: dict[tuple[str, str], _Time] = {}
        for move in self._record.moves:
            if move.kind is MoveKind.EXECUTION:
                places[move.name] = self._time_of(move)
        found: defaultdict[_Time, list[BookedMove]] = defaultdict(list)
        for move in self._record.moves:
            found[places.get(move.name) or self._time_by_clock(move)].append(move)
        return found

    def _may_be_new(self, move: BookedMove) -> bool:
        """Whether it is an execution that no activity of before is of."""
        is_execution = move.kind is MoveKind.EXECUTION
        return is_execution and move.execution_id not in self._counted_before

    def _time_of(self, execution: BookedMove) -> _Time:
        if execution.name in self._matched:
            return _Time.WITHIN
        if execution.execution_id in self._counted_before:
            return _Time.BEFORE
        by_clock = self._time_by_clock(execution)
        return _Time.MISSING if by_clock is _Time.WITHIN else by_clock

    def _time_by_clock(self, move: BookedMove) -> _Time:
        if move.at <= self._begin.at:
            return _Time.BEFORE
        return _Time.WITHIN if move.at <= self._end.at else _Time.AFTER

    def _found_flows(self) -> Iterator[_Flow]:
        """What is on record as nobody's, and what activities tell besides."""
        for move in self._moves:
            if move.kind is MoveKind.DUST:
                yield _flow(Section.FEES, "coins that fees left over", move.symbol, move.quantity)
            elif move.kind is MoveKind.ASSIGNED:
                of = f"{move.symbol} assigned to {move.bot}"
                back = (move.quantity.copy_negate(), move.cash.copy_negate())
                yield _flow(Section.FOREIGN, of, move.symbol, *back)
        ours = {each.id for each in self._matched.values()}
        for activity in self._fresh:
            if activity.id not in ours and not self._is_ours(activity):
                yield from self._flow_of(activity)
        for activity in self._taken_back:
            yield _Flow(
                section=_section(activity.kind),
                of=f"{_name(activity)}, taken back",
                symbol=activity.symbol,
                quantity=activity.quantity.copy_negate(),
                cash=activity.cash.copy_negate(),
                price=activity.price,
            )

    def _is_ours(self, activity: Activity) -> bool:
        return activity.kind == FILL and activity.order_id in self._record.names

    def _flow_of(self, activity: Activity) -> Iterator[_Flow]:
        cash, quantity = activity.cash, activity.quantity
        if activity.kind == COIN_FEE:
            # The account paid it with the execution, and of ours it is on record since then.
            if activity.id in self._record.booked:
                return
            cash = self._beyond_what_is_unbooked(USD, activity.symbol, cash)
            quantity = self._beyond_what_is_unbooked(activity.symbol, activity.symbol, quantity)
            if not cash and not quantity:
                return
        yield _Flow(
            section=_section(activity.kind),
            of=_name(activity),
            symbol=activity.symbol,
            quantity=quantity,
            cash=cash,
            price=activity.price,
        )

    def _beyond_what_is_unbooked(self, asset: str, symbol: str, change: Decimal) -> Decimal:
        """The part of a fee that is none of those which are on record and were booked by nobody."""
        if change >= 0:
            return change
        left = self._unbooked.get((asset, symbol), ZERO)
        covered = min(left, change.copy_negate())
        self._unbooked[asset, symbol] = subtract(left, covered)
        return add(change, covered)

    def _prices(self) -> tuple[Mapping[str, Decimal], Mapping[str, Decimal]]:
        """By symbol, at the two ends; of what is flat at one of them, the nearest that is known.

        Where nothing is held at the end the price decides only which line has what.
        """
        told = [
            *((each.symbol, each.price) for each in self._moves),
            *((each.symbol, each.price) for each in self._flows),
            *((each.symbol, each.price) for each in self._not_on_record()),
        ]
        traded = {symbol: price for symbol, price in told if price is not None}
        before = {symbol: mark.price for symbol, mark in self._before.items()}
        after = {symbol: mark.price for symbol, mark in self._after.items()}
        return {**traded, **after, **before}, {**traded, **before, **after}

    def _rest(self, marks: Mapping[str, Mark], moves: Iterable[BookedMove]) -> dict[str, Decimal]:
        """What the account has of each symbol and the record has not."""
        rest = {symbol: mark.quantity for symbol, mark in marks.items()}
        for move in moves:
            if move.symbol and move.kind is not MoveKind.DUST:
                rest[move.symbol] = subtract(rest.get(move.symbol, ZERO), move.quantity)
        return rest

    def _worth_of(self, symbol: str, quantity: Decimal, prices: Mapping[str, Decimal]) -> Decimal:
        return value_of(symbol, quantity, prices.get(symbol, ZERO))

    def _lines(self) -> Iterator[Line]:
        sums: dict[tuple[Section, str], Decimal] = {}

        def put(section: Section, of: str, amount: Decimal) -> None:
            sums[section, of] = add(sums.get((section, of), ZERO), amount)

        for move in self._moves:
            if move.kind is MoveKind.FEE:
                put(Section.FEES, f"{move.symbol} of {move.bot}", move.realised)
            elif move.kind is not MoveKind.DUST:
                put(Section.REALISED, move.bot, move.realised)
        for symbol, amount in self._unrealised().items():
            put(Section.UNREALISED, symbol, amount)
        for flow in self._flows:
            worth = self._worth_of(flow.symbol, flow.quantity, self._prices_after)
            put(flow.section, flow.of, add(flow.cash, worth))
        for symbol, quantity in self._rest(self._before, self._moves_before).items():
            now = self._worth_of(symbol, quantity, self._prices_after)
            then = self._worth_of(symbol, quantity, self._prices_before)
            put(Section.FOREIGN, f"{symbol} held from before", subtract(now, then))
        if self._is_rounding:
            put(Section.ROUNDING, "the venue's equity", self._rounding)
        for section in Section:
            yield from (
                Line(section, of, amount)
                for (its_section, of), amount in sorted(sums.items(), key=lambda item: item[0][1])
                if its_section is section and (amount or section is Section.REALISED)
            )

    def _unrealised(self) -> Mapping[str, Decimal]:
        """Of what the record has: how much more it is worth, less what more it has cost."""
        change: defaultdict[str, Decimal] = defaultdict(Decimal)
        within, before = self._moves, self._moves_before
        ends = (
            (self._before, before, self._prices_before, Decimal(-1)),
            (self._after, [*before, *within], self._prices_after, Decimal(1)),
        )
        for marks, moves, prices, sign in ends:
            for symbol, quantity in self._rest(marks, moves).items():
                mark = marks.get(symbol)
                value = ZERO if mark is None else mark.value
                own = subtract(value, self._worth_of(symbol, quantity, prices))
                change[symbol] = add(change[symbol], multiply(sign, own))
        for move in within:
            if move.kind is not MoveKind.DUST:
                cost = subtract(move.realised, move.cash)
                change[move.symbol] = subtract(change[move.symbol], cost)
        return change

    @property
    def _rounding(self) -> Decimal:
        return subtract(self._end.rounding, self._begin.rounding)

    @property
    def _is_rounding(self) -> bool:
        """Whether the venue's equity is what it listed but for the last digits, at both ends."""
        ends = (self._begin, self._end)
        return all(abs(each.rounding) <= each.rounding_most for each in ends)

    def _differences(self) -> Iterator[Difference]:
        """With what is unexplained as their sum."""
        for activity in self._not_on_record():
            yield Difference(
                f"{_name(activity)} is an execution of our order"
                f" {self._record.names[activity.order_id]}, and not on record",
                add(activity.cash, self._worth_after(activity.symbol, activity.quantity)),
            )
        for move, activity in self._pairs():
            cash = subtract(activity.cash, move.cash)
            quantity = subtract(activity.quantity, move.quantity)
            if cash or quantity:
                yield Difference(
                    f"the venue lists {_name(activity)}, on record it is"
                    f" {_traded(move.quantity, move.symbol, move.price)}",
                    add(cash, self._worth_after(activity.symbol, quantity)),
                )
        for move in self._missing:
            if move.kind is MoveKind.EXECUTION:
                yield Difference(
                    f"{_traded(move.quantity, move.symbol, move.price)} of {move.bot} is on record,"
                    " and in no list of the venue's",
                    ZERO,
                )
        cash = self._cash_apart()
        if cash:
            yield Difference("cash changed by what no activity says", cash)
        for symbol, quantity in sorted(self._quantities_apart().items()):
            if quantity:
                yield Difference(
                    f"{plain(quantity):+f} {symbol} by what no activity says",
                    self._worth_after(symbol, quantity),
                )
        if self._is_unsure():
            yield Difference(
                "executions of orders that are not on record may be of"
                f" {', '.join(self._record.unnamed[:3])}, whose outcome is not known",
                ZERO,
            )
        if not self._is_rounding:
            yield Difference("the venue's equity is not its cash and positions", self._rounding)

    def _not_on_record(self) -> list[Activity]:
        ours = {each.id for each in self._matched.values()}
        return [each for each in self._fresh if each.id not in ours and self._is_ours(each)]

    def _pairs(self) -> Iterator[tuple[BookedMove, Activity]]:
        for move in self._moves:
            if move.kind is MoveKind.EXECUTION:
                yield move, self._matched[move.name]

    def _cash_apart(self) -> Decimal:
        changed = subtract(self._end.cash, self._begin.cash)
        listed = [
            *(each.cash for each in self._flows),
            *(each.cash for each in self._not_on_record()),
            *(activity.cash for _, activity in self._pairs()),
            *(move.cash for move in self._moves if move.kind is not MoveKind.EXECUTION),
        ]
        return subtract(changed, total(listed))

    def _quantities_apart(self) -> Mapping[str, Decimal]:
        apart: defaultdict[str, Decimal] = defaultdict(Decimal)
        for marks, sign in ((self._after, 1), (self._before, -1)):
            for symbol, mark in marks.items():
                apart[symbol] = add(apart[symbol], multiply(mark.quantity, Decimal(sign)))
        listed = [
            *((each.symbol, each.quantity) for each in self._flows),
            *((each.symbol, each.quantity) for each in self._not_on_record()),
            *((each.symbol, each.quantity) for _, each in self._pairs()),
            *(
                (move.symbol, move.quantity)
                for move in self._moves
                if move.kind not in (MoveKind.EXECUTION, MoveKind.DUST)
            ),
        ]
        for symbol, quantity in listed:
            apart[symbol] = subtract(apart[symbol], quantity)
        return apart

    def _worth_after(self, symbol: str, quantity: Decimal) -> Decimal:
        return plain(self._worth_of(symbol, quantity, self._prices_after))

    def _notes(self) -> Iterator[str]:
        for activity in self._pending:
            cash = f"{plain(activity.cash):+f} USD"
            yield f"{_name(activity)} ({cash}) is {activity.status}: it counts in no line"
        if self._is_rounding and self._rounding:
            most = add(self._begin.rounding_most, self._end.rounding_most)
            yield f"the line of rounding is at most {plain(most):f}, by the digits that are shown"
        for reading, which in ((self._begin, "first"), (self._end, "last")):
            if reading.equity is None:
                yield (
                    f"prices moved during the {which} reading: its equity is cash and positions"
                    " as they were listed together"
                )

    def _is_unsure(self) -> bool:
        """Whether an execution of somebody else's may be one of ours after all."""
        foreign = any(each.kind == FILL and not self._is_ours(each) for each in self._fresh)
        return foreign and bool(self._record.unnamed)

    def _hints(self) -> Iterator[str]:
        unseen = self._record.unseen
        if unseen:
            yield (
                f"fees of {unseen} executions are on record as they were reckoned, and no"
                " comparison with the venue has seen them: let the engine run, or `reconcile`"
            )
        strange = sorted({each.of for each in self._flows if each.section is Section.FOREIGN})
        if any("/" in each.symbol for each in self._flows if each.section is Section.FOREIGN):
            yield "the venue may book the fees of coins that were not Hydra's trades later"
        if strange:
            yield f"something else traded on this account ({'; '.join(strange[:3])})"
        if self._missing or self._not_on_record():
            yield "lists and record may be some seconds apart: try again"
        yield "`hydra-trader reconcile` compares the record with the account as it is now"


class _Time(Enum):
    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"
    MISSING = "missing"


def _parted(
    activities: Iterable[Activity], counted: set[str]
) -> tuple[list[Activity], list[Activity], list[Activity]]:
    """Those that have changed the account since, are taken back since, and may change it yet."""
    fresh: list[Activity] = []
    taken_back: list[Activity] = []
    pending: list[Activity] = []
    for each in sorted(activities, key=lambda each: (each.at, each.id)):
        if each.has_counted:
            if each.id not in counted:
                fresh.append(each)
        elif each.id in counted:
            taken_back.append(each)
        elif each.status != "canceled":
            pending.append(each)
    return fresh, taken_back, pending


def _matches(
    activities: Iterable[Activity],
    executions: Sequence[BookedMove],
    names: Mapping[str, str],
    began_at: int,
) -> dict[tuple[str, str], Activity]:
    """Which activity is which execution on record: by its name, or else, of the same order and
    since then, by what was traded, as streams and lists may name one execution differently. An
    order whose name at the venue is not on record is told by its execution, if that is the only
    one of its name.
    """
    by_name = {move.name: move for move in executions}
    alone: dict[str, BookedMove | None] = {}
    for move in executions:
        alone[move.execution_id] = None if move.execution_id in alone else move
    found: dict[tuple[str, str], Activity] = {}
    left: list[tuple[str, Activity]] = []
    for activity in activities:
        if activity.kind != FILL:
            continue
        order = names.get(activity.order_id)
        known = by_name.get((order or "", activity.execution_id))
        if order is None:
            known = alone.get(activity.execution_id)
        if known is not None:
            found[known.name] = activity
        elif order is not None:
            left.append((order, activity))
    for order, activity in left:
        traded = (order, activity.quantity, activity.cash)
        for move in executions:
            is_new = move.at > began_at and move.name not in found
            if is_new and (move.order, move.quantity, move.cash) == traded:
                found[move.name] = activity
                break
    return found


def _section(kind: str) -> Section:
    if kind in FEES:
        return Section.FEES
    if kind in OPTION_ACTS:
        return Section.OPTIONS
    return Section.FOREIGN if kind == FILL else Section.ACTIVITIES


def _name(activity: Activity) -> str:
    """The venue's own word, and what it is of."""
    if activity.kind == FILL:
        return _traded(activity.quantity, activity.symbol, activity.price)
    if not activity.symbol:
        return activity.kind
    if not activity.quantity:
        return f"{activity.kind} {activity.symbol}"
    return f"{activity.kind} {plain(activity.quantity):+f} {activity.symbol}"


def _traded(quantity: Decimal, symbol: str, price: Decimal | None) -> str:
    side = "buy" if quantity > 0 else "sell"
    at = "" if price is None else f" at {plain(price):f}"
    return f"{side} {plain(abs(quantity)):f} {symbol}{at}"


def _flow(section: Section, of: str, symbol: str, quantity: Decimal, cash: Decimal = ZERO) -> _Flow:
    return _Flow(section=section, of=of, symbol=symbol, quantity=quantity, cash=cash)
