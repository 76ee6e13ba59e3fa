"""Who restarts with whom, and how often: the pure part of supervision, in OTP's words."""

from enum import Enum

import msgspec


class Strategy(Enum):
    """Which siblings go down and up with a child that failed."""

    ONE_FOR_ONE = "one_for_one"
    """None."""
    REST_FOR_ONE = "rest_for_one"
    """Those started after it, because they may depend on it."""
    ONE_FOR_ALL = "one_for_all"
    """All."""


class OnExceeded(Enum):
    """What a supervisor does when restarting does not help."""

    ESCALATE = "escalate"
    """It fails itself, and the one above decides."""
    QUARANTINE = "quarantine"
    """It leaves that child down; its siblings go on. For children that come and go."""


class Intensity(msgspec.Struct, frozen=True):
    """At most `restarts` in any `period` (ns)."""

    restarts: int
    period: int

    def exceeded_by(self, restarts_at: list[int]) -> bool:
        """Whether the period that ends with the last restart has too many. Times ascend."""
        if not restarts_at:
            return False
        start = restarts_at[-1] - self.period
        return sum(at > start for at in restarts_at) > self.restarts


class Supervision(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor's policy. With QUARANTINE each child has its own budget, else they share one.

    All intensities apply together: `(Intensity(1, minute), Intensity(3, ten_minutes))`.
    """

    strategy: Strategy
    intensity: tuple[Intensity, ...]
    on_exceeded: OnExceeded = OnExceeded.ESCALATE

    def exceeded_by(self, restarts_at: list[int]) -> bool:
        """Whether any of the intensities is exceeded."""
        return any(intensity.exceeded_by(restarts_at) for intensity in self.intensity)

    def longest_period(self) -> int:
        """How far back restarts matter."""
        return max((intensity.period for intensity in self.intensity), default=0)


def affected_by(strategy: Strategy, names: tuple[str, ...], failed: str) -> tuple[str, ...]:
    """The children that go down because `failed` did, itself included, in start order."""
    match strategy:
        case Strategy.ONE_FOR_ONE:
            return (failed,)
        case Strategy.REST_FOR_ONE:
            return names[names.index(failed) :]
        case Strategy.ONE_FOR_ALL:
            return names
