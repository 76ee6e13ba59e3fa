"""What a run says of what stands against trading: each cause as it comes, and as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hydra.trading.kill_switch import is_kill
from hydra.trading.trading_state import Cause, CauseClass, TradingState


class SaidCauses:
    """Remembers what was said. A cause that was cleared and comes again is said again, and so is
    another one of the same code: the last line must not speak of what is over.
    """

    def __init__(self) -> None:
        self._said: dict[str, tuple[TradingState, str]] = {}

    def lines(self, standing: Iterable[Cause], state: TradingState) -> Iterator[str]:
        """What is new since the last look, a line each; `state` is what follows from all of it."""
        now = [cause for cause in standing if cause.cause_class is not CauseClass.START]
        before, self._said = self._said, {each.code: (each.state, each.detail) for each in now}
        for cause in now:
            if before.get(cause.code) != self._said[cause.code]:
                who = "KILL SWITCH: " if is_kill(cause) else ""
                yield f"{who}trading is {cause.state.name}: {cause.detail}"
        over = [code for code in before if code not in self._said]
        if over:
            yield f"cleared: {', '.join(over)}; trading is {state.name}"
