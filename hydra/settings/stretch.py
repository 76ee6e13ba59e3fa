"""A part of the day between two local times, which may run past midnight."""

from dataclasses import dataclass
from datetime import time

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start`, in minutes after local midnight, over `length` minutes."""

    start: int
    length: int

    @classmethod
    def of(cls, start: time, end: time) -> "Stretch":
        """From one time of day to the next occurrence of the other; 00:00 to 23:59 is all day."""
        if (start, end) == (time(0, 0), time(23, 59)):
            return cls(0, DAY_MINUTES)
        begins, ends = (each.hour * 60 + each.minute for each in (start, end))
        return cls(begins, (ends - begins) % DAY_MINUTES)

    def holds(self, other: "Stretch") -> bool:
        """Whether the other lies within this one."""
        if self.length == DAY_MINUTES:
            return True
        return (other.start - self.start) % DAY_MINUTES + other.length <= self.length
