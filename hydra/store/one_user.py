"""One user at a time, and none after a failure: who may work with what can fail for good."""

import os
import threading


class UsedByTwo(Exception):
    """A thread called while another one was not done: one that hung, and whoever replaced it."""


class OneUser:
    """Lets one thread in at a time, of the process that made this, until something fails.

    What is raised inside and is no refusal is a failure. It is the last thing that happens here:
    what was done by then, nobody knows, so nobody gets in again.
    """

    def __init__(
        self, owner: str, failed: type[Exception], refusals: tuple[type[Exception], ...]
    ) -> None:
        """`failed` is raised for a failure and ever after; `refusals` pass as they are."""
        self._owner = owner
        self._failed = failed
        self._refusals = refusals
        self._failure: str | None = None
        self._process = os.getpid()
        self._in_use = threading.Lock()

    @property
    def has_failed(self) -> bool:
        """Or has been ended."""
        return self._failure is not None

    def working(self, doing: str, *, may_refuse: bool = True) -> "_Turn":
        """For as long as the block lasts. `doing` says what could not be done, if it fails."""
        return _Turn(self, doing, may_refuse=may_refuse)

    def let_in(self, doing: str) -> None:
        """As `working` begins."""
        if self._failure is not None:
            raise self._failed(f"cannot {doing}: {self._owner} failed before: {self._failure}")
        self.require_own_process(doing)
        if not self._in_use.acquire(blocking=False):
            raise self.failure(doing, UsedByTwo("another thread is still at work in it"))

    def let_out(self, doing: str, error: BaseException | None, *, may_refuse: bool) -> None:
        """As `working` ends: with what was raised inside, if anything was."""
        try:
            if error is None or (may_refuse and isinstance(error, self._refusals)):
                return
            failure = self.failure(doing, error)
            # An interrupt or an exit is no excuse: what was done by then, nobody knows either. But
            # it stays what it is, so that the process ends by it.
            if isinstance(error, Exception):
                raise failure from error
        finally:
            self._in_use.release()

    def failure(self, doing: str, error: BaseException) -> Exception:
        """From here on it has failed; gives what is to be raised."""
        self._failure = f"cannot {doing}: {type(error).__name__}: {error}"
        return self._failed(self._failure)

    def end(self, reason: str) -> None:
        """Nobody gets in from here on. What failed before stays what it is."""
        if self._failure is None:
            self._failure = reason

    def require_own_process(self, doing: str) -> None:
        """A child that was forked has no part in it."""
        if os.getpid() != self._process:
            raise self._failed(f"cannot {doing}: {self._owner} belongs to process {self._process}")


class _Turn:
    """One user's block. A generator would say the same, and take twice as long."""

    __slots__ = ("_doing", "_may_refuse", "_user")

    def __init__(self, user: OneUser, doing: str, *, may_refuse: bool) -> None:
        self._user = user
        self._doing = doing
        self._may_refuse = may_refuse

    def __enter__(self) -> None:
        self._user.let_in(self._doing)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _where: object
    ) -> None:
        self._user.let_out(self._doing, error, may_refuse=self._may_refuse)
