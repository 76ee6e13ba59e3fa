"""The flattener: closes everything because an operator said so, and says what is left."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, assert_never

from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import OrderGate
from hydra.trading import flatten_events as flatten
from hydra.trading.account_day import decision_day
from hydra.trading.causes import FLATTEN
from hydra.trading.closing import Close, Holding, stops_of
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.exact import add, subtract
from hydra.trading.flatten import Phase
from hydra.trading.flatten_record import RecordedFlatten
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import DecisionKey, Role, Side, TimeInForce
from hydra.trading.sessions import SessionTable, hours_of
from hydra.trading.venue_view import VenueSnapshot
from messages.control import (
    FLATTEN_STATE,
    CancelOrder,
    Flatten,
    FlattenDue,
    FlattenReported,
    Halt,
    Recorded,
    RecordValue,
    ReportFlatten,
    ReportTradingState,
    TradingStateReported,
    WithdrawFlatten,
)
from messages.lifecycle import Replied
from messages.orders import (
    REPORTS_TOPIC,
    OrderAccepted,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    OrderRejected,
    OrderUnknown,
    ReportStored,
)
from messages.positions import PositionsReported, RecoverValue, ReportPositions, ValueRecovered
from messages.reconciliation import RECONCILED_TOPIC, Reconciled, ReconcileNow

Inbox: TypeAlias = (
    Flatten
    | WithdrawFlatten
    | ReportFlatten
    | FlattenDue
    | Recorded
    | Reconciled
    | ReportStored
    | OrderDenied
    | Replied
)

LOOK_EVERY = SECOND
RECOVER_WITHIN = 5 * SECOND
ANSWER_WITHIN = 5 * SECOND


class NotRecovered(Exception):
    """The persister did not say whether a flatten is under way."""


class Flattener(Actor[Inbox]):
    """Carries out `hydra.trading.flatten`: each step is on record before it is done, so that a
    restart goes on with it. Its closing orders take the way of every order, under permits of their
    own that pass in every trading state.
    """

    def __init__(
        self,
        gate: OrderGate,
        persister: Ref[Any],
        guardian: Ref[Any],
        gateway: Ref[CancelOrder | ReconcileNow],
        sessions: SessionTable,
        coins: Mapping[str, CoinTerms],
    ) -> None:
        self._gate = gate
        self._persister = persister
        self._guardian = guardian
        self._gateway = gateway
        self._sessions = sessions
        self._coins = coins
        self._flatten = RecordedFlatten()
        self._is_recovered = False
        """The record was read. Before, nobody knows whether one is under way."""
        self._closing: dict[DecisionKey, Decimal] = {}
        """What of each closing order is not executed."""
        self._read: VenueSnapshot | None = None

    def start(self, ctx: Context) -> None:
        ctx.subscribe(REPORTS_TOPIC)
        ctx.subscribe(RECONCILED_TOPIC)
        question = RecoverValue(key=FLATTEN_STATE)
        ctx.ask(self._persister, question, within=RECOVER_WITHIN, tag="record")

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case Flatten() | WithdrawFlatten() | ReportFlatten() if not self._is_recovered:
                ctx.stash()  # else what is read would take the place of what is asked for
            case Flatten():
                ctx.reply(self._begin(message, ctx))
            case WithdrawFlatten():
                ctx.reply(self._withdraw(message, ctx))
            case ReportFlatten():
                ctx.reply(self._report(ctx.market_time()))
            case FlattenDue():
                self._look(ctx)
            case Recorded():
                self._recorded(message, ctx)
            case Reconciled():
                self._account_read(message, ctx)
            case ReportStored():
                self._learn(message, ctx)
            case OrderDenied(denial=denial):
                self._over(message.intent.decision, ctx, f"{denial.check}: {denial.reason}")
            case Replied():
                self._replied(message, ctx)
            case _:
                unhandled(message)

    def _begin(self, message: Flatten, ctx: Context) -> FlattenReported:
        ctx.log("flatten_asked", reason=message.reason, by=message.operator)
        asked = flatten.Asked(
            reason=message.reason, operator=message.operator, pause=message.pause, now=ctx.now()
        )
        self._happened(asked, ctx)
        return self._report(ctx.market_time())

    def _withdraw(self, message: WithdrawFlatten, ctx: Context) -> FlattenReported:
        ctx.log("flatten_withdrawn", reason=message.reason, by=message.operator)
        self._happened(flatten.Withdrawn(reason=message.reason, operator=message.operator), ctx)
        return self._report(ctx.market_time())

    def _look(self, ctx: Context) -> None:
        state = self._flatten.state
        if state.phase is Phase.PAUSING:
            ctx.ask(self._guardian, ReportTradingState(), within=ANSWER_WITHIN, tag="pause")
        if any(self._is_open(symbol, ctx.market_time()) for symbol in state.waits_for):
            self._happened(flatten.Opened(ctx.now()), ctx)
        else:
            self._happened(flatten.Tick(ctx.now()), ctx)

    def _is_open(self, symbol: str, at: int) -> bool:
        return hours_of(symbol, self._sessions).at(at) is not None

    def _coin(self, symbol: str) -> CoinTerms | None:
        """Also of one that is not traded here any more: the venue's bounds are the same for all."""
        return self._coins.get(symbol, CoinTerms()) if is_crypto(symbol) else None

    def _happened(self, event: flatten.Event, ctx: Context) -> None:
        to_record = self._flatten.happened(event)
        if to_record is not None:
            ctx.tell(self._persister, RecordValue(key=FLATTEN_STATE, value=to_record))
        if self._flatten.is_under_way:
            ctx.after(LOOK_EVERY, FlattenDue())

    def _recorded(self, message: Recorded, ctx: Context) -> None:
        for _ in message.tags:  # only this one key is ever recorded for it
            for effect in self._flatten.recorded():
                self._carry_out(effect, ctx)

    def _carry_out(self, effect: flatten.Effect, ctx: Context) -> None:
        match effect:
            case flatten.LatchPause(state, reason, operator):
                self._gate.authorise_flatten(f"{operator}: {reason}")
                detail = f"flatten by {operator}: {reason}"
                cause = FLATTEN.cause(since=ctx.market_time(), detail=detail, at_least=state)
                ctx.tell(self._guardian, Halt(cause=cause))
            case flatten.ReadAccount():
                reading = self._flatten.waits_for_account
                if reading is not None:
                    ctx.tell(self._gateway, ReconcileNow(reason=reading))
            case flatten.CancelAll(names):
                for name in names:
                    ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason="flatten"))
            case Close():
                self._close(effect, ctx)
            case flatten.Done(on_record):
                self._end(ctx, on_record=[*on_record])
            case flatten.Waits(detail):
                ctx.log("flatten_waits", detail=detail)
            case flatten.Failed(reason):
                self._end(ctx, reason=reason)
            case _:
                assert_never(effect)

    def _close(self, close: Close, ctx: Context) -> None:
        at = ctx.market_time()
        decision = DecisionKey(
            bot=close.bot,
            symbol=close.symbol,
            session=decision_day(self._sessions, at),
            signal=close.number,
            role=Role.FLATTEN,
        )
        quantity = close.quantity.copy_abs()
        self._closing[decision] = quantity
        intent = OrderIntent(
            decision=decision,
            side=Side.BUY if close.quantity > 0 else Side.SELL,
            quantity=quantity,
            reason=f"flatten by {self._flatten.state.operator}: {self._flatten.state.reason}",
            decided_at=at,
            reference_price=None,
            time_in_force=TimeInForce.GTC if is_crypto(close.symbol) else TimeInForce.DAY,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def _end(self, ctx: Context, **found: object) -> None:
        self._gate.end_flatten()
        state = self._flatten.state
        ctx.log("flatten_ended", phase=state.phase.value, detail=state.detail, **found)

    def _learn(self, stored: ReportStored, ctx: Context) -> None:
        decision, report = stored.decision, stored.report
        left = self._closing.get(decision)
        if left is None:
            return
        match report:
            case OrderAccepted() | OrderUnknown():
                return
            case OrderFilled():
                self._closing[decision] = left = subtract(left, report.fill.quantity)
                if left > 0:
                    return
            case _:
                pass
        refused = f"by the venue: {report.reason}" if isinstance(report, OrderRejected) else ""
        self._over(decision, ctx, refused)

    def _over(self, decision: DecisionKey, ctx: Context, refused: str) -> None:
        if self._closing.pop(decision, None) is not None:
            bot, symbol, number = decision.bot, decision.symbol, decision.signal
            self._happened(flatten.CloseEnded(bot, symbol, number, ctx.now(), refused), ctx)

    def _account_read(self, message: Reconciled, ctx: Context) -> None:
        reading = self._flatten.waits_for_account
        if reading is None or reading not in message.reasons:
            return
        is_verifying = self._flatten.state.phase is Phase.VERIFYING
        if message.snapshot is None or (message.late and is_verifying):
            # Lists that are late cannot show that nothing is left. To close by them is safe: never
            # more is closed than a bot has.
            failed = flatten.ReadingFailed(self._flatten.state.reading, ctx.now())
            self._happened(failed, ctx)
            return
        self._read = message.snapshot
        ctx.ask(self._guardian, ReportPositions(), within=ANSWER_WITHIN, tag=reading)

    def _replied(self, reply: Replied, ctx: Context) -> None:
        value = reply.value
        if reply.tag == "record":
            if not isinstance(value, ValueRecovered):
                raise NotRecovered(reply.error or "no answer in time")
            self._recover(value.value, ctx)
        elif isinstance(value, TradingStateReported):
            if FLATTEN.code in value.durable and value.is_drained:
                self._happened(flatten.Paused(ctx.now()), ctx)
        elif isinstance(value, PositionsReported) and reply.tag == self._flatten.waits_for_account:
            self._happened(self._snapshot(value, ctx), ctx)
        # No answer: the next look asks again.

    def _recover(self, text: str, ctx: Context) -> None:
        self._flatten = RecordedFlatten.from_record(text)
        if self._flatten.is_under_way:
            state = self._flatten.state
            self._gate.authorise_flatten(f"{state.operator}: {state.reason}")
            self._happened(flatten.Restarted(ctx.now()), ctx)
        elif self._gate.flatten_reason is not None:
            self._end(ctx)  # its end is on record, and what was to follow it died with us
        self._is_recovered = True
        ctx.unstash()

    def _snapshot(self, ours: PositionsReported, ctx: Context) -> flatten.Snapshot:
        assert self._read is not None
        at = ctx.market_time()
        symbols: dict[str, Decimal] = {p.symbol: p.quantity for p in self._read.positions}
        for _, symbol, _quantity in ours.positions:
            symbols.setdefault(symbol, Decimal(0))
        excluded = dict(ours.excluded_positions)
        for _, symbol, left in ours.dust:  # no order can be for it, so that it stays as well
            excluded[symbol] = add(excluded.get(symbol, Decimal(0)), left)
        holdings = tuple(
            Holding(
                symbol=symbol,
                at_venue=quantity,
                of_bots=tuple((bot, q) for bot, held, q in ours.positions if held == symbol),
                excluded=excluded.get(symbol, Decimal(0)),
                is_market_open=self._is_open(symbol, at),
                coin=self._coin(symbol),
                price=ours.coin_prices.get(symbol),
            )
            for symbol, quantity in sorted(symbols.items())
        )
        orders = [o for o in self._read.orders if o.venue_order_id not in ours.excluded_orders]
        working = dict.fromkeys(o.order.client_order_id for o in orders if o.status.is_open)
        working.update(dict.fromkeys(ours.open_orders))
        closed = [holding for holding in holdings if not holding.is_market_open]
        kept = tuple(name for holding in closed for name in stops_of(holding, orders))
        return flatten.Snapshot(
            number=self._flatten.state.reading,
            open_orders=tuple(name for name in working if name not in kept),
            holdings=holdings,
            now=ctx.now(),
            kept=kept,
        )

    def _report(self, at: int) -> FlattenReported:
        state = self._flatten.state
        nexts = [hours_of(symbol, self._sessions).next_after(at) for symbol in state.waits_for]
        return FlattenReported(
            phase=state.phase.value,
            detail=state.detail,
            open_orders=state.open_orders,
            positions=tuple((symbol, f"{quantity:f}") for symbol, quantity in state.left),
            opens_at=min((each.open_at for each in nexts if each is not None), default=None),
            is_recorded=self._flatten.is_recorded,
        )

    def state_view(self) -> Mapping[str, object]:
        """How far the flatten is, and what is left."""
        state = self._flatten.state
        return {"phase": state.phase.value, "detail": state.detail, "closing": len(self._closing)}
