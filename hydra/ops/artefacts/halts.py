"""Which halts a session's story tells of: since when, why, and who let them go."""

from collections.abc import Iterable
from contextlib import suppress

import msgspec
from msgspec import structs

from hydra.ops.artefacts.story import Line
from hydra.store.journal_line import timestamp
from hydra.trading.trading_state import Cause


class HaltTold(msgspec.Struct, frozen=True, kw_only=True):
    """A cause, since when it stands, and how it ended. `bot` and `symbol` None: of all.

    `cleared_at` None: it stands at the end of what is told. `carried`: it stood from before.
    """

    code: str
    cause_class: str
    state: str
    since: str
    detail: str
    bot: str | None = None
    symbol: str | None = None
    carried: bool = False
    cleared_at: str | None = None
    cleared_by: str | None = None


class Halts:
    """Every cause that stood in a session, as they came; it is told one line at a time."""

    def __init__(self, standing: Iterable[Cause]) -> None:
        """`standing` are those from before."""
        self._found = [_told(cause, carried=True) for cause in standing]
        self._open = {halt.code: number for number, halt in enumerate(self._found)}

    @property
    def all(self) -> tuple[HaltTold, ...]:
        """Those told by now."""
        return tuple(self._found)

    def take(self, line: Line) -> None:
        """Lines of other kinds change nothing."""
        if line["event"] == "halt_latched":
            with suppress(msgspec.ValidationError):
                self._latched(_told(msgspec.convert(line.get("cause"), Cause)))
        elif line["event"] == "trading_state":
            self._named(line)
        elif line["event"] == "halt_cleared":
            number = self._open.pop(str(line.get("code")), None)
            if number is not None:
                self._found[number] = structs.replace(
                    self._found[number], cleared_at=line["ts"], cleared_by=str(line.get("reason"))
                )

    def _named(self, line: Line) -> None:
        """What stood before anybody could write it down, as after an unclean end, is only named."""
        causes = line.get("causes")
        for code in causes if isinstance(causes, list) else ():
            if code not in self._open and code not in OF_EVERY_SESSION:
                self._latched(
                    HaltTold(
                        code=str(code),
                        cause_class="",
                        state=str(line.get("state")),
                        since=line["ts"],
                        detail="it stood when the session began",
                    )
                )

    def _latched(self, halt: HaltTold) -> None:
        standing = self._open.get(halt.code)
        if standing is None:
            self._open[halt.code] = len(self._found)
            self._found.append(halt)
        else:
            before = self._found[standing]
            self._found[standing] = structs.replace(
                halt, since=before.since, carried=before.carried
            )


OF_EVERY_SESSION = ("start", "stopping")
"""The codes of the causes with which every session begins and ends."""


def is_halting(halt: HaltTold) -> bool:
    """Whether it is one that people mean: starting and stopping halt too, in every session."""
    return halt.code not in OF_EVERY_SESSION


def _told(cause: Cause, *, carried: bool = False) -> HaltTold:
    return HaltTold(
        code=cause.code,
        cause_class=cause.cause_class.value,
        state=cause.state.name,
        since=timestamp(cause.since),
        detail=cause.detail,
        bot=cause.bot,
        symbol=cause.symbol,
        carried=carried,
    )
