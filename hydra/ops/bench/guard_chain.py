"""One whole judgement of the risk desk: make the situation, ask every check, reserve and count."""

import statistics
from collections.abc import Callable
from decimal import Decimal
from time import perf_counter_ns

from hydra.actor import MINUTE, SECOND
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import collector_at_rest, medians
from hydra.ops.bench.wide_terms import wide_terms
from hydra.trading.budgets import proposed
from hydra.trading.order_life import Accepted, Canceled
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from hydra.trading.risk_checks import CHECKS, first_denial
from hydra.trading.risk_desk import RiskDesk
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.situation import Proposal

JUDGEMENTS = 1_000
BOTS = 8
SYMBOLS = 4
WORKING = 10
EVERY = 6 * SECOND
"""Market time from one judgement to the next: ten entries a minute, which the settings allow."""
ACCOUNT = "BENCH"
CASH = Decimal(1_000_000)
PRICE, STEP, STOP = Decimal("100.25"), Decimal("0.01"), Decimal("99.50")
SESSION = ExchangeSession("2026-01-05", 0, 24 * 60 * MINUTE, early_close=False)

GUARD_CHAIN = Figure(
    name="guard_chain",
    unit="µs",
    what=f"all {len(CHECKS)} checks of an entry that passes; {BOTS} bots in {SYMBOLS} symbols hold "
    f"positions and have {WORKING} orders working",
    bound=f"a loop over {len(CHECKS)} functions that return None",
    bar=Bar(at_most=50),
)
JUDGEMENT = Figure(
    name="judgement",
    unit="µs",
    what="the same with all around it: RiskDesk.situation, the checks, RiskDesk.approve; the "
    "symbol's price is new each time",
    bound=GUARD_CHAIN.bound,
    aim="50 µs",
)


class Desk:
    """A risk desk in the middle of a busy session, and the next wish for it to judge."""

    def __init__(self) -> None:
        self._bots = tuple(f"bot{number}" for number in range(BOTS))
        self._symbols = tuple(f"BENCH{number}" for number in range(SYMBOLS))
        self.risk = RiskDesk(wide_terms(self._bots, self._symbols, SessionTable((SESSION,))).desk)
        self._at = 0
        self._signals = 0
        self.risk.opened_with(CASH)
        for symbol in self._symbols:
            self.risk.book.mark(symbol, PRICE, self._at)
        self.risk.observe(CASH, self._at)
        self._grant_budgets()
        self.risk.loops.heard(1, passed=True)
        self.risk.coverage.told(is_known=True, pct=Decimal(100), uncovered={})
        for number in range(BOTS):
            self._buy(number)
        for number in range(WORKING):
            self._approve(*self._wish(number % BOTS, limit_price=PRICE - 1))

    def _grant_budgets(self) -> None:
        day = self.risk.budget_day
        proposal = None if day is None else proposed(day, set())
        if proposal is None or self.risk.grant(proposal) is not None:
            raise CouldNotMeasure("budgets were to be granted")

    def judge_next(self) -> tuple[int, int]:
        """Judge a wish of the next bot; gives the nanoseconds of the checks, and of all of it.
        Afterwards all is as before.
        """
        self._at += EVERY
        proposal, order, decision = self._wish(self._signals % BOTS)
        price = PRICE + STEP if self._signals // BOTS % 2 else PRICE
        self.risk.book.mark(proposal.symbol, price, self._at)
        began = perf_counter_ns()
        situation = self.risk.situation(proposal, (), self._at)
        made = perf_counter_ns()
        denial = first_denial(situation)
        checked = perf_counter_ns()
        self.risk.approve(order, decision, situation)
        took = checked - made, perf_counter_ns() - began
        if denial is not None:
            raise CouldNotMeasure(f"a judgement was to pass: {denial.check}: {denial.reason}")
        self.risk.learn(decision, order.client_order_id, Canceled(), self._at)
        return took

    def _buy(self, number: int) -> None:
        proposal, order, decision = self._wish(number)
        self._approve(proposal, order, decision)
        name = order.client_order_id
        self.risk.learn(decision, name, Accepted(f"venue-{name}"), self._at)
        fill = Fill(
            execution_id=f"execution-{name}",
            client_order_id=name,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=PRICE,
            at=self._at,
        )
        self.risk.learn(decision, name, fill, self._at)

    def _approve(self, proposal: Proposal, order: Order, decision: DecisionKey) -> None:
        situation = self.risk.situation(proposal, (), self._at)
        self.risk.approve(order, decision, situation)

    def _wish(
        self, number: int, limit_price: Decimal | None = None
    ) -> tuple[Proposal, Order, DecisionKey]:
        """Of one of the bots: an entry as it is proposed, as it would be sent, and its decision."""
        self._signals += 1
        bot, symbol = self._bots[number], self._symbols[number % SYMBOLS]
        decision = DecisionKey(bot, symbol, SESSION.date, self._signals, Role.ENTRY)
        order_type = OrderType.MARKET if limit_price is None else OrderType.LIMIT
        proposal = Proposal(
            bot=bot,
            symbol=symbol,
            role=Role.ENTRY,
            side=Side.BUY,
            quantity=Decimal(10),
            order_type=order_type,
            reference_price=PRICE,
            decided_at=self._at,
            limit_price=limit_price,
            protective_stop=STOP if limit_price is None else STOP - 1,
        )
        order = Order(
            client_order_id=client_order_id(ACCOUNT, decision),
            symbol=symbol,
            side=proposal.side,
            quantity=proposal.quantity,
            order_type=order_type,
            time_in_force=TimeInForce.DAY,
            limit_price=limit_price,
        )
        return proposal, order, decision


def take_guard_chain(effort: Effort) -> tuple[Measured, ...]:
    """Microseconds; the median of each round, and then of the rounds."""
    judgements = effort.count(JUDGEMENTS, least=10)

    def judged(which: int) -> Callable[[], float]:
        def measure() -> float:
            desk = Desk()
            with collector_at_rest():
                return statistics.median(desk.judge_next()[which] for _ in range(judgements)) / 1e3

        return measure

    def called() -> float:
        functions = tuple(_nothing() for _ in CHECKS)
        return statistics.median(_called(functions) for _ in range(judgements)) / 1_000

    rounds = effort.rounds
    return medians(rounds, judged(0), called), medians(rounds, judged(1), called)


def _called(functions: tuple[Callable[[object], object], ...]) -> int:
    began = perf_counter_ns()
    for function in functions:
        if function(None) is not None:
            break
    return perf_counter_ns() - began


def _nothing() -> Callable[[object], object]:
    """A function of its own that returns None."""
    return lambda _situation: None


GUARDING = Measurement(name="guard_chain", figures=(GUARD_CHAIN, JUDGEMENT), take=take_guard_chain)
