"""Examples of every rule; test_clearing_machine.py plays them all together."""

from collections.abc import Collection

import msgspec
import pytest
from msgspec import structs

from hydra.trading.causes import (
    COOLDOWN,
    DAILY_LOSS,
    DRAWDOWN,
    KINDS,
    OPERATOR_HALT,
    PREFLIGHT,
    RECONCILIATION,
    RECOVERING,
    STALE_FEED,
    START,
    STOPPING,
    SYMBOL_HALTED,
    THROTTLE,
    UNCLEAN_END,
    CauseKind,
)
from hydra.trading.clearing import (
    Cleared,
    ClearingPolicy,
    OperatorWord,
    Passed,
    ResumeVerdict,
    clearings,
    earliest_clearing,
    from_the_future,
    verdict_on_resume,
)
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.standing import Standing
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.trading.market_data import utc_ns

MINUTE = 60 * 1_000_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

AT = utc_ns("2024-01-03T18:00:00+00:00")
OPEN = utc_ns("2024-01-03T14:30:00+00:00")
NEXT_OPEN = OPEN + DAY


def session(day: int) -> ExchangeSession:
    open_at = OPEN + (day - 3) * DAY
    return ExchangeSession(f"2024-01-{day:02}", open_at, open_at + 390 * MINUTE, early_close=False)


SESSIONS = SessionTable(tuple(session(day) for day in (3, 4, 5, 8, 9)))
PAPER = ClearingPolicy(
    operator_only=False,
    limit_resumes_itself=True,
    cool_off_ns=60 * MINUTE,
    exit_bot_cool_off_ns=390 * MINUTE,
)
BY_OPERATOR = structs.replace(PAPER, limit_resumes_itself=False)
LIVE = structs.replace(BY_OPERATOR, operator_only=True)
LIVE_MISCONFIGURED = structs.replace(LIVE, limit_resumes_itself=True)
POLICIES = (PAPER, BY_OPERATOR, LIVE, LIVE_MISCONFIGURED)


def since(kind: CauseKind, at: int = AT) -> Cause:
    return kind.cause(since=at, detail="a test", subject="mom" if kind.has_subject else "")


def passed(at: int, present: Collection[str] = ()) -> Passed:
    return Passed(at=at, evidence=("guardian: well", "no differences"), present=frozenset(present))


def word(*codes: str, at: int = AT, reason: str = "looked into it") -> OperatorWord:
    return OperatorWord(codes=frozenset(codes), reason=reason, operator="ann", at=at)


def goes(
    cause: Cause,
    at: int,
    policy: ClearingPolicy = PAPER,
    said: OperatorWord | None = None,
    present: Collection[str] = (),
) -> bool:
    cleared = clearings([cause], passed(at, present), policy, said, SESSIONS)
    assert [one.code for one in cleared] in ([], [cause.code])
    return bool(cleared)


LATER = NEXT_OPEN + 5 * DAY
"""Later than any cool-off, and more sessions have begun."""


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_cleared_without_a_pass_i04(policy: ClearingPolicy) -> None:
    causes = [since(kind) for kind in KINDS]
    said = word(*(cause.code for cause in causes))

    assert clearings(causes, None, policy, said, SESSIONS) == ()


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_still_so_is_never_cleared_i05(policy: ClearingPolicy) -> None:
    causes = [since(kind) for kind in KINDS]
    codes = [cause.code for cause in causes]

    assert clearings(causes, passed(LATER, codes), policy, word(*codes), SESSIONS) == ()


INTEGRITY = [kind for kind in KINDS if kind.cause_class is CauseClass.INTEGRITY]
LIMITS = [
    kind for kind in KINDS if kind.cause_class is CauseClass.LIMIT and not kind.goes_with_condition
]


@pytest.mark.parametrize("kind", INTEGRITY, ids=lambda kind: kind.code)
def test_integrity_needs_an_operator_and_a_pass_and_no_time_i04(kind: CauseKind) -> None:
    cause = since(kind)

    assert not any(goes(cause, LATER, policy) for policy in POLICIES)
    assert all(goes(cause, AT, policy, word(cause.code)) for policy in POLICIES)


def test_what_only_repeats_the_exchanges_word_goes_with_it_at_a_pass_i04_i05() -> None:
    halt = since(SYMBOL_HALTED)

    assert all(goes(halt, AT, policy) for policy in POLICIES)
    for policy in POLICIES:
        assert clearings([halt], None, policy, word(halt.code), SESSIONS) == ()
        assert clearings([halt], passed(LATER, [halt.code]), policy, None, SESSIONS) == ()
        assert earliest_clearing(halt, policy, SESSIONS) is None


@pytest.mark.parametrize("kind", LIMITS, ids=lambda kind: kind.code)
def test_a_limit_goes_by_itself_only_where_the_settings_say_so_i04(kind: CauseKind) -> None:
    cause = since(kind)

    assert [goes(cause, LATER, policy) for policy in POLICIES] == [True, False, False, False]
    assert all(goes(cause, LATER, policy, word(cause.code)) for policy in POLICIES)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("kind", "over_at"),
    [
        (PREFLIGHT, AT + 60 * MINUTE),
        (DRAWDOWN, AT + 60 * MINUTE),
        (STALE_FEED, AT + 390 * MINUTE),
        (DAILY_LOSS, NEXT_OPEN),
    ],
)
def test_a_cool_off_is_the_least_also_for_an_operator_i04(
    kind: CauseKind, over_at: int, policy: ClearingPolicy
) -> None:
    cause = since(kind)
    said = word(cause.code)

    assert not goes(cause, over_at - 1, policy, said)
    assert goes(cause, over_at, policy, said)
    assert earliest_clearing(cause, policy, SESSIONS) == over_at


def test_of_two_cool_offs_the_longer_one_counts_for_exit_bots_causes_i04() -> None:
    longer = structs.replace(PAPER, cool_off_ns=500 * MINUTE)

    assert earliest_clearing(since(STALE_FEED), longer, SESSIONS) == AT + 500 * MINUTE
    assert earliest_clearing(since(PREFLIGHT), longer, SESSIONS) == AT + 500 * MINUTE


def test_a_daily_loss_takes_its_cool_off_too_i04_i37() -> None:
    shortly_before = since(DAILY_LOSS, NEXT_OPEN - MINUTE)

    earliest = earliest_clearing(shortly_before, PAPER, SESSIONS)

    assert earliest == NEXT_OPEN - MINUTE + 390 * MINUTE
    assert not goes(shortly_before, earliest - 1)
    assert goes(shortly_before, earliest)


def test_a_daily_loss_lasts_over_a_weekend_i04_i37() -> None:
    friday = since(DAILY_LOSS, AT + 2 * DAY)
    monday_open = OPEN + 5 * DAY

    assert not goes(friday, monday_open - 1)
    assert goes(friday, monday_open)


def test_a_daily_loss_after_which_no_session_is_known_stays_i04_i37() -> None:
    last = since(DAILY_LOSS, OPEN + 6 * DAY)

    assert earliest_clearing(last, PAPER, SESSIONS) is None
    assert not goes(last, LATER + 1000 * DAY, said=word(last.code, at=LATER))


@pytest.mark.parametrize("kind", [START, THROTTLE, RECONCILIATION])
def test_what_no_clock_decides_has_no_earliest_time_i04(kind: CauseKind) -> None:
    assert earliest_clearing(since(kind), PAPER, SESSIONS) is None


@pytest.mark.parametrize("policy", POLICIES)
def test_a_pause_of_a_bot_goes_by_its_clock_i04(policy: ClearingPolicy) -> None:
    cause = since(COOLDOWN)

    assert earliest_clearing(cause, policy, SESSIONS) == AT + 30 * MINUTE
    assert not goes(cause, AT + 30 * MINUTE - 1, policy, word(cause.code))
    assert goes(cause, AT + 30 * MINUTE, policy)


@pytest.mark.parametrize(
    "cause",
    [
        structs.replace(since(COOLDOWN), bot=None),
        structs.replace(since(COOLDOWN), code="something:mom"),
    ],
)
def test_a_pause_of_everybody_or_of_no_known_length_needs_a_person_i04(cause: Cause) -> None:
    assert earliest_clearing(cause, PAPER, SESSIONS) is None
    assert not goes(cause, LATER)
    assert goes(cause, LATER, said=word(cause.code))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_start_is_cleared_by_a_pass_i06(policy: ClearingPolicy) -> None:
    assert goes(since(START), AT, policy)


def test_an_unclean_end_needs_a_person_on_live_i03() -> None:
    cause = since(UNCLEAN_END)

    assert [goes(cause, AT, policy) for policy in POLICIES] == [True, True, False, False]
    assert goes(cause, AT, LIVE, word(cause.code))


@pytest.mark.parametrize("kind", [RECOVERING, STOPPING])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_recovery_and_a_stop_end_by_no_pass_and_no_word_i06_i76(
    kind: CauseKind, policy: ClearingPolicy
) -> None:
    assert not goes(since(kind), LATER, policy, word(kind.code, at=LATER))


def test_a_pass_from_before_a_cause_proves_nothing_i04() -> None:
    assert not goes(since(START), AT - 1)
    assert not goes(since(OPERATOR_HALT), AT - 1, said=word("operator-halt"))


UNFIT = {
    "of another cause": word("reconciliation"),
    "from before the cause": word("operator-halt", at=AT - 1),
    "without a reason": word("operator-halt", reason=" \n"),
    "of nothing": word(),
}


@pytest.mark.parametrize("said", UNFIT.values(), ids=UNFIT)
def test_a_word_counts_only_with_a_reason_and_for_what_it_was_said_of_i04(
    said: OperatorWord,
) -> None:
    assert not goes(since(OPERATOR_HALT), LATER, said=said)


def test_a_word_does_not_cover_what_is_latched_after_it_i04_i05() -> None:
    standing = Standing(PAPER, SESSIONS, [since(OPERATOR_HALT), since(RECONCILIATION)])
    standing.let_go(word("operator-halt", "reconciliation"), frozenset())
    before = standing.noted
    standing.stand(since(OPERATOR_HALT))

    assert before == ("operator-halt", "reconciliation")
    assert standing.noted == ("reconciliation",)
    assert [cleared.code for cleared in standing.ends(passed(AT))] == ["reconciliation"]


def test_clearing_one_leaves_the_others_i05() -> None:
    causes = [since(kind) for kind in (START, OPERATOR_HALT, STALE_FEED, RECONCILIATION)]

    cleared = clearings(causes, passed(AT), PAPER, word("reconciliation"), SESSIONS)

    assert [one.code for one in cleared] == ["start", "reconciliation"]


def test_a_clearing_says_on_what_evidence_and_by_whose_word_i04() -> None:
    causes = [since(kind) for kind in (START, OPERATOR_HALT)]

    cleared = clearings(causes, passed(AT), PAPER, word("start", "operator-halt"), SESSIONS)

    evidence = "preflight and reconciliation passed: guardian: well; no differences"
    assert cleared == (
        Cleared("start", evidence),
        Cleared("operator-halt", f"ann: looked into it; {evidence}"),
    )


def test_a_limit_that_nobody_knows_takes_the_longer_cool_off_i04() -> None:
    cause = structs.replace(since(PREFLIGHT), code="from_a_later_version")

    assert earliest_clearing(cause, PAPER, SESSIONS) == AT + 390 * MINUTE


def test_a_clock_that_was_wrong_does_not_keep_a_cause_for_ever_i04_i48() -> None:
    from_2038 = since(STALE_FEED, utc_ns("2038-01-19T03:14:07+00:00"))
    sound = since(OPERATOR_HALT)

    again = from_the_future([from_2038, sound], AT)

    assert not goes(from_2038, LATER, said=word("stale_feed", at=LATER))
    assert again == (since(STALE_FEED, AT),)
    assert goes(again[0], AT + 390 * MINUTE)


@pytest.mark.parametrize("field", ["cool_off_ns", "exit_bot_cool_off_ns"])
def test_a_negative_cool_off_is_refused_i40(field: str) -> None:
    with pytest.raises(ValueError, match=r"found cool-offs of .*-1.* ns, wanted 0 or more"):
        structs.replace(PAPER, **{field: -1})


def test_an_operators_word_can_be_kept_on_record_i02() -> None:
    said = word("operator-halt", "reconciliation")

    assert msgspec.json.decode(msgspec.json.encode(said), type=OperatorWord) == said


NOT_BEFORE, CAME_LATER = "it is not cleared before", "it came up later, at"
STANDING = [since(kind) for kind in (START, OPERATOR_HALT, STALE_FEED, DAILY_LOSS, RECOVERING)]


def test_an_operator_hears_what_a_word_will_do_and_what_not_i04() -> None:
    verdict = verdict_on_resume(STANDING, (), AT + HOUR, frozenset(), LIVE, SESSIONS)

    assert verdict == ResumeVerdict(
        noted=("start", "operator-halt"),
        refused=(
            f"stale_feed: {NOT_BEFORE} 2024-01-04 00:30:00 UTC; see whether prices arrive",
            f"daily_loss: {NOT_BEFORE} 2024-01-04 14:30:00 UTC; wait for the next session",
            "recovering: it ends with the reading of the record; wait",
        ),
    )


def test_an_operator_hears_what_is_still_so_i04_i05() -> None:
    present = frozenset({"operator-halt"})

    verdict = verdict_on_resume(STANDING, ["operator-halt"], AT, present, LIVE, SESSIONS)

    assert verdict == ResumeVerdict(
        noted=(), refused=("operator-halt: it is still so; resume when its reason is gone",)
    )


def test_an_operator_hears_that_there_is_no_such_cause_i04() -> None:
    none, some = (
        verdict_on_resume(causes, ["oprator-halt"], AT, frozenset(), PAPER, SESSIONS)
        for causes in ([], STANDING[:2])
    )

    no_such = "oprator-halt: there is no such cause; what stands:"
    assert none == ResumeVerdict(noted=(), refused=(f"{no_such} nothing",))
    assert some == ResumeVerdict(noted=(), refused=(f"{no_such} start, operator-halt",))


def test_an_operator_hears_of_causes_that_no_clock_or_table_knows_i04() -> None:
    strange = Cause(
        code="from_a_later_version",
        cause_class=CauseClass.LIMIT,
        state=TradingState.HALTED,
        since=AT,
        detail="",
    )
    loss = since(DAILY_LOSS, OPEN + 6 * DAY)
    late = since(OPERATOR_HALT, AT + 1)

    verdict = verdict_on_resume([strange, loss, late], (), AT, frozenset(), PAPER, SESSIONS)

    assert verdict.refused == (
        f"{strange.code}: {NOT_BEFORE} 2024-01-04 00:30:00 UTC; look at the journal, then resume",
        f"daily_loss: {CAME_LATER} 2024-01-09 14:30:00 UTC; wait for the next session",
        f"operator-halt: {CAME_LATER} 2024-01-03 18:00:00 UTC; resume when its reason is gone",
    )
    later = verdict_on_resume([loss], (), LATER + DAY, frozenset(), PAPER, SESSIONS)
    assert later.refused == (
        "daily_loss: it lasts until the next session, and none is known; wait for the next session",
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("at", [AT, AT + HOUR, LATER])
def test_what_is_noted_goes_with_the_next_clean_pass_and_what_is_refused_does_not_i04(
    policy: ClearingPolicy, at: int
) -> None:
    causes = [since(kind) for kind in KINDS]
    verdict = verdict_on_resume(causes, (), at, frozenset(), policy, SESSIONS)

    cleared = clearings(causes, passed(at), policy, word(*verdict.noted, at=at), SESSIONS)

    assert tuple(one.code for one in cleared) == verdict.noted
    assert len(verdict.noted) + len(verdict.refused) == len(causes)
