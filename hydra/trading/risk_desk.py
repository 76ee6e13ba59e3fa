"""The risk desk: everything that the guardian counts, kept together and asked as one.

Positions and orders at their worst (`risk_book`), what was attempted (`rates`), the account's worth
over the day (`account_day`) and what may still be lost (`budgets`). It makes the situation that the
checks judge, and it says which causes follow from what it learned. No clock, no message, no I/O:
the same calls leave an equal desk, so a restart rebuilds it from the record (I38).
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from msgspec import structs

from hydra.trading import account_day
from hydra.trading.account_day import (
    AccountDay,
    EquityObserved,
    RiskMode,
    Traded,
)
from hydra.trading.budgets import (
    BudgetDay,
    Budgets,
    DayGrants,
    GrantProposal,
    fallback_grants,
    fault_in_grants,
    fault_in_proposal,
    shares_for_day,
)
from hydra.trading.causes import (
    ABSENT_ORDER_LIVES,
    REJECTIONS,
    THROTTLE,
    UNMANAGED,
    kind_of,
)
from hydra.trading.corporate_actions import ActionsWatch
from hydra.trading.coverage_watch import CoverageWatch
from hydra.trading.desk_terms import DeskRecord, DeskTerms
from hydra.trading.exact import add, multiply, percent_of, subtract, total
from hydra.trading.execution_watch import ExecutionWatch
from hydra.trading.exposure import is_price
from hydra.trading.fees import USD, Fee
from hydra.trading.instruments import Instrument, instrument, value_of
from hydra.trading.loops import LoopWatch
from hydra.trading.money_checks import order_value
from hydra.trading.option_prices import PENNY_STEPS, middle_of
from hydra.trading.option_rules import printed
from hydra.trading.order_life import (
    Canceled,
    Expired,
    OrderEvent,
    OrderState,
    OrderStatus,
    Rejected,
    Replaced,
)
from hydra.trading.orders import DecisionKey, Fill, Order
from hydra.trading.quotes import Quote
from hydra.trading.rates import (
    Attempts,
    OrderAttempt,
    RoundTrip,
    RoundTripsSeen,
    VenueAccepted,
    VenueRejected,
)
from hydra.trading.risk_book import RiskBook
from hydra.trading.sessions import hours_of
from hydra.trading.situation import (
    BudgetView,
    EquityView,
    Limits,
    MarketView,
    PriceStep,
    Proposal,
    Situation,
)
from hydra.trading.steady import SteadyTradingDay
from hydra.trading.trading_state import Cause, concerns, state_for
from hydra.trading.working_orders import WorkingOrder

ZERO = Decimal(0)


class RiskDesk:
    """See the module. All times are market time (UTC ns), all money is USD."""

    def __init__(self, terms: DeskTerms) -> None:
        self._terms = terms
        self._trading_day = SteadyTradingDay(terms.sessions)
        self._limits: dict[str, Limits] = {}
        """By bot."""
        self._attempts = Attempts()
        self._budgets = Budgets(None, _NOTHING_GRANTED, {})
        self._opening_cash: Decimal | None = None
        self._cash = ZERO
        self._quotes: dict[str, Quote] = {}
        """The newest of each contract."""
        self._has_looked = False
        """Whether the account was valued since the desk was begun, or recovered."""
        self._blind_since: int | None = None
        """When it was first to be valued, and could not be."""
        self.book = RiskBook(terms.limits.gap_factor, terms.fees)
        self.day = AccountDay()
        self.granted = _NOTHING_GRANTED
        self.is_granted = False
        """Grants are in force that were proposed for this day, and verified."""
        self.loops = LoopWatch()
        self.coverage = CoverageWatch()
        self.actions = ActionsWatch(is_asked=terms.asks_of_actions)
        self.execution = ExecutionWatch(terms.regime_shares)
        self.orders_today = 0
        """Approved since the day began, by everybody."""

    def recover(self, record: DeskRecord) -> None:
        """Begin anew from the record. Prices are not on it: they are known again when they come."""
        self.book.recover(record.holdings, record.orders, record.excluded, record.given_up)
        self._attempts = Attempts.recovered(record.happened)
        self._opening_cash, self._cash = record.opening_cash, record.cash
        self.orders_today = sum(
            isinstance(event, OrderAttempt) and event.session >= record.day.session
            for event in record.happened
        )
        was_parted = self.day.differs
        self.day = record.day
        if was_parted:  # it may have been found while the record was being read
            self.day = account_day.parted(self.day)
        self._has_looked, self._blind_since = False, None
        self._begin_budgets(record.realised, record.granted)

    def take(self, terms: DeskTerms) -> None:
        """Hold everything to these terms from now on. What was counted stays counted."""
        self._terms = terms
        self._trading_day = SteadyTradingDay(terms.sessions)
        self._limits.clear()
        self.book.take_gap_factor(terms.limits.gap_factor)
        self.execution.take(terms.regime_shares)
        self.actions.take(is_asked=terms.asks_of_actions)
        self._measure_budgets_anew()

    def _limits_of(self, bot: str) -> Limits:
        if bot not in self._limits:
            self._limits[bot] = self._terms.limits_of(bot)
        return self._limits[bot]

    def knows(self, name: str) -> bool:
        """Whether an order of this name was approved before, as far as the book goes back."""
        return self.book.order(name) is not None

    def situation(self, proposal: Proposal, causes: Iterable[Cause], at: int) -> Situation:
        """What the checks are to judge. Nothing is changed by asking."""
        terms, bot, symbol = self._terms, proposal.bot, proposal.symbol
        held_against = [each for each in causes if concerns(each, bot, symbol)]
        window = terms.windows.get(bot)
        price, price_at = self.book.marks.told(symbol)
        quote = self._quotes.get(symbol)
        day = self.day
        return Situation(
            at=at,
            state=state_for(held_against, bot, symbol),
            cause_codes=tuple([each.code for each in held_against]),
            proposal=proposal,
            limits=self._limits_of(bot),
            market=MarketView(
                price=price,
                price_at=price_at,
                session_open=hours_of(symbol, terms.sessions).at(at) is not None,
                window_open=window is not None and window.contains(at),
                bid=None if quote is None else _price_in(quote.bid),
                ask=None if quote is None else _price_in(quote.ask),
                price_steps=_steps_of(symbol, terms),
            ),
            book=self.book.view(proposal),
            budget=self._budget_of(proposal),
            rates=self._attempts.view(proposal, terms.limits, at, self._session(at)),
            equity=EquityView(
                equity=day.equity, day_start=day.day_start, peak=day.peak, cash=self._account_cash
            ),
            loop=self.loops.view,
            coverage=self.coverage.view,
            actions=self.actions.view(symbol, at),
        )

    def quoted(self, quote: Quote, at: int) -> None:
        """A contract is quoted so at market time `at`: it is valued half way between the two."""
        known = self._quotes.get(quote.symbol)
        if known is None or quote.at >= known.at:
            self._quotes[quote.symbol] = quote
        self.book.mark(quote.symbol, middle_of(quote), at)

    def approve(self, order: Order, decision: DecisionKey, situation: Situation) -> None:
        """Reserve and count what the checks have let pass, in the same step as their judgement."""
        proposal = situation.proposal
        self.book.reserve(
            WorkingOrder(
                decision=decision,
                state=OrderState(order=order),
                reference_price=proposal.reference_price,
                protective_stop=proposal.protective_stop,
            )
        )
        self.orders_today += 1
        value = order_value(proposal, situation.market.price)
        self._attempts.note(
            OrderAttempt(
                at=situation.at,
                session=self._session(situation.at),
                bot=decision.bot,
                symbol=decision.symbol,
                role=decision.role,
                side=order.side,
                quantity=order.quantity,
                order_type=order.order_type,
                notional=ZERO if value is None else value,
            )
        )

    def learn(
        self, decision: DecisionKey, name: str, event: OrderEvent, at: int
    ) -> tuple[Cause, ...]:
        """Take up what is on record now of an order, once; gives the causes that follow from it.

        What is executed once a day is over counts in the next one, whoever is the first to say so:
        a look at the account begins it too, but not where no equity is known.
        """
        if isinstance(event, Fill) and self.is_over(at):
            self._begin_day(self._session(at))
        known = self.book.order(name)
        was_absent = known is not None and known.state.status is OrderStatus.ABSENT
        closed = self.book.learned(decision, name, event)
        now = self.book.order(name)
        causes: list[Cause] = []
        if was_absent and now != known:
            detail = f"{name} was given up as absent, and the venue speaks of it"
            causes.append(ABSENT_ORDER_LIVES.cause(since=at, detail=detail))
        match event:
            case Fill():
                value = value_of(event.symbol, event.quantity, event.price)
                self._cash = subtract(self._cash, multiply(value, Decimal(event.side.sign)))
                self.day = account_day.after(self.day, Traded(value), self._terms.day_limits)
                self._budgets.booked(decision.bot, closed)
                self._carry(decision, total(lot.realised for lot in closed))
                if closed and not self.book.positions.get((decision.bot, decision.symbol)):
                    causes += self._round_trip(decision, at)
                self._attempts.note(VenueAccepted(decision.symbol))
            case Canceled() | Expired() | Replaced():
                # That it was accepted says nothing yet: the market may reject it late (I39).
                self._attempts.note(VenueAccepted(decision.symbol))
            case Rejected():
                causes += self._rejected(decision.symbol, at)
            case _:
                pass
        if now is not None and now != known and self._left_dust(now):
            causes += self._round_trip(decision, at, left_dust=True)
        return tuple(causes)

    def charge(self, fee: Fee, decision: DecisionKey) -> None:
        """Take up what the venue keeps of an execution of the decision's order, once, after the
        execution itself.
        """
        made = self.book.charge(fee)
        self._budgets.made(fee.bot, made)
        self._carry(decision, made)
        if fee.asset == USD:
            self._cash = subtract(self._cash, fee.amount)

    def forget_rejections(self, symbol: str) -> tuple[str, ...]:
        """A person has looked why the venue refuses the symbol's orders: they count from now on.

        Gives the names of those that do not; a desk that is rebuilt is not to be told of them.
        """
        self._attempts.note(VenueAccepted(symbol))
        return self.book.rejected_in(symbol)

    def forget_round_trips(self, bot: str, at: int) -> RoundTripsSeen:
        """A person has looked why the bot goes in and out: what it makes counts from now on.

        Gives what a desk that is rebuilt is to be told.
        """
        return self._attempts.see_round_trips(bot, self._session(at))

    def opened_with(self, cash: Decimal) -> None:
        """The account's cash as the venue gave it, all that we booked included."""
        if self._opening_cash is None:
            self._opening_cash = subtract(cash, self._cash)

    def observe(
        self, venues_equity: Decimal | None, at: int, *, differs: bool | None = None
    ) -> tuple[Cause, ...]:
        """Value the account now; gives everything that is wrong with its worth.

        `venues_equity` is what the venue said just now, None if it was not asked. While neither
        side says anything, what was known last holds until it is too old. After a start what is
        held has no price yet, and what is on record is of long ago: then the same time is given to
        the venue, or to the market, to say it first. Entries wait for that (`equity_is_known`).

        `differs`: whether record and venue were found to differ in what is held, at this very
        moment; None: they were not compared. While they do our own record does not count.
        """
        ours = self.equity
        if differs:
            self.day = account_day.parted(self.day)
        elif differs is False and self.day.differs:
            self.day = account_day.rejoined(self.day, ours, venues_equity)
            self._measure_budgets_anew()
        if self.day.differs:
            ours, venues_equity = None, account_day.held_back(self.day, venues_equity)
        if ours is None and venues_equity is None:
            return () if self._has_just_begun(at) else self.alarms(at)
        self._has_looked = True
        session = self._session(at)
        if session > self.day.session:
            self._begin_day(session)
        observed = EquityObserved(ours=ours, venues=venues_equity, session=session, at=at)
        self.day = account_day.after(self.day, observed, self._terms.day_limits)
        if session and not self.granted.shares:
            self._begin_budgets(self._budgets.realised, {})
        return self.alarms(at)

    def _begin_day(self, session: str) -> None:
        self.day = account_day.begun(self.day, session)
        self.orders_today = 0
        self.book.forget_ended()
        self._begin_budgets({}, {})

    def _carry(self, decision: DecisionKey, made: Decimal) -> None:
        """What an order of another day made is of this one, and the ledger does not say so."""
        if made and decision.session != self.day.session:
            carried = self.day.carried
            made = add(carried.get(decision.bot, ZERO), made)
            self.day = structs.replace(self.day, carried={**carried, decision.bot: made})

    def _has_just_begun(self, at: int) -> bool:
        if self._has_looked:
            return False
        if self._blind_since is None:
            self._blind_since = at
        return 0 <= at - self._blind_since <= self._terms.day_limits.equity_age_ns_max

    def alarms(self, at: int) -> tuple[Cause, ...]:
        """What is wrong with the account's worth as it was last observed."""
        return account_day.alarms(self.day, self._terms.day_limits, at, is_flat=not self.may_hold())

    def is_over(self, at: int) -> bool:
        """Whether another trading day has begun since the account was last valued."""
        return self._session(at) > self.day.session

    def loop_ended(self, at: int) -> tuple[Cause, ...]:
        """Who speaks after a loop has been silent for one more; gives what follows from that."""
        self.coverage.loop_ran()
        self.actions.loop_ran()
        self.execution.loop_ran()
        return self.execution.alarms(at)

    @property
    def is_opened(self) -> bool:
        """Whether the account's cash is known at all."""
        return self._opening_cash is not None

    @property
    def equity(self) -> Decimal | None:
        """Cash and positions at their marks; None if either is not known."""
        value, cash = self.book.market_value, self._account_cash
        return None if value is None or cash is None else add(cash, value)

    @property
    def budget_day(self) -> BudgetDay | None:
        """What has to be known to grant budgets; None: no day has begun, or its limit is not known.

        What bots have used up of it is as of now.
        """
        limit = self._loss_limit
        if limit is None or not self.day.session:
            return None
        return BudgetDay(
            session=self.day.session,
            loss_limit=limit,
            terms=self._terms.budgets,
            used=self._budgets.used(self.book.at_risk()),
            granted=self.granted.grants,
        )

    @property
    def wants_grants(self) -> bool:
        """Nobody may enter for want of a budget, and somebody is there to propose them."""
        is_known = bool(self.granted.shares)
        return is_known and not self.is_granted and self._terms.budgets.is_proposed

    def grant(self, proposal: GrantProposal) -> str | None:
        """Put what is proposed in force, if it can be granted; else why it cannot."""
        day = self.budget_day
        if day is None:
            return "no trading day has begun, or what may be lost in it is not known"
        if not day.terms.is_proposed:
            return "portfoliobot.enabled is false: nothing is granted"
        fault = fault_in_proposal(proposal, day)
        if fault is None:
            shares = shares_for_day(day)
            granted = structs.replace(shares, grants=proposal.grants, refused=proposal.refused)
            self._put_in_force(granted, day.loss_limit)
            self.is_granted = True
        return fault

    def fall_back(self) -> bool:
        """Grant the least, as nobody has proposed anything; False if the terms do not say so."""
        day = self.budget_day
        if day is None or not self.wants_grants or not day.terms.falls_back:
            return False
        self._put_in_force(fallback_grants(day), day.loss_limit)
        return True

    @property
    def risk_mode(self) -> RiskMode:
        """What new entries may risk, by the drawdown's state; alarms stop them by themselves."""
        return account_day.risk_mode(self.day, ())

    def _budget_of(self, proposal: Proposal) -> BudgetView:
        """What is left to it for this entry: of a drawdown and of a restless market only less."""
        bot = proposal.bot
        view = self._budgets.view(bot, self.book.at_risk())
        of_regime = self.execution.share_of(proposal.symbol, proposal.decided_at)
        share = multiply(self.risk_mode.share, of_regime)
        if view.bot_left is None or share == 1:
            return view
        withheld = subtract(Decimal(1), share)
        cut = multiply(self.granted.grants.get(bot, ZERO), withheld)
        return structs.replace(view, bot_left=subtract(view.bot_left, cut))

    @property
    def dust(self) -> dict[tuple[str, str], Decimal]:
        """What is held, by bot and symbol, that no order can be for: too little of a coin. It is
        ours and is counted as such, but nobody can be asked to close it.
        """
        positions = self.book.positions
        found = {place: self._dust_in(place[1], held) for place, held in positions.items()}
        return {place: left for place, left in found.items() if left}

    def _dust_in(self, symbol: str, held: Decimal) -> Decimal:
        coin = self._terms.coins.get(symbol)
        if coin is None:
            return ZERO
        mark, _ = self.book.marks.told(symbol)
        return subtract(held, coin.sellable(held, mark))

    def may_hold(self, bot: str | None = None) -> bool:
        """Whether there is anything to close, or may come to be; None: of whomever. Dust is not."""
        if self.book.is_any_open(bot):
            return True
        if self.book.is_flat:
            return False
        dust = self.dust
        return any(
            bot in (None, place[0]) and held != dust.get(place)
            for place, held in self.book.positions.items()
        )

    def still_unmanaged(
        self, causes: Iterable[Cause], taken_over: Collection[str] | None
    ) -> frozenset[str]:
        """The codes of those whose bot, which was given up, still may hold something that it does
        not look after. `taken_over`: what the exit bot looks after in the place of bots ("bot
        symbol"); None: nobody says, so it may be all.
        """
        unmanaged = [each.code for each in causes if kind_of(each.code) is UNMANAGED]
        return frozenset(
            code
            for code in unmanaged
            if self._may_be_left_alone(code.removeprefix(UNMANAGED.code), taken_over)
        )

    def _may_be_left_alone(self, bot: str, taken_over: Collection[str] | None) -> bool:
        if taken_over is None or any(place.startswith(f"{bot} ") for place in taken_over):
            return self.may_hold(bot)
        # What it may come to hold nobody can have taken over yet.
        return any(each.is_entry and each.decision.bot == bot for each in self.book.open_orders)

    def _session(self, at: int) -> str:
        return self._trading_day.of(at)

    @property
    def _loss_limit(self) -> Decimal | None:
        """What may be lost in the day, by the equity that it began with."""
        if self.day.day_start is None:
            return None
        limit = percent_of(self.day.day_start, self._terms.limits.daily_loss_pct_max)
        return limit if limit > 0 else None

    @property
    def _account_cash(self) -> Decimal | None:
        return None if self._opening_cash is None else add(self._opening_cash, self._cash)

    def _begin_budgets(
        self, realised: Mapping[str, Decimal], granted: Mapping[str, Decimal]
    ) -> None:
        """The day's budgets anew. `granted` stays in force as far as the terms allow all of it."""
        self.is_granted = False
        self._budgets = Budgets(self._loss_limit, _NOTHING_GRANTED, realised)
        self.granted, day = _NOTHING_GRANTED, self.budget_day
        if day is None:
            return
        shares = shares_for_day(day)
        kept = {bot: each for bot, each in granted.items() if each > 0 and bot in shares.bucket_of}
        if kept and day.terms.is_proposed and fault_in_grants(kept, day) is None:
            self.is_granted = True
            shares = structs.replace(shares, grants=kept)
        self._put_in_force(shares, day.loss_limit)

    def _measure_budgets_anew(self) -> None:
        """What they are measured by is another now: the terms, or the day's start."""
        if self.granted.shares:
            kept = self.granted.grants if self.is_granted else {}  # a fallback is nobody's grant
            self._begin_budgets(self._budgets.realised, kept)

    def _put_in_force(self, granted: DayGrants, loss_limit: Decimal) -> None:
        self.granted = granted
        self._budgets = Budgets(loss_limit, granted, self._budgets.realised)

    def _left_dust(self, working: WorkingOrder) -> bool:
        """Whether the order has come to its end, and closed all that an order can be for.

        Only at its end: what it leaves between its executions may be little, and is still its own.
        """
        decision, state = working.decision, working.state
        if state.status.is_open or not (decision.role.reduces and state.filled_quantity):
            return False
        left = self.book.positions.get((decision.bot, decision.symbol), ZERO)
        return left > 0 and self._dust_in(decision.symbol, left) == left

    def _round_trip(
        self, decision: DecisionKey, at: int, *, left_dust: bool = False
    ) -> list[Cause]:
        bot, session = decision.bot, self._session(at)
        self._attempts.note(RoundTrip(bot, session))
        if left_dust or decision.session != self.day.session:
            known = self.day.round_trips  # the ledger asks for nothing left, and its decision's day
            more = {**known, bot: known.get(bot, 0) + 1}
            self.day = structs.replace(self.day, round_trips=more)
        made, most = (
            self._attempts.round_trips(bot, session),
            self._terms.limits.round_trips_per_day_max,
        )
        if made < most:
            return []
        detail = f"{bot} has made {made} round trips today, fewer than {most} allowed"
        return [THROTTLE.cause(subject=bot, since=at, detail=detail)]

    def _rejected(self, symbol: str, at: int) -> list[Cause]:
        self._attempts.note(VenueRejected(symbol))
        found, most = self._attempts.rejections(symbol), self._terms.limits.rejections_in_a_row_max
        if found < most:
            return []
        detail = (
            f"the venue rejected {found} orders of {symbol} in a row, fewer than {most} allowed"
        )
        return [REJECTIONS.cause(subject=symbol, since=at, detail=detail)]


def _price_in(number: float) -> Decimal | None:
    """None if it cannot be one: of what nobody has bid for one may at least get out."""
    price = printed(number)
    return price if is_price(price) else None


def _steps_of(symbol: str, terms: DeskTerms) -> tuple[PriceStep, ...]:
    """Of a contract the finest there are: which class it is of, only its listing says."""
    steps = terms.price_steps.get(symbol, ())
    return PENNY_STEPS if not steps and instrument(symbol) is Instrument.OPTION else steps


_NOTHING_GRANTED = DayGrants(grants={}, shares={}, bucket_of={})
