"""How orders got done in a session, and how restless its markets were, as the monitor told it."""

from decimal import Decimal

import msgspec

from hydra.ops.artefacts.story import Line
from hydra.trading.execution_quality import RouterState
from hydra.trading.regimes import Regime


class ExecutionTold(msgspec.Struct, frozen=True, kw_only=True):
    """How the last orders of a symbol got done. None: not measured."""

    symbol: str
    score: Decimal | None
    orders: int
    filled: int
    rejected: int
    unknown: int
    slippage_bps: Decimal | None
    slippage_usd: Decimal | None
    latency_ms: int | None


class RegimeTold(msgspec.Struct, frozen=True, kw_only=True):
    """How restless a market was at last, how often that changed, and the wildest that it was."""

    symbol: str
    regime: str
    changes: int
    wildest: str


class Measured:
    """What was told last of each symbol."""

    def __init__(self) -> None:
        self.router: str | None = None
        """The worst state of the way of orders; None: none was told."""
        self._execution: dict[str, ExecutionTold] = {}
        self._regimes: dict[str, RegimeTold] = {}

    def take(self, line: Line) -> None:
        """Take it up if it says something of this; what cannot be read says nothing."""
        match line["event"]:
            case "execution_measured":
                told = _read(line)
                if told is not None:
                    self._execution[told.symbol] = told
            case "router_changed":
                states = (self.router or _FROM_GOOD_TO_BAD[0], str(line.get("state")))
                self.router = max(states, key=_badness)
            case "regime_changed":
                self._take_regime(str(line.get("symbol")), str(line.get("regime")))
            case _:
                pass

    def _take_regime(self, symbol: str, regime: str) -> None:
        known = self._regimes.get(symbol)
        wildest = regime if known is None else max(known.wildest, regime, key=_height)
        changes = 0 if known is None else known.changes + 1
        self._regimes[symbol] = RegimeTold(
            symbol=symbol, regime=regime, changes=changes, wildest=wildest
        )

    @property
    def execution(self) -> tuple[ExecutionTold, ...]:
        """By symbol."""
        return tuple(told for _, told in sorted(self._execution.items()))

    @property
    def regimes(self) -> tuple[RegimeTold, ...]:
        """By symbol."""
        return tuple(told for _, told in sorted(self._regimes.items()))


def _read(line: Line) -> ExecutionTold | None:
    try:
        return msgspec.convert(line, ExecutionTold, strict=False)
    except msgspec.ValidationError:
        return None


def _height(regime: str) -> int:
    return Regime(regime).height if regime in {each.value for each in Regime} else -1


_FROM_GOOD_TO_BAD = tuple(
    state.value
    for state in (RouterState.UNTRIED, RouterState.GOOD, RouterState.DEGRADED, RouterState.IDLE)
)


def _badness(state: str) -> int:
    return _FROM_GOOD_TO_BAD.index(state) if state in _FROM_GOOD_TO_BAD else -1
