"""Who takes a cause away, and when (I04, I05).

Nothing goes by time alone: every clearing needs a preflight that passed together with a clean
reconciliation just now, and a cause whose condition still holds is never cleared. On top of that:

- a start needs no more; after an unclean end, on live, also an operator's word;
- a cooldown needs its time to be over;
- a limit needs its cool-off to be over (a daily loss: the next session to have begun), and an
  operator's word unless the settings let limits end by themselves;
- integrity needs an operator's word;
- what only repeats what somebody else says (the exchange has halted a symbol) needs no more, on
  live neither: it is over once that is no longer said.

All times are market time (UTC ns).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import structs

from hydra.trading.causes import CauseKind, kind_of, remedy_of
from hydra.trading.durations import SECOND
from hydra.trading.sessions import SessionTable
from hydra.trading.trading_state import Cause, CauseClass


class ClearingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about it. Raises ValueError for a negative time."""

    operator_only: bool
    """Live: no limit and no unclean end goes without a person, whatever else is said here."""
    limit_resumes_itself: bool
    cool_off_ns: int
    """The least that a limit takes."""
    exit_bot_cool_off_ns: int
    """The same for ExitBot's; the longer of the two counts."""

    def __post_init__(self) -> None:
        if min(self.cool_off_ns, self.exit_bot_cool_off_ns) < 0:
            raise ValueError(
                f"found cool-offs of {self.cool_off_ns} and {self.exit_bot_cool_off_ns} ns,"
                " wanted 0 or more"
            )


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """Preflight passed just now, and so did a comparison with the venue, without differences."""

    at: int
    evidence: tuple[str, ...]
    present: frozenset[str] = frozenset()
    """Codes of the causes whose condition still holds: a feed that is stale, a kill file."""


class OperatorWord(msgspec.Struct, frozen=True, kw_only=True):
    """An operator has looked, and lets these causes go. Without a reason it counts for nothing."""

    codes: frozenset[str]
    reason: str
    operator: str
    at: int


class Cleared(msgspec.Struct, frozen=True):
    """This cause is over, and why: the evidence that goes on record."""

    code: str
    reason: str


class ResumeVerdict(msgspec.Struct, frozen=True):
    """What an operator's word will do at the next clean pass, and for which causes it is no use."""

    noted: tuple[str, ...]
    """Codes."""
    refused: tuple[str, ...]
    """One line each: the code, what is in the way, what to do."""


def clearings(
    causes: Iterable[Cause],
    passed: Passed | None,
    policy: ClearingPolicy,
    word: OperatorWord | None,
    sessions: SessionTable,
) -> tuple[Cleared, ...]:
    """The causes that are over now, each by itself; none without a pass."""
    if passed is None:
        return ()
    return tuple(
        Cleared(cause.code, _reason(cause, passed, policy, word))
        for cause in causes
        if _obstacle(cause, passed.at, passed.present, policy, word, sessions) is None
    )


def earliest_clearing(cause: Cause, policy: ClearingPolicy, sessions: SessionTable) -> int | None:
    """Before when no pass and no word clears the cause; None: no clock says anything of it.

    That is so for starts and integrity, for what goes with its condition, and for what waits for a
    session that nobody knows of yet.
    """
    kind = kind_of(cause.code)
    if kind is not None and kind.goes_with_condition:
        return None
    match cause.cause_class:
        case CauseClass.START | CauseClass.INTEGRITY:
            return None
        case CauseClass.COOLDOWN:
            lasts_ns = _cooldown_ns(cause)
            return None if lasts_ns is None else cause.since + lasts_ns
        case CauseClass.LIMIT:
            earliest = cause.since + _cool_off_ns(kind, policy)
            if kind is None or not kind.lasts_until_session:
                return earliest
            session = sessions.next_after(cause.since)
            return None if session is None else max(earliest, session.open_at)


def verdict_on_resume(
    causes: Sequence[Cause],
    codes: Collection[str],
    at: int,
    present: frozenset[str],
    policy: ClearingPolicy,
    sessions: SessionTable,
) -> ResumeVerdict:
    """What becomes of an operator's wish to clear these causes; no codes: all that stand.

    What is in the way now is refused, also if it would go by waiting: a word is to be said by
    somebody who has looked at what is, not at what may be some hours later.
    """
    standing = {cause.code: cause for cause in causes}
    asked = codes or standing
    word = OperatorWord(codes=frozenset(asked), reason="asked", operator="", at=at)
    noted, refused = [], []
    for code in asked:
        cause = standing.get(code)
        if cause is None:
            names = ", ".join(standing) or "nothing"
            refused.append(f"{code}: there is no such cause; what stands: {names}")
            continue
        obstacle = _obstacle(cause, at, present, policy, word, sessions)
        if obstacle is None:
            noted.append(code)
        else:
            refused.append(f"{code}: {obstacle}; {remedy_of(cause.code)}")
    return ResumeVerdict(tuple(noted), tuple(refused))


def from_the_future(causes: Iterable[Cause], at: int) -> tuple[Cause, ...]:
    """Those that stand since later than now, with the time set to now: latch them again.

    A clock that was wrong when they were latched would otherwise keep them for as long as it was
    wrong by. How long they have stood nobody knows, so it counts from now.
    """
    return tuple(structs.replace(cause, since=at) for cause in causes if cause.since > at)


def is_another(cause: Cause, known: Cause | None) -> bool:
    """Whether it came up after the one that is known under its code, or there is none.

    No other one is the known one with its time set back, as `from_the_future` does it.
    """
    if known is None or structs.replace(cause, since=known.since) != known:
        return True
    return cause.since > known.since


def _obstacle(
    cause: Cause,
    at: int,
    present: frozenset[str],
    policy: ClearingPolicy,
    word: OperatorWord | None,
    sessions: SessionTable,
) -> str | None:
    """What keeps a cause from being cleared by a clean pass at this time; None: nothing."""
    kind = kind_of(cause.code)
    if kind is not None and kind.ends_with is not None:
        return f"it ends with {kind.ends_with}"
    if cause.code in present:
        return "it is still so"
    if at < cause.since:
        return f"it came up later, at {_utc(cause.since)}"
    if kind is not None and kind.goes_with_condition:
        return None
    if _is_bound_to_time(cause):
        earliest = earliest_clearing(cause, policy, sessions)
        if earliest is None:
            return "it lasts until the next session, and none is known"
        if at < earliest:
            return f"it is not cleared before {_utc(earliest)}"
    if _needs_word(cause, policy) and not _covers(word, cause):
        return "it needs an operator's word"
    return None


def _is_bound_to_time(cause: Cause) -> bool:
    match cause.cause_class:
        case CauseClass.START | CauseClass.INTEGRITY:
            return False
        case CauseClass.COOLDOWN:
            return _cooldown_ns(cause) is not None
        case CauseClass.LIMIT:
            return True


def _needs_word(cause: Cause, policy: ClearingPolicy) -> bool:
    kind = kind_of(cause.code)
    match cause.cause_class:
        case CauseClass.START:
            return policy.operator_only and kind is not None and kind.needs_person_on_live
        case CauseClass.COOLDOWN:
            return _cooldown_ns(cause) is None
        case CauseClass.LIMIT:
            return policy.operator_only or not policy.limit_resumes_itself
        case CauseClass.INTEGRITY:
            return True


def _cooldown_ns(cause: Cause) -> int | None:
    """How long it takes. None, so that a person has to end it, if nobody knows, or if it holds for
    more than a bot: what stops everybody does not go by its clock.
    """
    kind = kind_of(cause.code)
    return None if kind is None or cause.bot is None else kind.lasts_ns


def _cool_off_ns(kind: CauseKind | None, policy: ClearingPolicy) -> int:
    """Of a kind that nobody knows the longer one."""
    if kind is None or kind.is_exit_bots:
        return max(policy.cool_off_ns, policy.exit_bot_cool_off_ns)
    return policy.cool_off_ns


def _covers(word: OperatorWord | None, cause: Cause) -> bool:
    """Whether the word was said with a reason, of this cause, and after it had come up."""
    return (
        word is not None
        and word.reason.strip() != ""
        and cause.code in word.codes
        and cause.since <= word.at
    )


def _reason(cause: Cause, passed: Passed, policy: ClearingPolicy, word: OperatorWord | None) -> str:
    evidence = f"preflight and reconciliation passed: {'; '.join(passed.evidence)}"
    if word is None or not _needs_word(cause, policy):
        return evidence
    return f"{word.operator}: {word.reason}; {evidence}"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
