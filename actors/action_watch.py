"""The action watch: knows of splits, mergers and the like before they happen, and tells of them."""

from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from typing import Any, TypeAlias

from hydra.actor import MINUTE, SECOND, Actor, Context, Ref, unhandled
from hydra.ports import CorporateActions
from hydra.trading.corporate_actions import CorporateAction, Spell, share_of, spells_of
from hydra.trading.durations import HOUR
from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import new_york_date, new_york_instant
from hydra.trading.option_symbols import parsed, root_of
from hydra.trading.sessions import SessionTable
from messages.corporate_actions import (
    ACTIONS_TOPIC,
    ActionsNotRead,
    ActionsQuestion,
    ActionsRead,
    ActionsReported,
)
from messages.lifecycle import Replied, RestartChild
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import FEED_TOPIC, BarsClosed, FeedEnded
from messages.protection import COVERAGE_TOPIC, CoverageReported

Inbox: TypeAlias = (
    ActionsRead | ActionsNotRead | LoopRan | BarsClosed | FeedEnded | CoverageReported | Replied
)
TOPICS = (LOOP_TOPIC, FEED_TOPIC, COVERAGE_TOPIC)

BEHIND = timedelta(days=14)
"""As long ago as the oldest bar that a bot begins with."""
AHEAD = timedelta(days=30)
AHEAD_LEAST = timedelta(days=7)
"""An answer that does not reach so far any more says nothing of the next session."""
READ_EVERY = HOUR
"""Machine time; and once on each day of the market, since the source may hear of one late."""
READ_AGAIN_AFTER = MINUTE
"""The same, after a question that was not answered."""
ANSWER_WITHIN = 30 * SECOND
COUNTS_FOR = 24 * HOUR
"""Machine time after which what was read counts no more."""
RESTARTED_WITHIN = 30 * SECOND


class ActionWatch(Actor[Inbox]):
    """Asks for the actions of all shares that are traded or held, again and again.

    What it cannot read is not known: who goes by it lets nothing be entered. When a share has
    become another thing, the bots that trade it are started anew, so that no indicator goes on from
    prices of before; bars of before are kept from them by the data feed.
    """

    def __init__(
        self,
        actions: CorporateActions,
        traded: Mapping[str, tuple[str, ...]],
        sessions: SessionTable,
        bots: Ref[Any],
    ) -> None:
        """`traded`: the shares that each bot trades, or trades contracts on, by its name. `bots` is
        their supervisor.
        """
        self._source = actions
        self._traded = {
            bot: tuple(each for each in symbols if not is_crypto(each))
            for bot, symbols in traded.items()
        }
        self._sessions = sessions
        self._bots = bots
        self._held: frozenset[str] = frozenset()
        self._question: ActionsQuestion | None = None
        """The one that is not answered yet."""
        self._asked_at: int | None = None
        """When (machine time) it, or the one before, was asked; None: none ever was."""
        self._numbers = 0
        self._answered: ActionsQuestion | None = None
        """What the newest answer is to."""
        self._read_at = 0
        """When (machine time) it came."""
        self._known: frozenset[str] = frozenset()
        self._actions: tuple[CorporateAction, ...] = ()
        self._spells: tuple[Spell, ...] = ()
        self._day_ends_at = 0
        """Of the market's day on which it was read, in New York."""
        self._fault = ""
        """Why the last question was not answered."""
        self._unknown: tuple[str, ...] = ()
        self._near: tuple[str, ...] = ()
        """What of this was last told of, in words; what is over is left out."""
        self._told: object = None
        self._restarted: set[tuple[str, int]] = set()
        """Bots that were started anew, and because of which cut."""

    def start(self, ctx: Context) -> None:
        for topic in TOPICS:
            ctx.subscribe(topic)
        self._ask_if_due(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarsClosed():
                if ctx.market_time() < self._day_ends_at:
                    return  # nothing is due that the next loop does not see
            case LoopRan():
                self._report(ctx)
            case CoverageReported():
                held = frozenset([line.symbol for line in message.lines])
                if held == self._held:
                    return
                self._held = held
            case ActionsRead():
                if self._is_answer(message, ctx):
                    self._take(message, ctx)
            case ActionsNotRead():
                if self._is_answer(message, ctx):
                    self._failed(message.reason, ctx)
            case Replied() | FeedEnded():
                return  # a bot that does not run has no indicators
            case _:
                unhandled(message)
        self._ask_if_due(ctx)
        self._start_anew(ctx)

    # Asking

    def _wanted(self) -> tuple[str, ...]:
        """All shares that are traded or held. A held contract on none of them is asked for by its
        root, which is how most shares are spelled.
        """
        traded = {symbol for symbols in self._traded.values() for symbol in symbols}
        roots = {root_of(symbol) for symbol in traded}
        held = {share_of(each) if parsed(each) else each for each in self._held}
        strange = {each for each in held if root_of(each) not in roots and not is_crypto(each)}
        return tuple(sorted(traded | strange))

    def _ask_if_due(self, ctx: Context) -> None:
        if self._question is not None:
            assert self._asked_at is not None, "it was asked"
            if ctx.now() - self._asked_at < ANSWER_WITHIN:
                return
            self._failed(f"no answer within {ANSWER_WITHIN // SECOND} s", ctx)
        wanted = self._wanted()
        if wanted and self._is_due(wanted, ctx):
            today = new_york_date(ctx.market_time())
            self._numbers += 1
            self._asked_at = ctx.now()
            self._question = ActionsQuestion(
                symbols=wanted,
                first=today - BEHIND,
                last=today + AHEAD,
                reply_to=ctx.me.path,
                asked_by=ctx.incarnation,
                number=self._numbers,
            )
            self._source.ask(self._question)

    def _is_due(self, wanted: tuple[str, ...], ctx: Context) -> bool:
        if self._fault:
            assert self._asked_at is not None, "it was asked, and failed"
            return ctx.now() - self._asked_at >= READ_AGAIN_AFTER
        if self._answered is None or not set(wanted) <= set(self._answered.symbols):
            return True
        is_another_day = ctx.market_time() >= self._day_ends_at
        return is_another_day or ctx.now() - self._read_at >= READ_EVERY

    def _is_answer(self, message: ActionsRead | ActionsNotRead, ctx: Context) -> bool:
        """An answer to an earlier question, or to an earlier life's, says less."""
        question = self._question
        return question is not None and (message.asked_by, message.number) == (
            ctx.incarnation,
            question.number,
        )

    def _take(self, read: ActionsRead, ctx: Context) -> None:
        question, self._question = self._question, None
        assert question is not None, "it is answered"
        self._answered, self._read_at, self._fault = question, ctx.now(), ""
        self._day_ends_at = _end_of(question.first + BEHIND)
        self._known = frozenset(question.symbols).difference(read.unread)
        if read.actions != self._actions:
            self._actions = read.actions
            self._spells = spells_of(read.actions, self._sessions)
        self._report(ctx)

    def _failed(self, reason: str, ctx: Context) -> None:
        """What was read before holds on for a while."""
        if not self._fault:
            ctx.log("corporate_actions_unread", reason=reason)
        self._question, self._fault = None, reason

    # Telling

    def _report(self, ctx: Context) -> None:
        known = self._known_now(ctx)
        reported = ActionsReported(at=ctx.market_time(), known=known, spells=self._spells)
        ctx.publish(ACTIONS_TOPIC, reported)
        self._unknown = tuple(sorted(set(self._wanted()) - set(known)))
        left = (spell for spell in self._spells if spell.shut_until > reported.at)
        self._near = tuple(spell.words for spell in left)
        told = known, self._unknown, self._near
        has_looked = self._answered is not None or self._fault
        if has_looked and told != self._told:
            self._told = told
            ctx.log("corporate_actions_known", known=known, unknown=self._unknown, near=self._near)

    def _known_now(self, ctx: Context) -> tuple[str, ...]:
        """The shares of which an answer that still counts told everything."""
        answered = self._answered
        if answered is None or ctx.now() - self._read_at > COUNTS_FOR:
            return ()
        reaches = answered.last - new_york_date(ctx.market_time())
        return tuple(sorted(self._known)) if reaches >= AHEAD_LEAST else ()

    def _start_anew(self, ctx: Context) -> None:
        """The bots of what has become another thing. The data feed has heard of it before them."""
        at = ctx.market_time()
        for spell in self._spells:
            if spell.cut_at > at:
                continue
            for bot in self._bots_on(spell.symbols):
                if (bot, spell.cut_at) not in self._restarted:
                    self._restarted.add((bot, spell.cut_at))
                    ctx.log("bot_started_anew", bot=bot, reason=spell.words)
                    ctx.ask(self._bots, RestartChild(name=bot), within=RESTARTED_WITHIN, tag=bot)

    def _bots_on(self, symbols: Iterable[str]) -> list[str]:
        changed = set(symbols)
        return [bot for bot, traded in self._traded.items() if changed.intersection(traded)]

    def state_view(self) -> Mapping[str, object]:
        """What is near, what is not known of, and why it could not be read last."""
        answered = self._answered
        return {
            "near": list(self._near),
            "unknown": list(self._unknown),
            "read_until": None if answered is None else answered.last.isoformat(),
            "fault": self._fault,
        }


def _end_of(day: date) -> int:
    """The midnight in New York after it."""
    return new_york_instant(day + timedelta(days=1), time())
