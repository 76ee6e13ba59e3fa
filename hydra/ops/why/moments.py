"""What a bot wanted at a moment, and how it was judged; or why it wanted nothing."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from hydra.ops.why.conditions import bot_at, engine_at, standing_at
from hydra.ops.why.journal import JournalSearch, Line, event, field
from hydra.ops.why.judgements import NotReadable, intent_in
from hydra.ops.why.orders import judged, wanted, wish
from hydra.ops.why.story import Before, Explanation, Nothing, NothingFound, Standing
from hydra.ops.why.times import LAST, Asked, When, asked_in, when
from hydra.ops.why.wishes import (
    INTENDED,
    NOTHING,
    Story,
    decision_in,
    path_of,
    said_by,
    story_of_wish,
)
from hydra.store.journal_line import LINE_START
from hydra.trading.durations import MINUTE
from hydra.trading.trading_state import Cause

JUST_BEFORE = MINUTE
"""A wish so long before the moment is what was meant, whatever the bot said since then."""
NAMES_SHOWN = 20


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Where answers are looked for.

    `cause_on_record` gives the newest cause of a code that the ledger knows up to a moment, None if
    it knows of none. `running` says which engine has the record, "" if none has.
    """

    search: JournalSearch
    cause_on_record: Callable[[str, int], Cause | None]
    zone: ZoneInfo
    running: str = ""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The newest wish for a bot in a symbol by a moment, and its newest word that it has none."""

    wish: Line | None
    nothing: Line | None

    def wish_meant(self, asked: Asked) -> Line | None:
        """The wish, if it is new enough to be what is asked about."""
        wish = self.wish
        return wish if wish is not None and wish.at >= asked.begins_at - JUST_BEFORE else None

    @property
    def newest(self) -> Line | None:
        """What was said last."""
        lines = [line for line in (self.wish, self.nothing) if line is not None]
        return max(lines, key=lambda line: line.seq, default=None)


def moment_explained(asker: Asker, bot: str, symbol: str, text: str) -> tuple[Explanation, Story]:
    """What the bot wanted at that moment or just before it. If that was approved, the story of the
    order is for the caller to tell, with the ledger's help.

    Raises NothingFound, BadMoment.
    """
    search, zone = asker.search, asker.zone
    newest = next(said_by(search, bot, symbol), None)
    if newest is None:
        raise NothingFound(_nobody(search, bot, symbol))
    asked = asked_in(text, newest.at)
    last_seq = newest.seq if text == LAST else search.last_seq_at(asked.ends_at)
    last = next(search.newest_first(LINE_START, last_seq=last_seq), None)
    decided = _decided_by(search, bot, symbol, last_seq)
    engine = engine_at(search, asked.begins_at, last_seq, asker.running, zone)
    found = Explanation(
        question=f"{bot} {symbol} {text}",
        outcome="nothing",
        headline="",
        asked=when(asked.begins_at, zone),
        engine=engine,
    )
    if last is not None:
        found = structs.replace(
            found,
            bot=bot_at(search, bot, last, zone) if engine.is_running else None,
            standing=standing_at(search, last, asker.cause_on_record, zone),
            standing_now=standing_now(asker) if text == LAST else None,
        )
    meant, said = decided.wish_meant(asked), decided.newest
    was_up = found.bot is not None and found.bot.is_up
    if meant is None and was_up and said is not None and said.event == INTENDED:
        meant = said  # nothing was said since then
    if meant is not None:
        story = story_of_wish(search, meant)
        return with_wish(found, story, bot, symbol, zone), story
    return _with_nothing(found, asker, bot, symbol, decided, last_seq), Story()


def with_wish(
    found: Explanation, story: Story, bot: str, symbol: str, zone: ZoneInfo
) -> Explanation:
    """The wish and its judgement."""
    intent, told = story.intent, judged(story, zone)
    what = f"{bot}: a wish to trade {symbol}" if intent is None else wish(intent)
    found = structs.replace(
        found,
        wanted=None if intent is None else wanted(intent, story.intended, zone),
        judged=told,
    )
    if told is None:
        headline = f"{what}: asked for, and never judged"
        notes = (_why_not_judged(story, zone),)
        return structs.replace(found, outcome="not judged", headline=headline, notes=notes)
    if told.verdict == "denied":
        check = str(told.check).replace("_", " ")
        headline = f"{what}: DENIED, {check}: {told.reason}"
        return structs.replace(found, outcome="denied", headline=headline)
    return structs.replace(found, outcome="order", headline=f"{what}: approved")


def standing_now(asker: Asker) -> Standing | None:
    """How things stand where the journal ends."""
    last = asker.search.newest()
    if last is None:
        return None
    return standing_at(asker.search, last, asker.cause_on_record, asker.zone)


def question_about(bot: object, symbol: object, at: When) -> str:
    """How to ask about that moment."""
    return f"hydra-trader why {bot} {symbol} {at.utc}"


def _decided_by(search: JournalSearch, bot: str, symbol: str, last_seq: int) -> Decided:
    nothing: Line | None = None
    for line in said_by(search, bot, symbol, last_seq):
        if line.event == INTENDED:
            return Decided(wish=line, nothing=nothing)
        nothing = nothing or line
    return Decided(wish=None, nothing=nothing)


def _why_not_judged(story: Story, zone: ZoneInfo) -> str:
    if story.fault:
        return story.fault
    for line in story.lines:
        if line.event == "intent_repeated":
            name, at = line.record.get("client_order_id"), when(line.at, zone).words
            return f"it had been approved in an earlier life of the bot, as {name} (said at {at})"
    return "no judgement follows it: the engine or its guardian went down, or the lines are lost"


def _with_nothing(
    found: Explanation, asker: Asker, bot: str, symbol: str, decided: Decided, last_seq: int
) -> Explanation:
    assert found.engine is not None, "the caller has looked"
    said, nothing = decided.nothing, None
    if found.bot is None:
        reason = found.engine.text
    elif not found.bot.is_up:
        reason = found.bot.text
    elif said is None or _was_started_since(asker.search, bot, said, last_seq):
        reason = f"it had said nothing since it was up: no bar of {symbol} had come to it"
        nothing = Nothing(reason=reason, since=None, line=None)
    else:
        reason = str(said.record.get("reason"))
        nothing = Nothing(reason=reason, since=when(said.at, asker.zone), line=said.seq)
    return structs.replace(
        found,
        outcome="nothing" if found.engine.is_running else "not running",
        headline=f"{bot} wanted nothing in {symbol}: {reason}",
        nothing=nothing,
        before=None if decided.wish is None else _before(decided.wish, asker.zone),
        notes=_of_the_feed(asker, symbol, last_seq),
    )


def _was_started_since(search: JournalSearch, bot: str, said: Line, last_seq: int) -> bool:
    for line in search.newest_first(field("source", path_of(bot)), last_seq=last_seq):
        if line.seq <= said.seq:
            return False
        if line.event == "actor_started":
            return True
    return False


def _of_the_feed(asker: Asker, symbol: str, last_seq: int) -> tuple[str, ...]:
    """What the feed had said last in that run, if that is why nothing came."""
    texts = (event("feed_ended"), event("bar_dropped"), event("engine_started"))
    for line in asker.search.newest_first(*texts, last_seq=last_seq):
        at = when(line.at, asker.zone).words
        if line.event == "feed_ended":
            return (f"the market had nothing more to say in that session since {at}",)
        if line.event == "engine_started":
            break
        if line.record.get("symbol") == symbol:
            return (f"a bar of {symbol} was dropped at {at}: {line.record.get('fault')}",)
    return ()


def _before(line: Line, zone: ZoneInfo) -> Before | None:
    try:
        intent = intent_in(line)
    except NotReadable:
        return None
    decision, at = intent.decision, when(line.at, zone)
    return Before(at=at, text=wish(intent), ask=question_about(decision.bot, decision.symbol, at))


def _nobody(search: JournalSearch, bot: str, symbol: str) -> str:
    """One line for a bot of which the journal knows nothing in this symbol."""
    known: dict[str, None] = {}
    for line in search.newest_first(event(NOTHING), event(INTENDED)):
        decision = decision_in(line)
        name = decision.get("bot") or line.source.rpartition("/")[2]
        known[f"{name} {decision.get('symbol') or line.record.get('symbol')}"] = None
        if len(known) >= NAMES_SHOWN:
            break
    there_is = ", ".join(sorted(known)) or "none"
    return f"{bot} {symbol}: no such bot has said anything in the journal; there is {there_is}"
