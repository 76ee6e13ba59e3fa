"""The crypto bot: one strategy on each of its pairs, round the clock, with limits over them all."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec

from actors.bot_record import HISTORY_AGAIN_AFTER, BotRecord, ask_for_history, recover, take_report
from hydra.actor import Actor, Context, Ref, unhandled
from hydra.trading.account_day import decision_day
from hydra.trading.coin_orders import CoinEntry, CoinTerms
from hydra.trading.coin_pair import (
    CoinPair,
    Enter,
    Leave,
    Nothing,
    PairRules,
    TakeOut,
    Totals,
)
from hydra.trading.durations import DAY
from hydra.trading.exit_rules import EXIT_AGAIN_AFTER, ExitRules
from hydra.trading.hit_stops import hit_stops_of
from hydra.trading.orders import OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.sessions import ROUND_THE_CLOCK, SessionTable, Window
from hydra.trading.strategies.strategy import Strategy, StrategyFactory
from hydra.trading.strategy_feed import StrategyFeed
from hydra.trading.symbol_book import SymbolBook
from hydra.trading.venue_clock import seen_at
from messages.lifecycle import Replied
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import BarClosed, HistoryDue, HistoryReported, ReportHistory, bars_topic
from messages.orders import CancelIntent, OrderDenied, OrderIntent, ReportStored, reports_topic
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    BookRecovered,
    RecoverBook,
    RecoveryOverdue,
)
from messages.protection import GUARDS_TOPIC, GuardReported

Inbox: TypeAlias = (
    BarClosed
    | Replied
    | HistoryDue
    | ReportStored
    | OrderDenied
    | BookChanged
    | BookRecovered
    | RecoveryOverdue
    | LoopRan
)

GUARD_LASTS = DAY
"""A guard of coins has no close to end with. It is told anew at each look."""


class CryptoPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot is configured to do. `sessions` are the account's days, `pairs` those that the
    market has, each with the steps in which the venue trades it.
    """

    bot_id: str
    pairs: Mapping[str, CoinTerms]
    sessions: SessionTable
    rules: PairRules
    strategy: str
    strategy_factory: StrategyFactory
    parameters: Mapping[str, object]

    @property
    def trade_window(self) -> Window:
        """When it may enter."""
        return self.rules.trade_window

    @property
    def exits(self) -> ExitRules:
        """When a position is closed, in any pair."""
        return self.rules.exits

    @property
    def warm_ups(self) -> Mapping[str, int]:
        """What it trades, and of how many bars its strategy wants to be shown at the start."""
        return dict.fromkeys(self.pairs, self.new_strategy().warm_up)

    def new_strategy(self) -> Strategy:
        """A fresh one for one pair, as it is configured; raises `BadParameters`."""
        return self.strategy_factory(self.parameters)


class CryptoBot(Actor[Inbox]):
    """Decides on closed bars and on what is booked, on nothing else (decision 2).

    After each of them it looks at all its pairs, in the order of the configuration, because a
    position that is closed in one makes room for another. The day that its trades are counted in is
    the account's (decision 7); its bars are those of a market that never closes.

    Coins have no stop orders at the venue, so what it holds is guarded here, and each look is told
    (`GuardReported`). What leaves goes as a market order that works until it is filled: a limit
    could be left behind by a falling price, and then nothing ends the loss.
    """

    def __init__(
        self,
        plan: CryptoPlan,
        guardian: Ref[OrderIntent | CancelIntent | RecoverBook],
        feed: Ref[ReportHistory],
    ) -> None:
        self._plan = plan
        self._guardian = guardian
        self._feed = feed
        self._record = BotRecord(plan.bot_id, guardian)
        self._pairs = {
            symbol: CoinPair(
                SymbolBook(plan.bot_id, symbol, coin.quantity_step),
                StrategyFeed(plan.new_strategy(), ROUND_THE_CLOCK),
                coin,
            )
            for symbol, coin in plan.pairs.items()
        }
        self._guards: dict[str, Guard] = {}
        """The guards that were told last; one of nothing is not told again."""
        self._entered_at: int | None = None
        """When it last wanted to enter, in any pair; None: not in this life."""
        self._exit_again_at: dict[str, int] = {}
        self._idle: dict[str, str] = {}
        self._last_denial = ""

    def start(self, ctx: Context) -> None:
        for symbol in self._pairs:
            ctx.subscribe(bars_topic(symbol))
        ctx.subscribe(reports_topic(self._plan.bot_id))
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        ctx.subscribe(LOOP_TOPIC)
        self._record.ask(ctx)
        self._ask_for_history(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        now = ctx.market_time()
        match message:
            case BarClosed():
                self._take_bar(message)
            case Replied(value=HistoryReported(bars=bars), tag=symbol):
                self._pairs[symbol].strategy.take_history(bars)
            case Replied():
                ctx.after(HISTORY_AGAIN_AFTER, HistoryDue())
            case HistoryDue():
                self._ask_for_history(ctx)
            case ReportStored():
                pair = self._pairs.get(message.decision.symbol)
                if pair is not None:
                    take_report(pair.book, message)
                    pair.heard_of(message.decision)
            case OrderDenied():
                self._denied(message, now)
                return  # nothing new to decide on: the same wish would be denied again
            case BookChanged():
                self._exit_again_at.clear()  # what kept an exit in may be out of the way
                self._record.ask(ctx)
            case BookRecovered():
                if not self._record.is_answer(message, ctx):
                    return
                recover([pair.book for pair in self._pairs.values()], message)
                hits = hit_stops_of(message.hit_stops)
                for pair in self._pairs.values():
                    pair.recall(hits)
            case RecoveryOverdue():
                self._record.check_in_time()
            case LoopRan():
                now = max(now, message.at)
            case _:
                unhandled(message)
        if self._record.is_known:
            self._look_at_all(now, ctx)

    def _ask_for_history(self, ctx: Context) -> None:
        for symbol, pair in self._pairs.items():
            if not pair.strategy.has_history:
                ask_for_history(self._feed, symbol, pair.strategy.warm_up, ctx)

    def _take_bar(self, message: BarClosed) -> None:
        bar = message.bar
        day = decision_day(self._plan.sessions, bar.end_at)
        for pair in self._pairs.values():  # the day's trades are counted over all of them
            pair.book.begin_session(day)
        pair = self._pairs[bar.symbol]
        pair.strategy.take_bar(bar)
        # History is nothing to decide on: nobody does before the next bar that is news.
        pair.bar = None if message.is_backfill else bar

    def _denied(self, message: OrderDenied, now: int) -> None:
        decision, denial = message.intent.decision, message.denial
        if decision.role is Role.EXIT:
            self._exit_again_at[decision.symbol] = now + EXIT_AGAIN_AFTER
        pair = self._pairs.get(decision.symbol)
        if pair is not None:
            pair.denied(decision, message.intent.decided_at)
        self._last_denial = f"{denial.check}: {denial.reason}"

    def _look_at_all(self, now: int, ctx: Context) -> None:
        for pair in self._pairs.values():
            at = pair.at(now)
            if at is not None:
                self._act(pair, at, ctx)
                self._tell_guard(pair, at, ctx)

    def _totals(self, now: int) -> Totals:
        pairs = self._pairs.values()
        last = self._entered_at
        return Totals(
            entries=sum(pair.book.entries for pair in pairs),
            positions=sum(pair.is_taken for pair in pairs),
            too_soon=last is not None and not now - last >= self._plan.rules.entry_gap,
        )

    def _act(self, pair: CoinPair, at: int, ctx: Context) -> None:
        why_not = ""
        match pair.wish(at, self._plan.rules, self._totals(ctx.market_time())):
            case Enter(entry):
                self._enter(pair, entry, at, ctx)
            case Leave() if ctx.market_time() < self._exit_again_at.get(pair.symbol, 0):
                why_not = "its last exit was denied just now"
            case Leave(quantity, reason):
                self._leave(pair, quantity, reason, ctx)
            case TakeOut(decision, reason):
                ctx.tell(self._guardian, CancelIntent(decision=decision, reason=reason))
                why_not = f"an order is to be canceled: {reason}"
            case Nothing(reason):
                why_not = reason
        self._say_why_not(pair.symbol, why_not, ctx)

    def _enter(self, pair: CoinPair, entry: CoinEntry, at: int, ctx: Context) -> None:
        terms = self._plan.rules.entry
        decision = pair.book.next_decision(Role.ENTRY)
        pair.entered(decision, at)
        self._entered_at = ctx.market_time()
        intent = OrderIntent(
            decision=decision,
            side=Side.BUY,
            quantity=entry.quantity,
            reason=self._plan.strategy,
            decided_at=_decided_at(pair, ctx),
            reference_price=pair.price,
            order_type=terms.order_type,
            time_in_force=terms.time_in_force,
            limit_price=entry.limit_price,
            protective_stop=entry.stop,
        )
        self._intend(pair, intent, ctx)

    def _leave(self, pair: CoinPair, quantity: Decimal, reason: str, ctx: Context) -> None:
        intent = OrderIntent(
            decision=pair.book.next_decision(Role.EXIT),
            side=Side.SELL,
            quantity=quantity,
            reason=reason,
            decided_at=_decided_at(pair, ctx),
            reference_price=pair.price,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC,
        )
        self._intend(pair, intent, ctx)

    def _intend(self, pair: CoinPair, intent: OrderIntent, ctx: Context) -> None:
        pair.book.intended(intent.decision, intent.quantity)
        pair.strategy.acted()
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def _say_why_not(self, symbol: str, why_not: str, ctx: Context) -> None:
        if why_not != self._idle.get(symbol, ""):
            self._idle[symbol] = why_not
            if why_not:
                # Only when it changes: that nothing happens is told in a few lines a day.
                ctx.log("nothing_decided", symbol=symbol, reason=why_not)

    def _tell_guard(self, pair: CoinPair, at: int, ctx: Context) -> None:
        """All that is held is guarded, what cannot be sold too: it has no other end."""
        assert pair.bar is not None, "it was looked at"
        held = pair.book.inventory.position
        told = self._guards.get(pair.symbol)
        if not held and (told is None or not told.quantity):
            return
        lots = pair.book.inventory.lots
        guard = Guard(
            name="exit_rules",
            bot=self._plan.bot_id,
            symbol=pair.symbol,
            quantity=held,
            since=lots[0].opened_at if lots else at,
            until=at + GUARD_LASTS,
            looked_at=at,
            price_at=pair.bar.end_at,
            hit=pair.hit if held else None,
        )
        if guard != told:
            self._guards[pair.symbol] = guard
            ctx.publish(GUARDS_TOPIC, GuardReported(guard=guard))

    def state_view(self) -> Mapping[str, object]:
        """By pair what is held and works, the last bar with its signal, why nothing was wanted."""
        pairs = self._pairs.values()
        return {
            "pairs": {symbol: self._view_of(pair) for symbol, pair in self._pairs.items()},
            "entries_today": sum(pair.book.entries for pair in pairs),
            "positions": sum(pair.is_taken for pair in pairs),
            "last_denial": self._last_denial,
            "recovered": self._record.is_known,
        }

    def _view_of(self, pair: CoinPair) -> Mapping[str, object]:
        signal = pair.strategy.signal
        return {
            **pair.book.state_view(),
            "last_close": None if pair.bar is None else pair.bar.close,
            "signal": None if signal is None else signal.value,
            "idle": self._idle.get(pair.symbol, ""),
            "has_history": pair.strategy.has_history,
        }


def _decided_at(pair: CoinPair, ctx: Context) -> int:
    assert pair.bar is not None, "it was decided on"
    return seen_at(pair.bar.end_at, ctx.market_time())
