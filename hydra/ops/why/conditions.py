"""How things stood at a moment: the trading state with its causes, the bot, and the engine."""

from collections.abc import Callable, Sequence
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from hydra.ops.why.journal import JournalSearch, Line, event, field
from hydra.ops.why.story import BotTold, CauseTold, EngineTold, Standing
from hydra.ops.why.times import When, when
from hydra.ops.why.wishes import path_of
from hydra.trading.causes import START, kind_of, remedy_of
from hydra.trading.durations import SECOND
from hydra.trading.trading_state import Cause, CauseClass, TradingState

OnRecord: TypeAlias = Callable[[str, int], Cause | None]
"""The newest cause of a code that the ledger knows up to a moment; None: it knows of none."""

STARTED, STOPPED, FAILED_CLOSED = "engine_started", "engine_stopped", "fail_closed"
SUPERVISED = ("child_restarting", "child_quarantined")
NEVER = "no engine had run yet, as far as the journal goes back"


def standing_at(
    search: JournalSearch, last: Line, on_record: OnRecord, zone: ZoneInfo
) -> Standing | None:
    """What passed when this line was written, and why not more; None if the journal is silent."""
    state, since, codes = None, None, list[str]()
    texts = (event("trading_state"), event(STARTED))
    for line in search.newest_first(*texts, last_seq=last.seq):
        if line.event == STARTED:
            if state is None:
                state, since, codes = TradingState.HALTED.name, line, [START.code]
            break
        if state is None:
            state, codes = str(line.record.get("state")), list(line.record.get("causes", ()))
        elif state != line.record.get("state"):
            break
        since = line
    if state is None:
        return None
    causes = _causes(search, codes, last, on_record)
    return Standing(
        at=when(last.at, zone),
        state=state,
        since=None if since is None else when(since.at, zone),
        causes=tuple(_told(code, causes.get(code), zone) for code in codes),
    )


def bot_at(search: JournalSearch, bot: str, last: Line, zone: ZoneInfo) -> BotTold:
    """Whether the bot was up, by its own lines and its supervisor's."""
    path = path_of(bot)
    texts = (field("source", path), field("child", bot), event(STARTED))
    for line in search.newest_first(*texts, last_seq=last.seq):
        if line.event == STARTED:
            return BotTold(is_up=False, text="it had not been started in that run of the engine")
        told = _life(line, bot, path, when(line.at, zone))
        if told is not None:
            return told
    return BotTold(is_up=False, text="it was never started, as far as the journal goes back")


def engine_at(
    search: JournalSearch, moment: int, last_seq: int, now: str, zone: ZoneInfo
) -> EngineTold:
    """Whether an engine ran at the moment up to which actors wrote line `last_seq`. `now`: which
    one runs today, "" if none does.
    """
    after: Line | None = None
    for line in search.newest_first(event(STARTED), event(STOPPED), event(FAILED_CLOSED)):
        # No actor writes the end of an engine; the next start comes when it comes.
        has_ended = line.event != STARTED and line.at <= moment
        if line.seq > last_seq and not has_ended:
            after = line
            continue
        if line.event == STARTED:
            return _running(search, line, after, moment, now, zone)
        how = "stopped" if line.event == STOPPED else "failed closed"
        reason = line.record.get("reason")
        text = f"no engine ran: it had {how} at {when(line.at, zone).words} ({reason})"
        return EngineTold(is_running=False, text=text)
    return EngineTold(is_running=False, text=NEVER)


def _running(
    search: JournalSearch, start: Line, after: Line | None, moment: int, now: str, zone: ZoneInfo
) -> EngineTold:
    told = EngineTold(
        is_running=True,
        text=f"one ran, started at {when(start.at, zone).words}",
        version=str(start.record.get("version")),
        configuration=str(start.record.get("configuration")),
    )
    if after is not None and after.event != STARTED:
        return told
    last = search.newest() if after is None else search.before(after)
    if last is None or last.at >= moment:
        return told
    gone = when(last.at, zone).words
    if after is None and now:
        return msgspec.structs.replace(
            told, text=f"{told.text} ({now}); its newest line is of {gone}"
        )
    text = f"no engine ran: the last one ended at or after {gone} and did not say that it stopped"
    return msgspec.structs.replace(told, is_running=False, text=text)


def _life(line: Line, bot: str, path: str, at: When) -> BotTold | None:
    """What the line says of the bot's life; None if it is about something else."""
    detail = line.record.get("detail", line.record.get("reason", ""))
    if line.source == path:
        match line.event:
            case "actor_started" | "actor_resumed":
                return BotTold(is_up=True, text=f"it was up since {at.words}")
            case "actor_suspended":
                text = f"it was held back since {at.words}: {detail}"
            case "actor_failed":
                text = f"it was down since {at.words}: {detail}"
            case "actor_stopped" | "actor_stop_overdue":
                text = f"it was stopped at {at.words}: {detail}"
            case _:
                return None
        return BotTold(is_up=False, text=text)
    if line.record.get("child") != bot or line.event not in SUPERVISED:
        return None
    if line.event == "child_quarantined":
        text = f"it was quarantined since {at.words}, until a person starts it: {detail}"
        return BotTold(is_up=False, text=text)
    pause = line.record.get("pause_ms")
    text = f"it went down at {at.words}, to be started again after {pause} ms: {detail}"
    return BotTold(is_up=False, text=text)


def _causes(
    search: JournalSearch, codes: Sequence[str], last: Line, on_record: OnRecord
) -> dict[str, Cause]:
    """The cause of each code as it was latched. Of a start's own nothing need have been written."""
    wanted, found = set(codes), dict[str, Cause]()
    for line in search.newest_first(event("halt_latched"), event(STARTED), last_seq=last.seq):
        if line.event == STARTED:
            wanted = {code for code in wanted if not _is_of_start(code)}
        cause = _cause_in(line)
        if cause is not None and cause.code in wanted:
            found[cause.code] = cause
            wanted.discard(cause.code)
        if not wanted:
            break
    for code in [code for code in codes if code not in found]:
        cause = on_record(code, last.at)
        if cause is not None:
            found[code] = cause
    return found


def _cause_in(line: Line) -> Cause | None:
    try:
        return msgspec.convert(line.record.get("cause"), Cause)
    except msgspec.ValidationError:
        return None


def _told(code: str, cause: Cause | None, zone: ZoneInfo) -> CauseTold:
    kind = kind_of(code)
    ends = remedy_of(code)
    if cause is None:
        return CauseTold(
            code=code,
            state=None if kind is None else kind.state.name,
            cause_class=None if kind is None else kind.cause_class.value,
            since=None,
            detail="",
            concerns="all orders",
            ends=ends,
        )
    whose = [f"orders of {cause.bot}"] if cause.bot else []
    whose += [f"orders in {cause.symbol}"] if cause.symbol else []
    return CauseTold(
        code=code,
        state=cause.state.name,
        cause_class=cause.cause_class.value,
        since=when(cause.since, zone) if cause.since >= SECOND else None,
        detail=cause.detail,
        concerns=" ".join(whose) or "all orders",
        ends=ends,
    )


def _is_of_start(code: str) -> bool:
    kind = kind_of(code)
    return kind is not None and kind.cause_class is CauseClass.START
