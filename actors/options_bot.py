"""The options bot: one strategy on each underlying, calls and puts bought on what it says."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec
from msgspec import structs

from actors.bot_record import HISTORY_AGAIN_AFTER, BotRecord, ask_for_history, recover, take_report
from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import OptionChains
from hydra.trading.bars import Bar
from hydra.trading.denied_entries import DeniedEntries
from hydra.trading.durations import DAY
from hydra.trading.hit_stops import hit_stops_of
from hydra.trading.option_entry import RIGHT_OF, OptionEntry, entry_on, wanted_of
from hydra.trading.option_exits import PremiumExits
from hydra.trading.option_holding import HoldingTerms, Now, OptionHolding, Sell, TakeOut
from hydra.trading.option_holdings import OptionHoldings
from hydra.trading.option_prices import steps_of
from hydra.trading.option_rules import ChainContract, ChainQuery, ChainRules, choose_contract
from hydra.trading.option_search import OptionSearch, OptionSearches
from hydra.trading.option_symbols import root_of
from hydra.trading.order_checks import trading_is_open
from hydra.trading.orders import OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.quotes import Quote
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.strategies.strategy import Strategy, StrategyFactory
from hydra.trading.strategy_feed import StrategyFeed
from hydra.trading.symbol_book import ZERO
from hydra.trading.venue_clock import seen_at
from messages.lifecycle import Replied
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import (
    SYMBOLS_TOPIC,
    BarClosed,
    HistoryDue,
    HistoryReported,
    QuoteChanged,
    ReportHistory,
    SymbolReported,
    bars_topic,
    quotes_topic,
)
from messages.options import (
    ChainNotRead,
    ChainOverdue,
    ChainQuestion,
    ChainRead,
    FollowContracts,
    LookDue,
)
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
    | QuoteChanged
    | SymbolReported
    | ChainRead
    | ChainNotRead
    | ChainOverdue
    | LookDue
    | LoopRan
    | Replied
    | HistoryDue
    | ReportStored
    | OrderDenied
    | BookChanged
    | BookRecovered
    | RecoveryOverdue
)

CHAIN_WITHIN = 10 * SECOND
SEARCH_LASTS_INTERVALS = 5
"""So many bars after its signal a search for a contract is given up."""
GUARD_LASTS = DAY
"""A guard is told anew at each look; when the contract expires, its symbol says."""


class OptionsPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the options bot is configured to do. `manage_window`: from trade_start to manage_until.

    `sessions` are the exchange's; `calendar` is the same for as long as contracts may live.
    """

    bot_id: str
    tickers: tuple[str, ...]
    trade_window: Window
    manage_window: Window
    sessions: SessionTable
    calendar: SessionTable
    bar_interval: int
    premium_usd: Decimal
    """What one entry pays at most."""
    entry_lasts: int
    """Market time (ns)."""
    max_trades_per_day: int
    max_positions: int
    exits: PremiumExits
    rules: ChainRules
    strategy: str
    strategy_factory: StrategyFactory
    parameters: Mapping[str, object]

    def new_strategy(self) -> Strategy:
        """A fresh one, as it is configured; raises `BadParameters`."""
        return self.strategy_factory(self.parameters)

    @property
    def warm_ups(self) -> Mapping[str, int]:
        """The underlyings, and of how many bars its strategy wants to be shown at the start."""
        return dict.fromkeys(self.tickers, self.new_strategy().warm_up)

    @property
    def option_roots(self) -> frozenset[tuple[str, str]]:
        """With what the symbols begin of the contracts that it may trade, beside its name."""
        return frozenset((self.bot_id, root_of(ticker)) for ticker in self.tickers)

    @property
    def holding_terms(self) -> HoldingTerms:
        """What each of its contracts is held to."""
        return HoldingTerms(
            exits=self.exits,
            calendar=self.calendar,
            quote_age_ns_max=self.rules.quote_age_ns_max,
            entry_lasts=self.entry_lasts,
        )


class OptionsBot(Actor[Inbox]):
    """Decides to enter on closed bars of an underlying, and to leave on quotes and on time.

    A signal begins a search: the chain is asked for, the best contract of it is followed, and its
    next quote, if all rules still hold, is bid on. What is held is followed as well, and looked at
    with each quote, bar and tick of time. Limits are over all underlyings together, and searches
    and working orders count for what they may come to.
    """

    def __init__(
        self,
        plan: OptionsPlan,
        guardian: Ref[OrderIntent | CancelIntent | RecoverBook],
        feed: Ref[ReportHistory | FollowContracts],
        chains: OptionChains,
    ) -> None:
        self._plan = plan
        self._guardian = guardian
        self._feed = feed
        self._chains = chains
        self._record = BotRecord(plan.bot_id, guardian)
        self._strategies = {
            ticker: StrategyFeed(plan.new_strategy(), plan.sessions) for ticker in plan.tickers
        }
        self._bars: dict[str, Bar] = {}
        """The newest of each underlying that was news."""
        self._heard_until = dict.fromkeys(plan.tickers, 0)
        """The end of the newest bar of each underlying until which all that was said was heard."""
        self._holdings = OptionHoldings(plan.bot_id, plan.holding_terms)
        self._searches = OptionSearches(SEARCH_LASTS_INTERVALS * plan.bar_interval)
        self._followed: frozenset[str] = frozenset()
        self._guards: dict[str, Guard] = {}
        self._idle: dict[str, str] = {}
        self._last_denial = ""
        self._denials = DeniedEntries()

    def start(self, ctx: Context) -> None:
        for ticker in self._plan.tickers:
            ctx.subscribe(bars_topic(ticker))
        ctx.subscribe(reports_topic(self._plan.bot_id))
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        ctx.subscribe(LOOP_TOPIC)
        ctx.subscribe(SYMBOLS_TOPIC)
        ctx.every(SECOND, LookDue())
        self._record.ask(ctx)
        self._ask_for_history(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarClosed():
                self._take_bar(message, ctx)
            case QuoteChanged():
                self._take_quote(message.quote, ctx)
                return
            case ChainRead():
                self._choose(message, ctx)
            case ChainNotRead():
                self._give_up(message.asked_by, message.number, message.reason, ctx)
            case ChainOverdue():
                self._give_up(ctx.incarnation, message.number, "no answer in time", ctx)
            case SymbolReported():
                self._searches.hear(message.symbol, is_ready=message.why is None)
                return
            case LookDue() | LoopRan():
                pass  # the look below is what it is for
            case Replied(value=HistoryReported(bars=bars), tag=ticker):
                self._strategies[ticker].take_history(bars)
            case Replied():
                ctx.after(HISTORY_AGAIN_AFTER, HistoryDue())
            case HistoryDue():
                self._ask_for_history(ctx)
            case ReportStored():
                holding = self._holdings.get(message.decision.symbol)
                if holding is not None:
                    take_report(holding.book, message)
                if message.decision.role is Role.ENTRY:
                    self._denials.passed()
                    self._searches.judged(message.decision)
            case OrderDenied():
                self._denied(message, ctx)
                return  # nothing new to decide on: the same wish would be denied again
            case BookChanged():
                self._record.ask(ctx)
            case BookRecovered():
                if not self._record.is_answer(message, ctx):
                    return
                self._recover(message)
            case RecoveryOverdue():
                self._record.check_in_time()
            case _:
                unhandled(message)
        if self._record.is_known:
            self._look_at_all(ctx)
            self._follow(ctx, again=isinstance(message, LookDue))

    # What is on record

    def _ask_for_history(self, ctx: Context) -> None:
        for ticker, strategy in self._strategies.items():
            if not strategy.has_history:
                ask_for_history(self._feed, ticker, strategy.warm_up, ctx)

    def _recover(self, recovered: BookRecovered) -> None:
        """Every contract that is on record, also one that it would not buy any more."""
        named = (
            *(order.decision.symbol for order in recovered.orders),
            *(each.inventory.symbol for each in recovered.held),
        )
        for symbol in dict.fromkeys(named):
            self._holdings.of(symbol)
        recover([holding.book for holding in self._holdings], recovered)
        hits = hit_stops_of(recovered.hit_stops)
        for holding in self._holdings:
            holding.recall_hits(hits)

    def _take_bar(self, message: BarClosed, ctx: Context) -> None:
        bar = message.bar
        self._begin_session(ctx.market_time())
        self._strategies[bar.symbol].take_bar(bar)
        if message.is_backfill:  # history is nothing to decide on
            self._bars.pop(bar.symbol, None)
            return
        self._bars[bar.symbol] = bar
        self._leave_against(bar.symbol, ctx)  # it is said once, also while the record is read again
        if self._record.is_known:
            self._say_why_not(bar.symbol, self._search_for(bar, ctx), ctx)

    def _begin_session(self, at: int) -> None:
        session = self._plan.sessions.at(at)
        if session is not None:
            self._holdings.begin_session(session.date)

    def _denied(self, message: OrderDenied, ctx: Context) -> None:
        intent, denial, at = message.intent, message.denial, ctx.market_time()
        holding = self._holdings.get(intent.decision.symbol)
        if holding is not None:
            holding.denied(intent.decision, intent.order_type, denial.check, at)
        if intent.decision.role is Role.ENTRY:
            is_halted = denial.check == trading_is_open.__name__
            if not (is_halted and self._searches.taken_up(intent.decision, at)):
                self._searches.judged(intent.decision)
                self._denials.denied(at)
        self._last_denial = f"{denial.check}: {denial.reason}"

    # Entering

    @property
    def _entries(self) -> int:
        return self._holdings.entries + len(self._searches)

    @property
    def _positions(self) -> int:
        return len(self._holdings.taken) + len(self._searches)

    def _search_for(self, bar: Bar, ctx: Context) -> str:
        """Begin to look for a contract if there is a signal; gives why not, "" if it does."""
        strategy, plan, at = self._strategies[bar.symbol], self._plan, ctx.market_time()
        why_not = self._reason_not_to_enter(strategy, at)
        signal = strategy.entry(self._holdings.entered_at(bar.symbol))
        right = None if signal is None else RIGHT_OF.get(signal)
        if why_not or right is None:
            return why_not or "the strategy gives no signal"
        if self._searches.of(bar.symbol) is not None:
            return "it looks for a contract already"
        wanted = wanted_of(plan.rules, Decimal(repr(bar.close)), at)
        if wanted is None:
            return f"{bar.close} is no price"
        strategy.acted()
        number = self._searches.begin(bar.symbol, right, at).number
        question = ChainQuestion(
            underlying=bar.symbol,
            right=right,
            first=wanted.first,
            last=wanted.last,
            strike_from=wanted.strike_from,
            strike_to=wanted.strike_to,
            reply_to=ctx.me.path,
            asked_by=ctx.incarnation,
            number=number,
        )
        self._chains.ask(question)
        ctx.after(CHAIN_WITHIN, ChainOverdue(number=number), key=f"chain {number}")
        return ""

    def _reason_not_to_enter(self, strategy: StrategyFeed, at: int) -> str:
        plan = self._plan
        if not strategy.has_history:
            return "the bars of before its start are not here yet"
        if self._is_over(at):
            return "the session is over, or soon will be"
        if not plan.trade_window.contains(at):
            return "it is outside its trade window"
        if self._entries >= plan.max_trades_per_day:
            return f"it has made its {self._entries} entries of the day"
        if self._positions >= plan.max_positions:
            return f"it has {self._positions} positions, with what may come to be one"
        return self._denials.why_not(at)

    def _is_over(self, at: int) -> bool:
        """No position is to be held any more: past `manage_until`, or just before the close."""
        session = self._plan.sessions.at(at)
        if session is None or at >= session.close_at - self._plan.exits.flatten_before_close_ns:
            return True
        return not self._plan.manage_window.contains(at)

    def _choose(self, answer: ChainRead, ctx: Context) -> None:
        search = self._search_of(answer.asked_by, answer.number, ctx)
        if search is None:
            return
        free = [
            _of_our_time(each, ctx)
            for each in answer.contracts
            if not self._holdings.has(each.symbol)
        ]
        # As old as they were when the chain was answered: what is bid on is a later quote anyway.
        quoted_at = [each.quote.at for each in free if each.quote is not None]
        at = max([search.began_at, *(each for each in quoted_at if each <= ctx.market_time())])
        choice = choose_contract(free, self._query(search, at))
        if choice.chosen is not None:
            search.choose(choice.chosen, ctx.market_time())
        ctx.log(
            "chain_searched",
            underlying=search.underlying,
            right=search.right.value,
            chosen=None if choice.chosen is None else choice.chosen.symbol,
            eligible=len(choice.eligible),
            rejected=dict(Counter(each.rule for each in (*answer.unread, *choice.rejected))),
        )
        if choice.chosen is None:
            self._end(search, "no contract of the chain would do", ctx)

    def _query(self, search: OptionSearch, at: int) -> ChainQuery:
        bar, plan = self._bars.get(search.underlying), self._plan
        return ChainQuery(
            underlying=search.underlying,
            underlying_price=None if bar is None else Decimal(repr(bar.close)),
            right=search.right,
            rules=plan.rules,
            sessions=plan.calendar,
            premium_usd_max=plan.premium_usd,
            at=at,
        )

    def _search_of(self, asked_by: int, number: int, ctx: Context) -> OptionSearch | None:
        """That which waits for the answer to this question."""
        return self._searches.asked(number) if asked_by == ctx.incarnation else None

    def _give_up(self, asked_by: int, number: int, reason: str, ctx: Context) -> None:
        search = self._search_of(asked_by, number, ctx)
        if search is not None:
            self._end(search, f"the chain could not be read: {reason}", ctx)

    def _end(self, search: OptionSearch, why: str, ctx: Context) -> None:
        self._searches.end(search)
        ctx.cancel(f"chain {search.number}")
        self._say_why_not(search.underlying, why, ctx)

    def _bid(self, search: OptionSearch, quote: Quote, ctx: Context) -> None:
        """On the first quote after the choice, or not at all."""
        plan, at, contract = self._plan, ctx.market_time(), search.contract
        assert contract is not None, "its quote was waited for"
        if self._is_over(at) or not plan.trade_window.contains(at):
            self._end(search, "it is outside its trade window by now", ctx)
            return
        entry = entry_on(contract, quote, self._query(search, at), plan.exits)
        holding = self._holdings.of(contract.symbol)
        if isinstance(entry, str) or holding is None:
            self._end(search, f"{contract.symbol}: {entry}", ctx)
            return
        self._end(search, "", ctx)
        holding.steps = steps_of(contract.in_penny_program)
        self._intend_entry(holding, entry, search, ctx)

    def _intend_entry(
        self, holding: OptionHolding, entry: OptionEntry, search: OptionSearch, ctx: Context
    ) -> None:
        decision = holding.book.next_decision(Role.ENTRY)
        self._searches.bid(search, decision)
        holding.book.intended(decision, entry.quantity)
        intent = OrderIntent(
            decision=decision,
            side=Side.BUY,
            quantity=entry.quantity,
            reason=f"{self._plan.strategy}: {search.right.value}",
            decided_at=ctx.market_time(),
            reference_price=entry.limit_price,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=entry.limit_price,
            protective_stop=entry.protective_stop,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    # What is held

    def _take_quote(self, quote: Quote, ctx: Context) -> None:
        quote = structs.replace(quote, at=seen_at(quote.at, ctx.market_time()))
        holding = self._holdings.get(quote.symbol)
        if holding is not None:
            holding.quote = quote
        if not self._record.is_known:
            return
        for search in self._searches.decided_by(quote):
            self._bid(search, quote, ctx)
        if holding is not None:
            self._look_at(holding, ctx)
        self._follow(ctx)

    def _look_at_all(self, ctx: Context) -> None:
        at = ctx.market_time()
        self._begin_session(at)
        for search in self._searches.overdue(at):
            self._end(search, "its search for a contract took too long", ctx)
        for holding in self._holdings:
            self._look_at(holding, ctx)

    def _leave_against(self, underlying: str, ctx: Context) -> None:
        """What the newest signal says the contrary of: look no more for it, close what is held."""
        strategy = self._strategies[underlying]
        search = self._searches.turned(underlying, strategy.signal)
        if search is not None:
            self._end(search, "its strategy says the contrary by now", ctx)
        holdings, heard_until = self._holdings.on(underlying), self._heard_until[underlying]
        is_known = self._record.is_known and strategy.has_history
        for holding in holdings:
            if is_known:
                holding.recall(strategy, heard_until)
            holding.hear(strategy.signal)
        if is_known:
            self._heard_until[underlying] = self._bars[underlying].end_at

    def _look_at(self, holding: OptionHolding, ctx: Context) -> None:
        at = ctx.market_time()
        now = Now(
            at=at,
            session=self._plan.sessions.at(at),
            manage_until_passed=not self._plan.manage_window.contains(at),
        )
        match holding.wish(now):
            case Sell() as sell if holding.book.session is not None:
                if not self._holdings.is_cover(holding):
                    self._sell(holding, sell, ctx)
            case TakeOut(decision, reason):
                ctx.tell(self._guardian, CancelIntent(decision=decision, reason=reason))
            case _:
                pass
        self._tell_guard(holding, at, ctx)

    def _sell(self, holding: OptionHolding, sell: Sell, ctx: Context) -> None:
        decision, at = holding.book.next_decision(Role.EXIT), ctx.market_time()
        holding.book.intended(decision, sell.quantity)
        holding.sold(decision, sell.limit_price)
        quote = holding.usable_quote(at)
        intent = OrderIntent(
            decision=decision,
            side=Side.SELL,
            quantity=sell.quantity,
            reason=sell.reason,
            decided_at=at,
            reference_price=None if quote is None else Decimal(repr(quote.bid)),
            order_type=OrderType.MARKET if sell.limit_price is None else OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=sell.limit_price,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def _tell_guard(self, holding: OptionHolding, at: int, ctx: Context) -> None:
        # What is short has no rule here: the exit bot buys it back.
        held, symbol, quote = max(holding.position, ZERO), holding.book.symbol, holding.quote
        told = self._guards.get(symbol)
        if not held and (told is None or not told.quantity):
            return
        lots = holding.book.inventory.lots
        guard = Guard(
            name="premium_exits",
            bot=self._plan.bot_id,
            symbol=symbol,
            quantity=held,
            since=lots[0].opened_at if lots else at,
            until=at + GUARD_LASTS,
            looked_at=at,
            price_at=None if quote is None else quote.at,
            hit=holding.hit if held else None,
        )
        if guard != told:
            self._guards[symbol] = guard
            ctx.publish(GUARDS_TOPIC, GuardReported(guard=guard))

    def _follow(self, ctx: Context, *, again: bool = False) -> None:
        """Have the quotes told of what is held, works, or is waited for; said again and again."""
        searched = (each.contract for each in self._searches)
        held = sorted(holding.book.symbol for holding in self._holdings.taken)
        looked_for = sorted(contract.symbol for contract in searched if contract is not None)
        wanted = frozenset((*held, *looked_for))
        for symbol in sorted(wanted - self._followed):
            ctx.subscribe(quotes_topic(symbol))
        for symbol in sorted(self._followed - wanted):
            ctx.unsubscribe(quotes_topic(symbol))
            holding = self._holdings.get(symbol)
            if holding is not None:
                holding.quote = None  # it grows old from now on
        if wanted != self._followed or again:
            self._followed = wanted
            symbols = tuple(dict.fromkeys((*held, *looked_for)))
            wish = FollowContracts(bot=self._plan.bot_id, symbols=symbols)
            ctx.tell(self._feed, wish)

    def _say_why_not(self, underlying: str, why_not: str, ctx: Context) -> None:
        if why_not != self._idle.get(underlying, ""):
            self._idle[underlying] = why_not
            if why_not:
                # Only when it changes: that nothing happens is told in a few lines a day.
                ctx.log("nothing_decided", symbol=underlying, reason=why_not)

    def state_view(self) -> Mapping[str, object]:
        """By contract what is held and works, by underlying what it waits for and why not."""
        taken = self._holdings.taken
        return {
            "contracts": {each.book.symbol: each.book.state_view() for each in taken},
            "position": str(self._holdings.position),
            "searches": {
                each.underlying: None if each.contract is None else each.contract.symbol
                for each in self._searches
            },
            "entries_today": self._entries,
            "positions": self._positions,
            "session": self._holdings.session,
            "last_close": {ticker: bar.close for ticker, bar in self._bars.items()},
            "last_denial": self._last_denial,
            "idle": dict(self._idle),
            "recovered": self._record.is_known,
            "has_history": all(each.has_history for each in self._strategies.values()),
        }


def _of_our_time(contract: ChainContract, ctx: Context) -> ChainContract:
    quote = contract.quote
    if quote is None:
        return contract
    ours = structs.replace(quote, at=seen_at(quote.at, ctx.market_time()))
    return structs.replace(contract, quote=ours)
