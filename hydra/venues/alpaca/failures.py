"""When the broker counts as failing: so many calls in so long a time came to nothing."""

import msgspec
from msgspec import structs


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """The failed calls of the last `window` (ns of machine time); `most` of them are too many."""

    most: int
    window: int
    at: tuple[int, ...] = ()

    def counted(self, now: int) -> int:
        """How many there were within the window that ends now."""
        return sum(now - at < self.window for at in self.at)

    def are_too_many(self, now: int) -> bool:
        """The broker counts as failing."""
        return self.counted(now) >= self.most


def one_more(failures: Failures, now: int) -> Failures:
    """Another call has failed."""
    recent = tuple(at for at in failures.at if now - at < failures.window)
    return structs.replace(failures, at=(*recent, now)[-failures.most :])


def enough(failures: Failures, now: int) -> Failures:
    """A call has failed in such a way that it is as bad as too many."""
    return structs.replace(failures, at=(now,) * failures.most)
