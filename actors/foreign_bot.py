"""The border around a bot that another distribution brought: what it may say, and to whom.

It runs in this process, and a mistake in it must not open or loosen anything: no limits, no halt
that ends, no word of protection or of a passed loop in somebody else's place. So all that it says
passes here, and only what is listed in `MAY_SAY` leaves its own part of the tree, to whom it is
for. Messages are not checked as they are made, and whoever is told one of ours relies on its types:
so what has a part of another type fails the bot, and not the guardian.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias, cast

import msgspec
from msgspec import structs

from actors.sender_checks import Forged
from hydra.actor import Actor, ChildSpec, Context, Ref
from hydra.trading.contract_shares import PLUGIN_MAX
from hydra.trading.option_symbols import parsed
from hydra.trading.orders import DecisionKey
from messages.control import ReportTradingState
from messages.market import ReportHistory
from messages.message import Message
from messages.options import FollowContracts
from messages.orders import CancelIntent, OrderIntent
from messages.positions import RecoverBook, ReportPositions
from messages.protection import GUARDS_TOPIC, GuardReported

Owned: TypeAlias = Callable[[Any, str, str], bool]
"""Whether a message, of a bot of this id and path, is about that bot alone."""


def _always(message: Message, bot: str, path: str) -> bool:
    return True


def _recovers_itself(message: RecoverBook, bot: str, path: str) -> bool:
    answered = message.reply_to
    return message.bot == bot and (answered is None or _is_within(answered, path))


def _guards_its_own(message: GuardReported, bot: str, path: str) -> bool:
    return message.guard.bot == bot


def _follows_its_own(message: FollowContracts, bot: str, path: str) -> bool:
    return message.bot == bot


MAY_SAY: Mapping[type[Message], Owned] = {
    OrderIntent: _always,  # in whose name, the guardian judges: a denial is on record
    CancelIntent: _always,
    RecoverBook: _recovers_itself,
    ReportHistory: _always,
    FollowContracts: _follows_its_own,
    ReportTradingState: _always,
    ReportPositions: _always,
}
"""What it may tell whom it was given the address of. Of all others: nothing."""
OF_THE_FEED = frozenset({ReportHistory, FollowContracts})
"""What of it is for `feed`; all else is for `guardian`."""
MAY_PUBLISH: Mapping[str, Mapping[type[Message], Owned]] = {
    GUARDS_TOPIC: {GuardReported: _guards_its_own},
}
"""By topic."""
TEXT_MAX = 10_000
"""Characters of any text: of each wish it is kept for ever, and written down more than once."""
_WHOLE_MAX = 1 << 63


class Malformed(Exception):
    """A part of what it said is not of the type that the message says."""


class Border(Actor[Any]):
    """In the place of a bot, or of an actor that it spawned: the same, with a context that checks.

    `bot` is the bot's id, `root` its path ("": it is the bot itself), `addresses` are the paths of
    those that it was told of, and as what. What it may not say fails it (`Forged`, `Malformed`).
    """

    inside: ClassVar[type[Actor[Any]]]

    def __init__(
        self, bot: str, addresses: Mapping[str, str], args: Mapping[str, Any], root: str = ""
    ) -> None:
        self._actor = self.inside(**args)
        self._bot = bot
        self._addresses = addresses
        self._root = root

    def start(self, ctx: Context) -> None:
        self._actor.start(self._checked(ctx))

    def receive(self, message: Message, ctx: Context) -> None:
        self._actor.receive(message, self._checked(ctx))

    def stop(self, ctx: Context, reason: str) -> None:
        self._actor.stop(self._checked(ctx), reason)

    def failed(self, error: BaseException) -> None:
        self._actor.failed(error)

    def state_view(self) -> Mapping[str, object]:
        """What it shows of itself."""
        return self._actor.state_view()

    def _checked(self, ctx: Context) -> Context:
        checked = _CheckedContext(ctx, self._bot, self._root or ctx.me.path, self._addresses)
        return cast(Context, checked)  # the rest of one is the runtime's, handed through


def behind_border(spec: ChildSpec) -> ChildSpec:
    """The same bot, checked in all that it says. The spec bears its id as its name."""
    addresses = {each.path: name for name, each in spec.args.items() if isinstance(each, Ref)}
    args = {"bot": spec.name, "addresses": addresses, "args": spec.args}
    return structs.replace(spec, actor=_bordered(spec.actor), args=args)


class _CheckedContext:
    """A context that refuses what may not be said; all else of it is the runtime's."""

    def __init__(self, ctx: Context, bot: str, root: str, addresses: Mapping[str, str]) -> None:
        self._ctx = ctx
        self._bot = bot
        self._root = root
        self._addresses = addresses

    def __getattr__(self, name: str) -> object:
        return getattr(self._ctx, name)

    def tell(self, ref: Ref[Any], message: Message, *, corr: str | None = None) -> None:
        self._require(message, ref.path)
        self._ctx.tell(ref, message, corr=corr)

    def ask(self, ref: Ref[Any], message: Message, *, within: int, tag: str) -> None:
        self._require(message, ref.path)
        self._ctx.ask(ref, message, within=within, tag=tag)

    def reply(self, message: Message) -> None:
        sender = self._ctx.sender
        if sender is not None:  # nobody of the actors asks from outside
            self._require(message, sender.path)
        self._ctx.reply(message)

    def publish(self, topic: str, message: Message, *, corr: str | None = None) -> None:
        is_owned = MAY_PUBLISH.get(topic, {}).get(type(message))
        if is_owned is None or not is_owned(message, self._bot, self._root):
            raise self._forged(message, f"on the topic {topic}")
        _require_types(message)
        self._ctx.publish(topic, message, corr=corr)

    def log(self, event: str, **fields: object) -> None:
        if not isinstance(event, str):  # fields may be anything, and the line is named by it
            raise Malformed(f"the journal's event is {type(event).__name__}, wanted str")
        self._ctx.log(event, **fields)

    def spawn(self, spec: ChildSpec) -> Ref[Any]:
        args = {
            "bot": self._bot,
            "addresses": self._addresses,
            "args": spec.args,
            "root": self._root,
        }
        return self._ctx.spawn(structs.replace(spec, actor=_bordered(spec.actor), args=args))

    def _require(self, message: Message, path: str) -> None:
        if _is_within(path, self._root):
            return
        to = "feed" if type(message) in OF_THE_FEED else "guardian"
        is_owned = MAY_SAY.get(type(message)) if self._addresses.get(path) == to else None
        if is_owned is None or not is_owned(message, self._bot, self._root):
            raise self._forged(message, f"to {path}")
        _require_types(message)

    def _forged(self, message: Message, where: str) -> Forged:
        return Forged(
            f"{self._ctx.me.path} said {type(message).__name__} {where}; a bot of another"
            " distribution may not (docs/writing-a-bot.md)"
        )


_BORDERED: dict[type[Actor[Any]], type[Actor[Any]]] = {}
"""One for each, so that a reload finds the same."""


def _bordered(actor: type[Actor[Any]]) -> type[Actor[Any]]:
    """A class of the same name and kind: the supervisor and the debugger see what they know."""
    if actor not in _BORDERED:
        content = {"inside": actor, "supervises": actor.supervises}
        _BORDERED[actor] = type(actor.__name__, (Border,), content)
    return _BORDERED[actor]


def _require_types(message: Message) -> None:
    """Raises `Malformed` for a message that could not have been read from anywhere."""
    name = type(message).__name__
    try:
        meant: object = msgspec.convert(msgspec.to_builtins(message), type(message))
    except (msgspec.MsgspecError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
        raise Malformed(f"{name}: {error}") from error
    wrong = _other_type_in(message, meant, name) or _unwritable_in(message, name)
    if wrong is not None:
        raise Malformed(wrong)


def _other_type_in(said: object, meant: object, where: str) -> str | None:
    if type(said) is not type(meant):
        return f"{where} is {type(said).__name__}, wanted {type(meant).__name__}"
    if not isinstance(said, msgspec.Struct):
        return None
    found = (
        _other_type_in(getattr(said, each), getattr(meant, each), f"{where}.{each}")
        for each in said.__struct_fields__
    )
    return next((wrong for wrong in found if wrong is not None), None)


def _unwritable_in(said: object, where: str) -> str | None:
    """What the record could not hold, the data feed not follow, or the exit bot not compare: their
    failure would halt everybody.
    """
    match said:
        case FollowContracts(symbols=symbols) if odd := [e for e in symbols if parsed(e) is None]:
            return f"{where}.symbols has {odd[0][:40]!r}, wanted option contracts"
        case FollowContracts(symbols=symbols) if len(symbols) > PLUGIN_MAX:
            return f"{where}.symbols has {len(symbols)} contracts, wanted at most {PLUGIN_MAX}"
        case Decimal() if said.is_snan():
            return f"{where} is a signalling NaN, which fails whoever compares it; wanted a number"
        case str() if len(said) > TEXT_MAX:
            return f"{where} has {len(said)} characters, wanted at most {TEXT_MAX}"
        case str() if not said.isascii() and not _is_text(said):
            return f"{where} is no text that can be written"
        case int() if not -_WHOLE_MAX <= said < _WHOLE_MAX:
            return f"{where} is a number beyond 64 bits"
        case DecisionKey(session=session) if not _is_date(session):
            return f"{where}.session is {session[:20]!r}, wanted a date like 2026-01-05"
        case msgspec.Struct():
            found = (
                _unwritable_in(getattr(said, each), f"{where}.{each}")
                for each in said.__struct_fields__
            )
            return next((wrong for wrong in found if wrong is not None), None)
        case _:
            return None


def _is_text(said: str) -> bool:
    """Half a character is none."""
    try:
        said.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_date(session: str) -> bool:
    """As orders are named by it."""
    try:
        return date.fromisoformat(session).isoformat() == session
    except ValueError:
        return False


def _is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
