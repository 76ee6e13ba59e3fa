"""Ten days of causes that come and go, of passes, words and restarts, beside a plain list of rules.

The machine's own rules are written out once more below, code by code, and know nothing of classes.
"""

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hydra.trading.causes import (
    API_FAILURES,
    COOLDOWN,
    DAILY_LOSS,
    DRAWDOWN,
    KILL_SWITCH,
    OPERATOR_CLOSE_ONLY,
    OPERATOR_HALT,
    RECONCILIATION,
    STALE_FEED,
    STALE_SYMBOL,
    START,
    STOPPING,
    THROTTLE,
    UNCLEAN_END,
    UNMANAGED,
    CauseKind,
)
from hydra.trading.clearing import ClearingPolicy, OperatorWord, Passed
from hydra.trading.standing import Standing
from hydra.trading.trading_state import Cause, TradingState
from tests.trading.test_clearing import AT, DAY, HOUR, MINUTE, OPEN, POLICIES, SESSIONS

SUBJECT = "it"
FEW = st.integers(0, 4)
"""For what is to happen in one of five cases only."""
HAPPENING: list[CauseKind] = [
    *(STALE_FEED, STALE_SYMBOL, API_FAILURES, DRAWDOWN, DAILY_LOSS, COOLDOWN, THROTTLE),
    *(OPERATOR_HALT, OPERATOR_CLOSE_ONLY, KILL_SWITCH, RECONCILIATION, UNMANAGED, STOPPING),
]

# What has to be over before each goes, whoever asks: the time that it takes at least.
LEAST = {
    "stale_feed": 390 * MINUTE,
    "stale_feed:it": 390 * MINUTE,
    "api_failures": 390 * MINUTE,
    "drawdown": 60 * MINUTE,
    "daily_loss": 390 * MINUTE,
    "cooldown:it": 30 * MINUTE,
}
LIMITS = LEAST.keys() - {"cooldown:it"}
PERSON = {
    *("throttle:it", "operator-halt", "operator-close-only", "kill_switch:it"),
    *("reconciliation", "unmanaged:it"),
}
HALTING = {
    *("start", "unclean_end", "stopping", "operator-halt", "reconciliation"),
    *("stale_feed", "api_failures"),
}
SCOPED = {"stale_feed:it", "throttle:it", "cooldown:it"}
SESSION_OPENS = [OPEN + day * DAY for day in (0, 1, 2, 5, 6)]


def code_of(kind: CauseKind) -> str:
    return kind.code + (SUBJECT if kind.has_subject else "")


class CausesOverTenDays(RuleBasedStateMachine):
    """A guardian that does nothing but latch and clear, each of which it records first."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = POLICIES[0]
        self.now = AT
        self.standing = Standing(self.policy, SESSIONS)
        self.present: set[str] = set()
        self.record: list[Cause | str] = []
        """Causes as they were latched, and the codes of those that were cleared."""
        self.said: dict[str, str] = {}
        """Codes that an operator let go, and who; under these nothing has come up since."""

    @property
    def causes(self) -> dict[str, Cause]:
        return {cause.code: cause for cause in self.standing.causes}

    def latch(self, kind: CauseKind) -> None:
        cause = kind.cause(
            since=self.now, detail="a test", subject=SUBJECT if kind.has_subject else ""
        )
        self.record.append(cause)
        self.standing.stand(cause)
        self.said.pop(cause.code, None)

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: ClearingPolicy) -> None:
        self.policy = self.standing.policy = policy
        self.latch(START)

    @rule(kind=st.sampled_from(HAPPENING), stays=st.sampled_from([True, False, False]), often=FEW)
    def something_happens(self, kind: CauseKind, stays: bool, often: int) -> None:
        if code_of(kind) in self.causes and often:
            return
        self.latch(kind)
        if stays:
            self.present.add(code_of(kind))

    @precondition(lambda self: self.present)
    @rule(count=st.integers(1, 20))
    def conditions_are_gone(self, count: int) -> None:
        self.present = set(sorted(self.present)[count:])

    @precondition(lambda self: self.present)
    @rule()
    def what_is_still_so_is_latched_again(self) -> None:
        for kind in HAPPENING:
            if code_of(kind) in self.present - self.causes.keys():
                self.latch(kind)

    @precondition(lambda self: self.now < AT + 10 * DAY)
    @rule(passing=st.sampled_from([0, 1, 30 * MINUTE, HOUR, 390 * MINUTE, DAY]))
    def time_passes(self, passing: int) -> None:
        self.now += passing

    @rule(which=st.sampled_from(["all", "first", "last"]), operator=st.sampled_from("ab"))
    def an_operator_resumes(self, which: str, operator: str) -> None:
        standing = list(self.causes)
        codes = {"all": [], "first": standing[:1], "last": standing[-1:]}[which]
        word = OperatorWord(codes=frozenset(codes), reason="looked", operator=operator, at=self.now)
        verdict = self.standing.let_go(word, frozenset(self.present))
        self.said |= dict.fromkeys(verdict.noted, operator)
        assert self.standing.noted == tuple(sorted(self.said))

    @rule()
    def preflight_and_reconciliation_pass(self) -> None:
        passed = Passed(at=self.now, evidence=("well",), present=frozenset(self.present))
        going = {code for code, cause in self.causes.items() if self.may_go(cause)}

        cleared = self.standing.ends(passed)

        assert {one.code for one in cleared} == going
        for one in cleared:
            if self.needs_person(one.code):
                assert one.reason.startswith(f"{self.said[one.code]}: looked; ")
            self.record.append(one.code)
            self.standing.end(one.code)
            self.said.pop(one.code, None)

    @rule(unclean=st.booleans(), often=FEW)
    def the_engine_starts_again(self, unclean: bool, often: int) -> None:
        """Words and starts are not kept over it, and it goes on from what is on record."""
        if often:
            return
        found = self.on_record()
        for code in ("start", "unclean_end", "stopping"):
            if found.pop(code, None) is not None:
                self.record.append(code)
        self.said = {}
        self.standing = Standing(self.policy, SESSIONS)
        self.standing.found_on_record(found.values(), self.now)
        self.latch(START)
        if unclean:
            self.latch(UNCLEAN_END)

    def may_go(self, cause: Cause) -> bool:
        code, age = cause.code, self.now - cause.since
        if code in self.present or code == "stopping" or age < LEAST.get(code, 0):
            return False
        if code == "daily_loss" and not any(
            cause.since < opens <= self.now for opens in SESSION_OPENS
        ):
            return False
        return code in self.said or not self.needs_person(code)

    def needs_person(self, code: str) -> bool:
        on_live = self.policy.operator_only
        by_itself = self.policy.limit_resumes_itself and not on_live
        return (
            code in PERSON
            or (code in LIMITS and not by_itself)
            or (code == "unclean_end" and on_live)
        )

    def on_record(self) -> dict[str, Cause]:
        standing: dict[str, Cause] = {}
        for entry in self.record:
            if isinstance(entry, Cause):
                standing[entry.code] = entry
            else:
                del standing[entry]
        return standing

    @invariant()
    def the_state_is_what_the_set_says(self) -> None:
        codes = self.causes.keys() - SCOPED
        expected = TradingState.ACTIVE
        if codes:
            expected = TradingState.HALTED if codes & HALTING else TradingState.CLOSE_ONLY
        assert self.standing.state is expected

    @invariant()
    def the_record_has_the_same_causes_with_the_same_times(self) -> None:
        assert self.on_record() == self.causes


def test_causes_stand_until_what_clears_them_has_happened_i02_i04_i05_i07() -> None:
    run_state_machine_as_test(
        CausesOverTenDays,
        settings=settings(
            max_examples=40,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
