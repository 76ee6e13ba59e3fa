"""What an entry that was refused would have come to, had it gone to the venue.

The entry is taken to a venue of its own, which executes it by the one rule that all others go by
(`bar_fills`), and what it buys is managed as its bot would have: by its exit rules, its strategy's
wish to leave, its time of day, and with a stop order that rests at the venue where its bots' do.

That is a thought, and only of this one entry: it took no room from another, cost no budget, and
halted nothing. Nor does anybody know what an outside strategy would have said of it.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import count

import msgspec
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import multiply, percent_of, subtract
from hydra.trading.exit_rules import ExitRules, exit_reason
from hydra.trading.hit_stops import SIGNALS_STOP
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.resting_stop import WHOLE, is_moved_up, stop_on_step
from hydra.trading.sessions import Hours, Window
from hydra.trading.situation import PriceStep
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderFilled, OrderIntent, VenueReport

ENOUGH_USD = Decimal(10) ** 9
"""In the account of the one entry, whatever it costs."""
AT_THE_END = "held at the end"


class Management(msgspec.Struct, frozen=True, kw_only=True):
    """How a bot looks after what it buys of one symbol. Durations are ns of market time.

    `price_steps`: of stop orders that rest at the venue; none: no stop order rests there.
    `price_collar_pct`: one rests no farther from the price, in percent of it. `entry_lasts`: how
    long an entry may work; None: until the venue ends it. `wants_out`: the ends of the bars at
    which its strategy wanted to leave. `keeps_stop`: the stop that the entry named holds beside the
    rules. `trades_per_day_max`, `positions_max`: the bot's own limits, over all its symbols; None:
    it has none, or counts what it asks for.
    """

    exits: ExitRules
    manage_window: Window
    hours: Hours
    flat_before_close: int | None = None
    price_steps: tuple[PriceStep, ...] = ()
    quantity_step: Decimal = WHOLE
    entry_lasts: int | None = None
    price_collar_pct: Decimal | None = None
    wants_out: frozenset[int] = frozenset()
    keeps_stop: bool = False
    trades_per_day_max: int | None = None
    positions_max: int | None = None


class Forgone(msgspec.Struct, frozen=True, kw_only=True):
    """The trade. Times are market time (UTC ns), prices those of its executions.

    `made` is in USD, after fees and slippage. What is still held when there are no more bars counts
    at the last price: then `closed_at` is None, and that is its `exit_price`.
    """

    quantity: Decimal
    opened_at: int
    entry_price: Decimal
    closed_at: int | None
    exit_price: Decimal
    exit_reason: str
    made: Decimal


def forgone(
    entry: OrderIntent, at: int, bars: Iterable[Bar], how: Management, terms: VenueTerms
) -> Forgone | None:
    """The trade that a purchase would have become; None: it would not have been executed.

    `at` is when it was judged, and would have gone to the venue (market time, UTC ns). `bars` are
    those of its symbol, ascending; what was over by then tells nothing.
    """
    venue = _Venue(entry, at, how, terms)
    for bar in bars:
        if bar.end_at > at:
            venue.play(bar)
            if venue.is_over:
                break
    return venue.trade


class _Stop(msgspec.Struct, frozen=True):
    """A stop order that rests, and the rule that it is of."""

    name: str
    price: Decimal
    rule: str


class _Venue:
    """The venue of one entry, and the bot that looks after it."""

    def __init__(self, entry: OrderIntent, at: int, how: Management, terms: VenueTerms) -> None:
        self._entry, self._sent_at, self._how = entry, at, how
        self._symbol = entry.decision.symbol
        alone = structs.replace(terms, starting_cash=ENOUGH_USD, max_participation=None)
        self._engine = MatchingEngine(alone)
        self._numbers = count(1)
        self._reason = ""
        """Why it is left; "": it is not."""
        self._opened_at: int | None = None
        self._price = self._highest = Decimal(0)
        self._stop: _Stop | None = None
        """The stop order that rests."""
        self._sold: tuple[int, Decimal] | None = None
        self._newest: Bar | None = None
        self._session = how.hours.at(at)
        self._entry_name = self._send(
            Side.BUY,
            entry.quantity,
            at,
            entry.order_type,
            entry.time_in_force,
            limit=entry.limit_price,
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come of it."""
        if self._engine.open_orders:
            return False
        return self._sold is not None or self._opened_at is None

    @property
    def trade(self) -> Forgone | None:
        """What has come of it."""
        worth = self._engine.account.equity()
        if self._opened_at is None or self._newest is None or worth is None:
            return None
        last = (None, Decimal(repr(self._newest.close)))
        closed_at, price = last if self._sold is None else self._sold
        return Forgone(
            quantity=self._entry.quantity,
            opened_at=self._opened_at,
            entry_price=self._price,
            closed_at=closed_at,
            exit_price=price,
            exit_reason=AT_THE_END if self._sold is None else self._reason,
            made=subtract(worth, ENOUGH_USD),
        )

    def play(self, bar: Bar) -> None:
        """The bar happens; then the bot looks."""
        self._begin_session(bar)
        self._newest = bar
        if bar.start_at >= self._sent_at:
            self._hear(self._engine.begin_bar(bar))
            self._protect(bar.start_at, self._entry.reference_price or self._price)
        self._hear(self._engine.on_bar(bar))
        self._look(bar)

    def _begin_session(self, bar: Bar) -> None:
        if self._session is not None and bar.start_at >= self._session.close_at:
            self._engine.close_session(self._session.close_at)
            if self._sold is None:
                self._reason = ""  # an exit for the day is over with its day
        self._session = self._how.hours.at(bar.start_at) or self._session

    def _look(self, bar: Bar) -> None:
        if self._opened_at is None:
            lasts = self._how.entry_lasts
            if lasts is not None and bar.end_at - self._entry.decided_at >= lasts:
                self._engine.cancel(self._entry_name, bar.end_at)
            return
        if self._sold is not None or self._reason:
            return
        self._reason = self._reason_to_leave(bar, self._opened_at)
        self._highest = max(self._highest, Decimal(repr(bar.high)))
        if self._reason:
            self._take_stop_out(bar.end_at)
            quantity = self._held_in(self._how.quantity_step)
            until = TimeInForce.GTC if is_crypto(self._symbol) else TimeInForce.DAY
            self._send(Side.SELL, quantity, bar.end_at, OrderType.MARKET, until)
        else:
            self._protect(bar.end_at, Decimal(repr(bar.close)))

    def _reason_to_leave(self, bar: Bar, opened_at: int) -> str:
        """The bot's own rules; "": it holds on."""
        stop = self._entry.protective_stop if self._how.keeps_stop else None
        if stop is not None and bar.end_at > opened_at and Decimal(repr(bar.low)) <= stop:
            return SIGNALS_STOP
        rule = exit_reason(
            self._how.exits,
            entry_price=self._price,
            opened_at=opened_at,
            bar=bar,
            at=bar.end_at,
            manage_until_passed=self._is_too_late(bar.end_at),
            highest=self._highest,
        )
        if rule is not None:
            return rule.value
        return "signal" if bar.end_at in self._how.wants_out else ""

    def _is_too_late(self, at: int) -> bool:
        """No position is to be held any more at this time of day."""
        lead, session = self._how.flat_before_close, self._session
        if session is not None and lead is not None and at >= session.close_at - lead:
            return True
        return not self._how.manage_window.contains(at)

    def _protect(self, at: int, market: Decimal) -> None:
        """Have the stop rest where the rules want it, as far as a stop order can be for it.

        `market`: the price that it is judged by.
        """
        held = self._held_in(WHOLE)
        if not self._how.price_steps or held <= 0 or self._reason:
            return
        price, rule = self._how.exits.resting_price(self._price, self._highest)
        level = stop_on_step(price, self._how.price_steps)
        collar = self._how.price_collar_pct
        if level is None or (
            collar is not None and subtract(market, level) > percent_of(market, collar)
        ):
            return
        if self._stop is not None:
            if not is_moved_up(self._stop.price, level, self._highest):
                return
            self._take_stop_out(at)
        name = self._send(Side.SELL, held, at, OrderType.STOP, TimeInForce.GTC, stop=level)
        self._stop = _Stop(name, level, rule.value)

    def _take_stop_out(self, at: int) -> None:
        if self._stop is not None:
            self._engine.cancel(self._stop.name, at)
            self._stop = None

    def _hear(self, reports: Iterable[VenueReport]) -> None:
        for report in reports:
            if not isinstance(report, OrderFilled):
                continue
            fill = report.fill
            if fill.side is Side.BUY:
                self._opened_at = fill.at
                self._price = self._highest = fill.price
                continue
            stop = self._stop
            if stop is not None and fill.client_order_id == stop.name:
                self._stop, self._reason = None, stop.rule
            self._sold = (fill.at, fill.price)

    def _held_in(self, step: Decimal) -> Decimal:
        """Whole steps of it; of coins a fee leaves less than one as dust."""
        return multiply(self._engine.account.position(self._symbol) // step, step)

    def _send(
        self,
        side: Side,
        quantity: Decimal,
        at: int,
        order_type: OrderType,
        time_in_force: TimeInForce,
        *,
        limit: Decimal | None = None,
        stop: Decimal | None = None,
    ) -> str:
        """Gives the order's name; one that the venue refuses is over, and fills nothing."""
        name = f"what-if-{next(self._numbers)}"
        order = Order(
            client_order_id=name,
            symbol=self._symbol,
            side=side,
            quantity=quantity,
            order_type=order_type,
            time_in_force=time_in_force,
            limit_price=limit,
            stop_price=stop,
        )
        self._engine.submit(order, at)
        return name
