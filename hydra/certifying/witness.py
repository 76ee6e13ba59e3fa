"""Who watches a bot in a scenario: all that it is told, says and fails of, over all its lives.

It stands around the border (`actors.foreign_bot`), outside of the bot's reach, and outlives the
bot, its engine and its process. It changes nothing until the bot fails. A handler that takes too
long is ended, as the engine would end it, and so is a bot that would never come to an end of
wanting the same. A bot that has failed has shown all that there is to see: for the rest of the
scenario it does nothing.
"""

from __future__ import annotations

import hashlib
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, ClassVar, cast

from msgspec import structs

from actors.foreign_bot import Malformed
from actors.sender_checks import Forged
from hydra.actor import Actor, ChildSpec, Context, Ref, UnhandledMessage
from hydra.certifying.rules import ALLOWED, CLOCK, HANDLES, QUICK, RAISES, STORMS, Wish
from hydra.runtime.guard import Guard, Leak
from hydra.runtime.life import in_words
from hydra.testkit.faults import Gibberish
from hydra.trading.orders import DecisionKey
from hydra.venues.simulated.exchange import SimulatedExchange
from messages.market import BarClosed
from messages.message import Message
from messages.orders import CancelIntent, OrderDenied, OrderIntent, ReportStored
from messages.positions import BookRecovered
from supervisors import paths

CPU_SECONDS_MAX = 2.0
"""Of the processor alone, so that a busy machine does not count against the bot. The engine gives a
bot as long by the clock (`ChildSpec.hang_after`).
"""
WISHES_AT_ONCE_MAX = 200
"""In one moment of the market. Beyond it the bot would go on for ever."""
WORDS_MAX = 200


class TooSlow(Exception):
    """A handler took longer than a bot's may."""


class Endless(Exception):
    """The bot goes on and on wanting something in one moment of the market."""


class CrashWanted(Exception):
    """The scenario has the bot crash here: that is no fault of it."""


class Witness:
    """What was seen. `lines` are for people: when (market ns), and what."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self._exchange = exchange
        self.wishes: list[Wish] = []
        self.failures: list[tuple[str, int, str]] = []
        self.lines: list[tuple[int, str]] = []
        self.messages: Counter[str] = Counter()
        self.lives = 0
        self._is_known = False
        self._known_to: dict[DecisionKey, int] = {}
        """What has been reported to the bot, with the life of it that heard of it first."""
        self._moment = (0, 0)
        """A moment, and how often something was wanted in it."""

    @property
    def digest(self) -> str:
        """Names all that the bot decided, in its order."""
        text = "\n".join(f"{wish.at} {wish.text}" for wish in self.wishes)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def begins(self, at: int) -> None:
        """A life of the bot does."""
        self.lives += 1
        self._is_known = False
        if self.lives > 1:
            self.note(at, "the bot is started again")

    def told(self, message: Message, at: int) -> None:
        """The bot is about to handle it."""
        self.messages[type(message).__name__] += 1
        match message:
            case BookRecovered(orders=orders, held=held):
                self._is_known = True
                if orders or held:
                    count = len([each for each in held if each.inventory.lots])
                    self.note(at, f"on record: {len(orders)} orders, {count} positions")
            case OrderDenied(intent=intent, denial=denial):
                self.note(at, f"denied: {_named(intent)}: {denial.check}: {denial.reason}")
            case ReportStored(decision=decision, report=report):
                self._known_to.setdefault(decision, self.lives)
                self.note(at, f"report: {type(report).__name__} of {_key(decision)}")
            case BarClosed():
                pass
            case _:
                self.note(at, f"told {type(message).__name__}")

    def said(self, message: Message, at: int) -> None:
        """The bot says it to the guardian, and may. Raises `Endless`."""
        match message:
            case OrderIntent():
                self._wanted(message, at)
            case CancelIntent(decision=decision, reason=reason):
                self.note(at, f"wants {_key(decision)} canceled ({_short(reason)})")
            case _:
                pass

    def failed(self, error: BaseException, at: int) -> None:
        """A handler of the bot raised it."""
        words = _short(in_words(error))
        if isinstance(error, CrashWanted):
            self.note(at, "the scenario has the bot crash")
            return
        self.note(at, f"the bot failed: {words}")
        self.failures.append((_rule_of(error), at, words))

    def note(self, at: int, text: str) -> None:
        """A line for people."""
        self.lines.append((at, text))

    def _wanted(self, intent: OrderIntent, at: int) -> None:
        decision = intent.decision
        self.wishes.append(
            Wish(
                at=at,
                decided_at=intent.decided_at,
                symbol=decision.symbol,
                role=decision.role.value,
                quantity=str(intent.quantity),
                text=_named(intent),
                is_known=self._is_known,
                holds=self._holds(decision.symbol),
                is_repeated=self._known_to.get(decision, self.lives) < self.lives,
                life=self.lives,
            )
        )
        self.note(at, f"wants {_named(intent)} ({_short(intent.reason)})")
        times = self._moment[1] + 1 if self._moment[0] == at else 1
        self._moment = (at, times)
        if times > WISHES_AT_ONCE_MAX:
            raise Endless(f"it wanted something {times} times in one moment of the market")

    def _holds(self, symbol: str) -> bool:
        """At the venue, whatever anybody believes."""
        engine = self._exchange.engine
        is_entering = any(
            resting.order.symbol == symbol and resting.order.client_order_id.endswith("e")
            for resting in engine.open_orders
        )
        return bool(engine.account.position(symbol)) or is_entering


class Watched(Actor[Any]):
    """In the place of a bot behind its border, or of an actor that it spawned: the same, with a
    witness. `is_bot`: it is the bot itself.
    """

    inside: ClassVar[type[Actor[Any]]]

    def __init__(self, witness: Witness, args: Mapping[str, Any], is_bot: bool) -> None:
        self._witness = witness
        self._is_bot = is_bot
        self._args = args
        self._guard = Guard(enabled=True)
        self._actor: Actor[Any] | None = None

    def start(self, ctx: Context) -> None:
        if self._witness.failures:
            return
        if self._is_bot:
            self._witness.begins(ctx.market_time())
        with self._watching(ctx):
            self._actor = self.inside(**self._args)
            self._actor.start(self._heard(ctx))

    def receive(self, message: Message, ctx: Context) -> None:
        if self._actor is None:
            return
        if not isinstance(message, Gibberish):
            self._witness.told(message, ctx.market_time())
        with self._watching(ctx):
            if isinstance(message, Gibberish):
                raise CrashWanted("as the scenario says")
            self._actor.receive(message, self._heard(ctx))

    def stop(self, ctx: Context, reason: str) -> None:
        if self._actor is not None:
            with self._watching(ctx):
                self._actor.stop(self._heard(ctx), reason)

    def failed(self, error: BaseException) -> None:
        if self._actor is not None:
            self._actor.failed(error)

    def state_view(self) -> Mapping[str, object]:
        """What it shows of itself."""
        return {} if self._actor is None else self._actor.state_view()

    @contextmanager
    def _watching(self, ctx: Context) -> Iterator[None]:
        try:
            with self._guard.watching(), limited():
                yield
        except BaseException as error:
            self._witness.failed(error, ctx.market_time())
            raise

    def _heard(self, ctx: Context) -> Context:
        heard = _HeardContext(ctx, self._witness, self._guard)
        return cast(Context, heard)  # the rest of one is the runtime's, handed through


class _HeardContext:
    """A context whose every word is heard; all that it does is the runtime's, which may do more
    than a bot.
    """

    def __init__(self, ctx: Context, witness: Witness, guard: Guard) -> None:
        self._ctx = ctx
        self._witness = witness
        self._guard = guard

    def __getattr__(self, name: str) -> object:
        found = getattr(self._ctx, name)
        return self._lifted(found) if callable(found) else found

    def tell(self, ref: Ref[Any], message: Message, *, corr: str | None = None) -> None:
        self._hear(ref, message)
        with self._guard.lifted():
            self._ctx.tell(ref, message, corr=corr)

    def ask(self, ref: Ref[Any], message: Message, *, within: int, tag: str) -> None:
        self._hear(ref, message)
        with self._guard.lifted():
            self._ctx.ask(ref, message, within=within, tag=tag)

    def spawn(self, spec: ChildSpec) -> Ref[Any]:
        with self._guard.lifted():
            return self._ctx.spawn(_with_witness(spec, self._witness, is_bot=False))

    def _hear(self, ref: Ref[Any], message: Message) -> None:
        if ref.path == paths.RISK_GUARDIAN.path:  # what it tells its own actors is its own business
            self._witness.said(message, self._ctx.market_time())

    def _lifted(self, found: Callable[..., object]) -> Callable[..., object]:
        def call(*args: Any, **named: Any) -> object:
            with self._guard.lifted():
                return found(*args, **named)

        return call


def watched(tree: ChildSpec, bot: str, witness: Witness) -> ChildSpec:
    """The same tree with the bot of that name watched. `bot` is its id."""
    children = tree.args.get("children")
    if tree.name == bot:
        return _with_witness(tree, witness, is_bot=True)
    if children is None:
        return tree
    with_it = tuple(watched(child, bot, witness) for child in children)
    return structs.replace(tree, args={**tree.args, "children": with_it})


def _with_witness(spec: ChildSpec, witness: Witness, *, is_bot: bool) -> ChildSpec:
    """A class of the same name and kind, as the border makes one."""
    content = {"inside": spec.actor, "supervises": spec.actor.supervises}
    made = type(spec.actor.__name__, (Watched,), content)
    args = {"witness": witness, "args": spec.args, "is_bot": is_bot}
    return structs.replace(spec, actor=made, args=args)


@contextmanager
def limited() -> Iterator[None]:
    """Within this, what takes the processor for longer raises `TooSlow` where it is."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals come to the main thread alone, which plays all scenarios
        return

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"it took more than {CPU_SECONDS_MAX:g} s of the processor for one message")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS_MAX)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _rule_of(error: BaseException) -> str:
    match error:
        case UnhandledMessage():
            return HANDLES
        case Forged() | Malformed():
            return ALLOWED
        case Leak():
            return CLOCK
        case TooSlow():
            return QUICK
        case Endless():
            return STORMS
        case _:
            return RAISES


def _named(intent: OrderIntent) -> str:
    """All of it that is a decision, on one line."""
    limits = {
        "limit": intent.limit_price,
        "stop": intent.stop_price,
        "given up at": intent.protective_stop,
    }
    more = "".join(f" {name} {price}" for name, price in limits.items() if price is not None)
    replaced = "" if intent.replaces is None else f" for {intent.replaces}"
    return (
        f"{intent.side.value} {intent.quantity} {intent.order_type.value}{more}{replaced},"
        f" {_key(intent.decision)}"
    )


def _key(decision: DecisionKey) -> str:
    return f"{decision.symbol} {decision.role.value} {decision.signal}"


def _short(text: str) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= WORDS_MAX else f"{line[:WORDS_MAX]}…"
