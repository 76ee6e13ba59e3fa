"""A small order path with room for two bugs, both of kinds that once were in a real one.

Run as a program, it prints the hashes of its runs, so that they can be compared between processes.
"""

from typing import ClassVar

from hydra.actor import MILLISECOND, SECOND, Actor, ChildSpec, Context, Ref
from hydra.runtime.explore import ExploreOptions
from hydra.runtime.sim_runtime import SimRuntime
from messages.message import ControlMessage, Message
from supervisors.strategies import Intensity, Strategy, Supervision
from supervisors.supervisor import Supervisor

LIMIT = 10
ORDER = 4
BOTS = 3
ROUNDS = 5
SEND_STEP = MILLISECOND // 2

RISK: "Ref[Tick | Wish | Fill | Reset]" = Ref("/root/risk")
GATEWAY: "Ref[Send | SendNow | HaltNow | Resume]" = Ref("/root/gateway")
BROKER: "Ref[Wire | Reset]" = Ref("/root/broker")


class Tick(Message, frozen=True, kw_only=True):
    """A price: every bot would like to buy on it."""


class Wish(Message, frozen=True, kw_only=True):
    """A bot would like to buy `ORDER`."""


class Send(Message, frozen=True, kw_only=True):
    """Risk let it through."""


class SendNow(Message, frozen=True, kw_only=True):
    """The gateway has prepared the order: now it goes to the wire."""


class Wire(Message, frozen=True, kw_only=True):
    """An order, at the broker."""


class Fill(Message, frozen=True, kw_only=True):
    """The broker executed an order."""


class HaltNow(ControlMessage, frozen=True, kw_only=True):
    """Send no more."""


class Resume(Message, frozen=True, kw_only=True):
    """Send again."""


class Reset(Message, frozen=True, kw_only=True):
    """Another round begins: flat."""


class Bot(Actor[Tick]):
    """Wishes at every tick."""

    def receive(self, message: Tick, ctx: Context) -> None:
        ctx.tell(RISK, Wish())


class Risk(Actor[Wish | Fill | Reset]):
    """Keeps the position within `LIMIT`; with the bug, without counting what is on its way."""

    def __init__(self, ignores_pending: bool) -> None:
        self._ignores_pending = ignores_pending
        self._filled = self._pending = 0

    def receive(self, message: Wish | Fill | Reset, ctx: Context) -> None:
        match message:
            case Wish():
                on_its_way = 0 if self._ignores_pending else self._pending
                if self._filled + on_its_way + ORDER <= LIMIT:
                    self._pending += ORDER
                    ctx.tell(GATEWAY, Send())
            case Fill():
                self._filled += ORDER
                self._pending -= ORDER
            case Reset():
                self._filled = self._pending = 0


class Gateway(Actor[Send | SendNow | HaltNow | Resume]):
    """Needs half a millisecond for an order; with the bug it looks at the halt only before that."""

    def __init__(self, looks_early: bool, wire_log: list[str]) -> None:
        self._looks_early = looks_early
        self._wire_log = wire_log
        self._halted = False
        self._sent = 0

    def receive(self, message: Send | SendNow | HaltNow | Resume, ctx: Context) -> None:
        match message:
            case Send():
                if not self._halted:
                    self._sent += 1
                    ctx.after(SEND_STEP, SendNow(), key=f"send {self._sent}")
            case SendNow():
                if self._looks_early or not self._halted:
                    self._wire_log.append("sent")
                    ctx.tell(BROKER, Wire())
            case HaltNow():
                self._halted = True
                self._wire_log.append("halt acknowledged")
            case Resume():
                self._halted = False
                self._wire_log.append("resumed")


class Broker(Actor[Wire | Reset]):
    """Executes everything at once."""

    def __init__(self, positions: list[int]) -> None:
        self._positions = positions
        self._position = 0

    def receive(self, message: Wire | Reset, ctx: Context) -> None:
        match message:
            case Wire():
                self._position += ORDER
                self._positions.append(self._position)
                ctx.tell(RISK, Fill())
            case Reset():
                self._position = 0


class Model:
    """One run of the order path. `violations` says what must never happen and did."""

    POLICY: ClassVar = Supervision(strategy=Strategy.ONE_FOR_ALL, intensity=(Intensity(0, SECOND),))

    def __init__(
        self,
        explore: ExploreOptions | int | None,
        *,
        ignores_pending: bool = False,
        looks_early: bool = False,
    ) -> None:
        self.positions: list[int] = []
        self.wire_log: list[str] = []
        self.runtime = SimRuntime(explore=explore, trace=True)
        gateway = {"looks_early": looks_early, "wire_log": self.wire_log}
        children = (
            ChildSpec(name="broker", actor=Broker, args={"positions": self.positions}),
            ChildSpec(name="gateway", actor=Gateway, args=gateway),
            ChildSpec(name="risk", actor=Risk, args={"ignores_pending": ignores_pending}),
            *(ChildSpec(name=f"bot{n}", actor=Bot) for n in range(BOTS)),
        )
        self.runtime.start_root(
            ChildSpec(
                name="root", actor=Supervisor, args={"children": children, "policy": self.POLICY}
            )
        )

    def run(self) -> "Model":
        """Rounds that leave everybody time in the canonical schedule: the bugs hide there."""
        tell, advance = self.runtime.tell, self.runtime.advance
        advance(10 * SECOND)
        for _ in range(ROUNDS):
            for bot in range(BOTS):
                tell(Ref(f"/root/bot{bot}"), Tick())
                advance(MILLISECOND)
            tell(GATEWAY, HaltNow())
            advance(10 * SECOND)
            for ref in (RISK, BROKER):
                tell(ref, Reset())
            tell(GATEWAY, Resume())
            advance(10 * SECOND)
        assert self.runtime.failed_closed is None
        return self

    @property
    def violations(self) -> set[str]:
        """ "limit": the position was over the limit. "halt": an order left after the halt."""
        found = {"limit"} if any(position > LIMIT for position in self.positions) else set()
        halted = False
        for line in self.wire_log:
            if line == "sent" and halted:
                found.add("halt")
            halted = line == "halt acknowledged" or (halted and line != "resumed")
        return found

    @property
    def trace_hash(self) -> str:
        assert self.runtime.trace is not None
        return self.runtime.trace.hash


def hashes() -> dict[str, str]:
    """By schedule, what names each run."""
    return {
        "canonical": Model(None).run().trace_hash,
        "explore 7": Model(7).run().trace_hash,
        "explore 8": Model(8).run().trace_hash,
    }


if __name__ == "__main__":
    for schedule, name in hashes().items():
        print(schedule, name)  # noqa: T201  # a program's output
