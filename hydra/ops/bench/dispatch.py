"""Dispatch in virtual time: a token goes round a ring of actors that do nothing but hand it on."""

from collections import deque
from collections.abc import Callable

from hydra.actor import Actor, ChildSpec, Context, Ref
from hydra.ops.bench.acting import at, in_simulation
from hydra.ops.bench.rows import Bar, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import collector_at_rest, medians, seconds_of
from messages.message import Message

RING = 50
LAPS = 8_000

SIM_DISPATCH = Figure(
    name="sim_dispatch",
    unit="messages/s",
    what="messages handled by a ring of 50 actors in SimRuntime (canonical), each telling the next",
    bound="deque: append, popleft, call",
    bar=Bar(at_least=1_500_000, ratio_at_least=1 / 8, ratio_text="1/8"),
    aim="1/4 of the bound",
)


class Token(Message, frozen=True, kw_only=True):
    """Goes round; `laps` are left."""

    laps: int


class Relay(Actor[Token]):
    """Hands the token to the next one."""

    def __init__(self, following: Ref[Token]) -> None:
        self._following = following

    def receive(self, message: Token, ctx: Context) -> None:
        ctx.tell(self._following, message)


class LapCounter(Actor[Token]):
    """Stands once in the ring and takes the token out at the end."""

    def __init__(self, following: Ref[Token]) -> None:
        self._following = following

    def receive(self, message: Token, ctx: Context) -> None:
        if message.laps:
            ctx.tell(self._following, Token(laps=message.laps - 1))


Ready = deque[tuple["BareRelay", Token]]


class BareRelay:
    """The same without any runtime."""

    def __init__(self, append: Callable[[tuple["BareRelay", Token]], None]) -> None:
        self.following = self
        self._append = append

    def receive(self, message: Token) -> None:
        """Hand the token to the next one."""
        self._append((self.following, message))


class BareLapCounter(BareRelay):
    """Stands once in the ring and takes the token out at the end."""

    def receive(self, message: Token) -> None:
        """Hand on a token that has one lap less to go."""
        if message.laps:
            self._append((self.following, Token(laps=message.laps - 1)))


def ring() -> tuple[ChildSpec, ...]:
    """The actors, the lap counter first."""
    return tuple(
        ChildSpec(
            name=f"relay{number}",
            actor=LapCounter if number == 0 else Relay,
            args={"following": at(f"relay{(number + 1) % RING}")},
        )
        for number in range(RING)
    )


def bare_ring(ready: Ready) -> BareRelay:
    """The lap counter of a ring of objects that share one deque."""
    counter = BareLapCounter(ready.append)
    relays = [counter, *(BareRelay(ready.append) for _ in range(RING - 1))]
    for relay, following in zip(relays, [*relays[1:], counter], strict=True):
        relay.following = following
    return counter


def run_bare(ready: Ready) -> None:
    """The loop that every dispatch contains."""
    take = ready.popleft
    while ready:
        relay, message = take()
        relay.receive(message)


def take_sim_dispatch(effort: Effort) -> tuple[Measured, ...]:
    """Messages a second, of actors and of bare objects."""
    laps = effort.count(LAPS)
    count = laps * RING
    ready: Ready = deque()
    counter = bare_ring(ready)

    def bare() -> float:
        ready.append((counter, Token(laps=laps)))
        return count / seconds_of(lambda: run_bare(ready))

    with in_simulation(ring()) as runtime, collector_at_rest():

        def simulated() -> float:
            runtime.tell(at("relay0"), Token(laps=laps))
            return count / seconds_of(runtime.settle)

        return (medians(max(5, effort.rounds), simulated, bare),)


SIMULATION = Measurement(name="dispatch", figures=(SIM_DISPATCH,), take=take_sim_dispatch)
