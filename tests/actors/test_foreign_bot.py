"""The border around a bot of another distribution: a closed list of what leaves it."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

import actors
import messages
from actors.foreign_bot import MAY_PUBLISH, MAY_SAY, Border, Malformed, behind_border
from actors.sender_checks import Forged
from hydra.actor import Actor, ChildSpec, Context, Ref
from hydra.trading.orders import DecisionKey, Role, Side
from hydra.trading.protection import Guard
from messages.control import ReportTradingState
from messages.market import ReportHistory
from messages.message import ControlMessage, Message
from messages.options import FollowContracts
from messages.orders import REPORTS_TOPIC, CancelIntent, OrderIntent
from messages.positions import RecoverBook, ReportPositions
from messages.protection import COVERAGE_TOPIC, GUARDS_TOPIC, GuardReported

GUARDIAN, FEED, OTHER = Ref[Any]("/hydra/core/guardian"), Ref[Any]("/feed"), Ref[Any]("/other")
ME = "/hydra/bots/dip"


CANCEL = CancelIntent(
    decision=DecisionKey("dip", "AAPL", "2026-01-05", 1, Role.ENTRY), reason="old"
)
WISH = OrderIntent(
    decision=CANCEL.decision,
    side=Side.BUY,
    quantity=Decimal(4),
    reason="dip",
    decided_at=1,
    reference_price=Decimal(100),
)


class Plugin(Actor[Any]):
    """Says what its test wants said."""

    def __init__(self, guardian: Ref[Any], feed: Ref[Any]) -> None:
        self.says: Callable[[Context], object] = lambda ctx: None

    def receive(self, message: Message, ctx: Context) -> None:
        """Anything will do."""
        self.says(ctx)


class Engine:
    """In the place of the runtime's context: keeps what was let through."""

    def __init__(self, path: str = ME, sender: Ref[Any] | None = None) -> None:
        self.me = Ref[Any](path)
        self.sender = sender
        self.said: list[tuple[str, Message]] = []
        self.spawned: list[ChildSpec] = []

    def tell(self, ref: Ref[Any], message: Message, *, corr: str | None = None) -> None:
        self.said.append((ref.path, message))

    def ask(self, ref: Ref[Any], message: Message, *, within: int, tag: str) -> None:
        self.said.append((ref.path, message))

    def reply(self, message: Message) -> None:
        self.said.append(("reply", message))

    def publish(self, topic: str, message: Message, *, corr: str | None = None) -> None:
        self.said.append((topic, message))

    def spawn(self, spec: ChildSpec) -> Ref[Any]:
        self.spawned.append(spec)
        return Ref(f"{self.me.path}/{spec.name}")


SPEC = behind_border(ChildSpec(name="dip", actor=Plugin, args={"guardian": GUARDIAN, "feed": FEED}))


def telling(to: Ref[Any], message: Message) -> Callable[[Context], object]:
    return lambda ctx: ctx.tell(to, message)


def said(
    says: Callable[[Context], object], engine: Any = None, spec: ChildSpec = SPEC
) -> list[Any]:
    """What of it leaves the bot; raises `Forged`."""
    engine = engine or Engine()
    actor = spec.build()
    assert isinstance(actor, Border)
    plugin = actor._actor
    assert isinstance(plugin, Plugin)
    plugin.says = says
    actor.receive(ReportPositions(), engine)
    return list(engine.said)


def every_message() -> Iterator[type[Message]]:
    """Each type that one of ours can be told."""
    for package in (messages, actors):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    waiting: list[type[Message]] = [Message]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        if found.__module__.split(".")[0] in ("messages", "actors"):
            yield found


def guard(bot: str) -> GuardReported:
    of = Guard(
        name="exits",
        bot=bot,
        symbol="AAPL",
        quantity=Decimal(9),
        since=1,
        until=9,
        looked_at=2,
        price_at=2,
    )
    return GuardReported(guard=of)


def passes(kind: type[Message]) -> bool:
    """Whether it may be told at all. What it says is not looked at: nobody is named in it."""
    blank = kind(**dict.fromkeys(kind.__struct_fields__))
    return any(is_let_through(blank, to) for to in (GUARDIAN, FEED))


def is_let_through(blank: Message, to: Ref[Any]) -> bool:
    """As far as it is about who says it, and to whom."""
    for says in (
        lambda ctx: ctx.tell(to, blank),
        lambda ctx: ctx.ask(to, blank, within=1, tag="x"),
    ):
        try:
            said(says)
        except Forged:
            return False
        except Malformed:
            pass
    return True


def test_of_all_messages_there_are_only_these_leave_it_i01_i34() -> None:
    """A new one is refused until somebody lists it, with the reason why it opens nothing."""
    classes = set(every_message()) - {Message, ControlMessage}
    passed = {each for each in classes if passes(each)}

    assert len(classes) > 100
    assert passed == set(MAY_SAY) - {RecoverBook, FollowContracts}, "those two say whose it is"
    assert {each.__name__ for each in MAY_SAY} == {
        "OrderIntent",
        "CancelIntent",
        "RecoverBook",
        "ReportHistory",
        "FollowContracts",
        "ReportTradingState",
        "ReportPositions",
    }
    assert {topic: [each.__name__ for each in known] for topic, known in MAY_PUBLISH.items()} == {
        GUARDS_TOPIC: ["GuardReported"]
    }


@pytest.mark.parametrize(
    ("message", "to", "not_to"),
    [
        (CANCEL, GUARDIAN, FEED),
        (RecoverBook(bot="dip", reply_to=f"{ME}/child"), GUARDIAN, FEED),
        (FollowContracts(bot="dip", symbols=()), FEED, GUARDIAN),
        (ReportHistory(symbol="AAPL", bars=3), FEED, GUARDIAN),
        (ReportTradingState(), GUARDIAN, FEED),
    ],
)
def test_what_is_its_own_business_it_says_to_whom_it_is_for_and_to_nobody_else(
    message: Message, to: Ref[Any], not_to: Ref[Any]
) -> None:
    assert said(telling(to, message)) == [(to.path, message)]
    for other in (not_to, OTHER):
        with pytest.raises(Forged, match=f"to {other.path}"):
            said(telling(other, message))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (structs.replace(CANCEL, decision=None), "decision"),
        (structs.replace(WISH, quantity=4), "OrderIntent.quantity is int, wanted Decimal"),
        (structs.replace(WISH, quantity=4.0), "quantity"),
        (structs.replace(WISH, side="buy"), "OrderIntent.side is str, wanted Side"),
        (structs.replace(WISH, time_in_force="day"), "time_in_force is str, wanted TimeInForce"),
        (structs.replace(WISH, reason=object()), "OrderIntent: "),
        (structs.replace(WISH, replaces=["x"]), "replaces"),
        (
            structs.replace(WISH, decision=structs.replace(WISH.decision, role="entry")),
            "OrderIntent.decision.role is str, wanted Role",
        ),
        (
            structs.replace(WISH, decision=structs.replace(WISH.decision, signal=True)),
            "signal",
        ),
        (
            structs.replace(
                WISH, decision=structs.replace(WISH.decision, session=date(2026, 1, 5))
            ),
            "OrderIntent.decision.session is date, wanted str",
        ),
        (structs.replace(RecoverBook(bot="dip"), number="1"), "number"),
    ],
)
def test_a_part_of_another_type_fails_it_and_is_never_said_i34(
    message: Message, words: str
) -> None:
    with pytest.raises(Malformed, match=words):
        said(lambda ctx: ctx.tell(GUARDIAN, message))


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ({"signal": 1 << 63}, r"decision\.signal is a number beyond 64 bits"),
        ({"signal": -1 << 200}, r"decision\.signal is a number beyond 64 bits"),
        ({"session": ""}, r"decision\.session is '', wanted a date like 2026-01-05"),
        ({"session": "2026-01-05\n"}, r"decision\.session is '2026-01-05\\n', wanted a date"),
        ({"session": "2026-02-30"}, r"decision\.session is '2026-02-30', wanted a date"),
        ({"session": "20260105"}, r"decision\.session is '20260105', wanted a date"),
        ({"symbol": "A" * 10_001}, r"decision\.symbol has 10001 characters, wanted at most 10000"),
        ({"symbol": "\ud800"}, r"decision\.symbol is no text that can be written"),
    ],
)
@pytest.mark.parametrize("message", [WISH, CANCEL], ids=["a wish", "a cancel"])
def test_what_the_record_cannot_hold_fails_it_and_is_never_said_i34(
    message: OrderIntent | CancelIntent, decision: dict[str, Any], words: str
) -> None:
    changed = structs.replace(message.decision, **decision)

    with pytest.raises(Malformed, match=words):
        said(lambda ctx: ctx.tell(GUARDIAN, structs.replace(message, decision=changed)))


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD", "", "\ud800", "AAPL260206C00000000"])
def test_it_has_only_contracts_followed_and_nothing_that_others_go_by_i34_i45(symbol: str) -> None:
    wish = FollowContracts(bot="dip", symbols=("AAPL260206C00101000", symbol))

    with pytest.raises(Malformed, match=r"\.symbols has .*, wanted option contracts"):
        said(telling(FEED, wish))


def contracts(number: int) -> tuple[str, ...]:
    return tuple(f"AAPL260206C{strike:05}000" for strike in range(1, number + 1))


def test_it_has_so_many_contracts_followed_and_no_more_i34_i45() -> None:
    few, many = (FollowContracts(bot="dip", symbols=contracts(each)) for each in (40, 41))

    assert said(telling(FEED, few)) == [(FEED.path, few)]
    with pytest.raises(Malformed, match=r"\.symbols has 41 contracts, wanted at most 40"):
        said(telling(FEED, many))


@pytest.mark.parametrize("field", ["quantity", "stop_price"])
def test_a_guard_with_a_number_that_nobody_can_compare_is_never_spoken_of_i30_i34(
    field: str,
) -> None:
    odd = structs.replace(guard("dip").guard, **{field: Decimal("sNaN")})

    with pytest.raises(Malformed, match=rf"guard\.{field} is a signalling NaN"):
        said(lambda ctx: ctx.publish(GUARDS_TOPIC, GuardReported(guard=odd)))


def test_a_guard_with_a_part_of_another_type_is_never_spoken_of_i30_i34() -> None:
    bad = GuardReported(guard=structs.replace(guard("dip").guard, quantity=9))

    with pytest.raises(Malformed, match=r"guard\.quantity is int, wanted Decimal"):
        said(lambda ctx: ctx.publish(GUARDS_TOPIC, bad))


def test_what_has_all_its_types_is_said_as_it_is() -> None:
    odd = structs.replace(WISH, quantity=Decimal("NaN"))  # which the guardian's checks are for

    assert said(lambda ctx: ctx.tell(GUARDIAN, WISH)) == [(GUARDIAN.path, WISH)]
    ((_, message),) = said(lambda ctx: ctx.tell(GUARDIAN, odd))
    assert message is odd


@pytest.mark.parametrize(
    "message",
    [
        RecoverBook(bot="mom_AAPL"),
        RecoverBook(bot=None),
        RecoverBook(bot="dip", reply_to="/hydra/bots/dip2"),
        FollowContracts(bot="opt_core", symbols=()),
    ],
)
def test_what_is_the_business_of_another_bot_it_does_not_say(message: Message) -> None:
    to = FEED if isinstance(message, FollowContracts) else GUARDIAN
    with pytest.raises(Forged, match=type(message).__name__):
        said(lambda ctx: ctx.tell(to, message))


def test_it_speaks_of_its_own_guards_where_guards_are_spoken_of_i30() -> None:
    assert len(said(lambda ctx: ctx.publish(GUARDS_TOPIC, guard("dip")))) == 1


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        (GUARDS_TOPIC, guard("mom_AAPL")),
        (COVERAGE_TOPIC, guard("dip")),
        (REPORTS_TOPIC, ReportTradingState()),
    ],
)
def test_it_publishes_nothing_else_and_nothing_elsewhere_i30(topic: str, message: Message) -> None:
    with pytest.raises(Forged):
        said(lambda ctx: ctx.publish(topic, message))


def test_an_answer_is_said_like_anything_else() -> None:
    with pytest.raises(Forged):
        said(lambda ctx: ctx.reply(guard("dip")), Engine(sender=GUARDIAN))
    assert len(said(lambda ctx: ctx.reply(guard("dip")), Engine(sender=Ref(f"{ME}/child")))) == 1
    assert len(said(lambda ctx: ctx.reply(guard("dip")))) == 1  # asked from outside


def test_its_own_actors_it_tells_what_it_likes_and_they_are_behind_the_border_too() -> None:
    engine = Engine()
    args = {"guardian": OTHER, "feed": OTHER}
    said(lambda ctx: ctx.spawn(ChildSpec(name="child", actor=Plugin, args=args)), engine)
    (child,) = engine.spawned
    below = Engine(f"{ME}/child")

    assert len(said(lambda ctx: ctx.tell(Ref(ME), guard("x")), below, child)) == 1
    with pytest.raises(Forged):
        said(lambda ctx: ctx.tell(OTHER, ReportTradingState()), below, child)
    assert (child.actor.__name__, child.actor) == ("Plugin", SPEC.actor)
