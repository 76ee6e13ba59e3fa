"""The causes that stand, which of them a restart would find, and what an operator lets go of them.

It is what the guardian knows of the trading state, and decides nothing by itself: causes end by
`clearing`. No clock, no message; the same calls leave an equal one.
"""

from collections.abc import Iterable

from msgspec import structs

from hydra.trading.clearing import (
    Cleared,
    ClearingPolicy,
    OperatorWord,
    Passed,
    ResumeVerdict,
    clearings,
    from_the_future,
    verdict_on_resume,
)
from hydra.trading.sessions import SessionTable
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state


class Standing:
    """See the module. Times are market time (UTC ns)."""

    def __init__(
        self, policy: ClearingPolicy, sessions: SessionTable, causes: Iterable[Cause] = ()
    ) -> None:
        self.policy = policy
        """How they end. A reload may bring another one, and no cause ends by that."""
        self._sessions = sessions
        self._causes = {cause.code: cause for cause in causes}
        self._on_record: set[str] = set()
        self._words: dict[str, OperatorWord] = {}
        """What operators let go, until it is gone: the newest word on each cause, by its code."""

    @property
    def causes(self) -> tuple[Cause, ...]:
        """All that stand, in the order in which they came up."""
        return tuple(self._causes.values())

    @property
    def state(self) -> TradingState:
        """What an order finds that no cause of its own stands against."""
        return effective_state(self._causes.values())

    @property
    def noted(self) -> tuple[str, ...]:
        """The codes of those that an operator lets go at the next clean pass."""
        return tuple(sorted(self._words))

    @property
    def on_record(self) -> tuple[str, ...]:
        """The codes of those that a restart would find."""
        return tuple(sorted(self._on_record))

    @property
    def to_be_recorded(self) -> tuple[Cause, ...]:
        """Those that must outlive the process and are not on record. A start ends with it."""
        return tuple(
            cause
            for cause in self._causes.values()
            if cause.cause_class is not CauseClass.START and cause.code not in self._on_record
        )

    @property
    def stopping(self) -> tuple[Cause, ...]:
        """Those for whose sake working entries are taken out. A start says nothing of entries that
        it found; the end of the process does.
        """
        return tuple(
            cause
            for cause in self._causes.values()
            if cause.cause_class is not CauseClass.START or cause.code == "stopping"
        )

    def has(self, code: str) -> bool:
        """Whether a cause of this code stands."""
        return code in self._causes

    def cause_of(self, code: str) -> Cause | None:
        """The cause of this code, if one stands."""
        return self._causes.get(code)

    def is_news(self, cause: Cause) -> bool:
        """Whether it says more than what stands under its code."""
        latched = self._causes.get(cause.code)
        return latched is None or latched.state.severity < cause.state.severity

    def stand(self, cause: Cause) -> None:
        """From here on it does. What an operator said before does not cover it."""
        self._causes[cause.code] = cause
        self._on_record.discard(cause.code)
        self._words.pop(cause.code, None)

    def recorded(self, code: str) -> bool:
        """A restart would find it from here on; False if it does not stand."""
        if code in self._causes:
            self._on_record.add(code)
        return code in self._causes

    def found_on_record(self, causes: Iterable[Cause], at: int) -> None:
        """What a start finds; nothing of it can have come up later than now."""
        found = {cause.code: cause for cause in causes}
        self._causes.update(found)
        self._on_record = set(found)
        for cause in from_the_future(self.causes, at):
            self.stand(cause)

    def ends(self, passed: Passed) -> tuple[Cleared, ...]:
        """Which of them are over, now that preflight and reconciliation have passed."""
        return tuple(
            cleared
            for code, cause in self._causes.items()
            for cleared in clearings(
                (cause,), passed, self.policy, self._words.get(code), self._sessions
            )
        )

    def end(self, code: str) -> Cause:
        """It is over. What an operator said of it has been carried out."""
        self._on_record.discard(code)
        self._words.pop(code, None)
        return self._causes.pop(code)

    def let_go(self, wish: OperatorWord, present: frozenset[str]) -> ResumeVerdict:
        """Take up what an operator says, as far as it is of use; no codes: all that stand."""
        verdict = verdict_on_resume(
            self.causes, wish.codes, wish.at, present, self.policy, self._sessions
        )
        self.take_up(structs.replace(wish, codes=frozenset(verdict.noted)))
        return verdict

    def take_up(self, word: OperatorWord) -> None:
        """These are let go. Whoever says so of one is on record for that one, with the reason."""
        self._words |= dict.fromkeys(word.codes, word)
