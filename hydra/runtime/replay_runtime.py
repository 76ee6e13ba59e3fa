"""A recorded session once more: the same actors, message by message, in the recorded order.

The recording is the schedule. For each of its entries time is set, and that cell handles that very
message: one that came from outside is taken from the recording, every other one is what the
replayed actors themselves have sent, found by its id (sender, incarnation, number). Timers do not
run down: the entry of a timer's message is what lets it fire. So what an actor is, at any entry, is
what it was; if the code, the configuration or the data are the same. The first thing that is not,
is told with both sides, and ends the replay.

What reaches an actor from outside otherwise than by a message is what its *ports* answer. Each is
asked for through `Runtime.port`, and its answers (values, and what it raised) are recorded:

- `gate`: `epoch`, `state`, `is_drained`, `flatten_reason`, `standing()`, what `trip` and `arm` give
  (the guardian, the flattener, the gateway);
- `conditions`: `present()` (the guardian);
- `venue`: `has_stream`, and whether `submit` and `cancel` were refused (the gateway);
- `price_feed`: `streams`, `contract_stream`; `signals`: `why_closed()`;
- `option_chains` and `corporate_actions`: nothing, what is asked is told by message;
- `journal`: the numbers of its lines; `service:...`: whether it could be opened;
- `ledger`: only what it raised. Its answers follow from its content, so a replay has a real one,
  of the content that it had when the session began.

With what a port is called is compared too, so a replay that would send another order differs there.

What the record leaves out, because no actor can tell: which of two threads came first where no
message says so, dead letters, mailboxes' depths, the history, pings and looks of the debugger. A
handler that hung is run to its end, and what it sent then is handled by nobody, as in the session.
A message that holds an actor's recipe (`ReplaceChild`, of which a reload of the configuration makes
use) is made again of the recorded configuration. One that cannot be ends the replay, and says so;
all before it has been compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import pykka

from hydra.actor import Actor, ChildSpec, Ref
from hydra.runtime.bus import Bus
from hydra.runtime.cell import Cell
from hydra.runtime.contents import (
    NotReadable,
    decoded,
    digest_of,
    message_of,
    recipe_from,
    state_text,
    type_named,
    without_addresses,
)
from hydra.runtime.context import ActorContext
from hydra.runtime.dispatcher import handled
from hydra.runtime.envelope import DeadLetterReason, Envelope, MessageId, Special, Timer, name_of
from hydra.runtime.recorded_order import CUT_OFF, RecordedOrder
from hydra.runtime.recorder import (
    COUNTED,
    WITHOUT_DIGEST,
    is_made_by_a_cell,
    state_hash,
)
from hydra.runtime.recording import (
    Began,
    Called,
    Closed,
    Configured,
    Entry,
    Event,
    Failed,
    GateChanged,
    IncarnationEnded,
    Lane,
    Noted,
    Payload,
)
from hydra.runtime.replay_outcome import (
    NOTHING,
    Difference,
    Differs,
    Replayed,
    from_where_they_differ,
)
from hydra.runtime.replay_ports import PlayedPort, ReplayedLedger
from hydra.runtime.runtime import Port, Runtime
from hydra.runtime.system import Hung
from hydra.trading.trading_state import Cause
from messages.journal import WriteEntry
from messages.lifecycle import Phase, ReceiveTimeout

ASTRAY_MAX = 100_000
"""So many of the newest messages are kept that found nobody where they were sent: in the session
the order of two threads may have been the other one."""


STOPPED = "the replay was stopped"


class ReplayCell(Cell):
    """A cell that handles what it is told to handle. `waiting` is what it was sent."""

    __slots__ = ("hangs", "waiting")

    runtime: ReplayRuntime

    def _start_actor_loop(self) -> None:
        """pykka's hook: from here on the replay runs this cell."""
        self.waiting: dict[MessageId, Envelope] = {}
        self.hangs = False  # in the session what is being handled was never through

    def put(self, envelope: Envelope) -> None:
        """See `Cell.put`. What the recording has itself is not taken from the replay too."""
        if is_made_by_a_cell(envelope.id[0]):
            self.waiting[envelope.id] = envelope

    def owns_turn(self) -> bool:
        """See `Cell.owns_turn`."""
        return not self.hangs

    def wake(self) -> None:
        """See `Cell.wake`: the recording says when."""

    def take(self, message_id: MessageId) -> Envelope | None:
        """The message of that id, wherever in this cell it is; None: it was not sent here."""
        for lane in (self.mailbox.control, self.mailbox.user):  # what was put back
            for envelope in lane:
                if envelope.id == message_id:
                    lane.remove(envelope)
                    return cast("Envelope", envelope)
        return self.waiting.pop(message_id, None)

    def handle(self, lane: Lane, envelope: Envelope) -> None:
        """Handle it in that lane."""
        match lane:
            case Lane.USER:
                self._handle_user(envelope)
            case Lane.CONTROL:
                self.handle_control(envelope)
            case Lane.DRAINED:
                self._require_stopping("it drains what waits")
                self.processed += 1
                self._give(envelope)
            case Lane.STOPS:  # nothing waits any more
                self._require_stopping("its actor is told to stop")
                super()._stop_actor()

    def _require_stopping(self, recorded: str) -> None:
        if self.stopping is None or self.actor is None:
            raise Differs(recorded, f"it is {self.status.value}")

    def _handle_user(self, envelope: Envelope) -> None:
        """As a turn of the live runtime does."""
        context, receive = self.context, self.receive
        if receive is None:
            raise Differs("it handles a message", f"it is {self.status.value} and takes none")
        context.envelope = envelope
        context.moment = self.runtime.now()
        self.processed += 1
        try:
            if self.admits(envelope):
                receive(envelope.message, context)
                self.finished(envelope)
        except Differs:
            raise
        except BaseException as error:  # whatever it is, it must reach the supervisor
            self.raised(error, "receive", envelope)

    def _stop_actor(self) -> None:
        if self.spec.drain_on_stop and self.actor is not None and not self.context.retired:
            return  # each message that it drains is an entry, and so is the end of it
        super()._stop_actor()

    def _drain(self) -> bool:
        return True

    def raised(self, error: BaseException, phase: Phase, envelope: Envelope | None) -> None:
        """See `Cell.raised`."""
        if isinstance(error, Differs):
            raise error
        super().raised(error, phase, envelope)

    def _discard_incarnation(self) -> Actor[Any] | None:
        is_fenced = self.context.retired or self.hangs
        if self.actor is not None and self.stopping is not None and not is_fenced:
            self.runtime.incarnation_ended(self, self.actor)
        return super()._discard_incarnation()


class ReplayRuntime(Runtime):
    """See the module. `start_root`, then `run`.

    `protocols` are the ports' interfaces by name ("venue"): they say of which types answers are.
    `hangs` is what `hangs_in` finds in the same events. `configured` hears of each configuration
    that actors were given recipes of, as JSON; `recipes` then says what it has for a path.
    `refusals` are what the ledger raises without having changed anything.
    """

    def __init__(
        self,
        events: Iterable[Event],
        protocols: Mapping[str, type],
        *,
        hangs: frozenset[tuple[str, int]] = frozenset(),
        seed: int = 0,
        journal: Ref[WriteEntry] | None = None,
        configured: Callable[[bytes], None] = lambda _: None,
        recipes: Callable[[str], ChildSpec | None] = lambda _: None,
        refusals: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._refusals = refusals
        self._configured = configured
        self._recipes = recipes
        self._source = RecordedOrder(events)
        self._protocols = protocols
        self._hangs = hangs
        self._now = 0
        self._market = 0
        self._running: ReplayCell | None = None
        self._entry: Entry | None = None
        self._number = 0
        self._astray: dict[MessageId, tuple[str, Envelope]] = {}
        self._ended: dict[tuple[str, int], str] = {}
        self._causes: tuple[Cause, ...] = ()
        super().__init__(seed=seed, journal=journal)
        self.bus = _ReplayBus(self._astray)

    @property
    def deliver(self) -> Callable[[Cell, Envelope], None]:
        """See `Runtime.deliver`."""
        return _put

    def now(self) -> int:
        """See `Runtime.now`."""
        return self._now

    def market_time_at(self, moment: int) -> int:
        """See `Runtime.market_time_at`."""
        return self._market

    def create_cell(self, spec: ChildSpec, parent: Cell | None) -> Cell:
        """See `Runtime.create_cell`."""
        ref = ReplayCell.start(self, spec, parent)
        pykka.ActorRegistry.unregister(ref)  # it is one for the process, and would keep it
        cell: Cell = ref.actor_inbox.cell  # type: ignore[attr-defined]  # it is our Inbox
        self.adopt(cell)
        return cell

    def call_later(self, delay: int, action: Callable[[], None]) -> None:
        """See `Runtime.call_later`. What came of it is in the recording."""

    def schedule_timer(self, timer: Timer, context: ActorContext) -> None:
        """See `Runtime.schedule_timer`. It fires when the recording says so."""

    def abandon(self, cell: Cell) -> bool:
        """See `Runtime.abandon`. What came of it is in the recording."""
        return False

    def settle_future(
        self, future: pykka.Future[Any], value: Any, error: BaseException | None
    ) -> None:
        """See `Runtime.settle_future`. Nobody waits."""

    def ask(self, ref: Ref[Any], message: Any, *, within: float) -> Any:
        """See `Runtime.ask`. Nobody asks a replay anything: it would not be the same then."""
        raise RuntimeError("a replay is not to be asked anything")

    def send(self, path: str, envelope: Envelope) -> None:
        """See `Runtime.send`. What comes from outside is taken from the recording."""
        if is_made_by_a_cell(envelope.id[0]):
            super().send(path, envelope)

    def dead_letter(
        self,
        reason: DeadLetterReason,
        path: str,
        envelope: Envelope,
        error: BaseException | None = None,
    ) -> None:
        """See `Runtime.dead_letter`. It is kept: in the session it may have come a moment sooner,
        or its receiver have lived a moment longer. Who asked was answered from outside.
        """
        _keep(self._astray, path, envelope)

    def trip_for(self, cell: Cell, detail: str) -> None:
        """See `Runtime.trip_for`. What changed in the gate is in the recording."""

    def fail_closed(self, reason: str) -> None:
        """See `Runtime.fail_closed`."""
        self.failed_closed = self.failed_closed or reason

    def begun(self, context: ActorContext) -> int:
        """See `Runtime.begun`."""
        entry = self._entry
        assert entry is not None
        if entry.lane not in (Lane.DRAINED, Lane.STOPS):
            noted = self._taken("its actor is given the word")
            if not isinstance(noted, Began):
                raise Differs(noted, "its actor is given the word")
            self._now, self._market = noted.now, noted.market
        return self._now

    def record(self, what: str, cell: Cell, detail: str, *, trace: str = "") -> None:
        """See `Runtime.record`. A failure must have been recorded too."""
        if what != "failed":
            return
        failed = Failed(cell.path, without_addresses(detail))
        noted = self._taken(failed)
        if noted != failed:
            raise Differs(noted, f"{failed}\n{trace}")

    def incarnation_ended(self, cell: Cell, actor: Actor[Any]) -> None:
        """An actor has stopped in order: its state must be what was recorded."""
        ended = IncarnationEnded(cell.path, cell.incarnation, state_text(actor))
        noted = self._taken(ended)
        if noted != ended:
            raise Differs(noted, ended)
        self._ended[cell.path, cell.incarnation] = ended.state

    def port(self, name: str, port: Port) -> Port:
        """See `Runtime.port`."""
        if port is None:
            return port
        if name == COUNTED:
            return cast("Port", ReplayedLedger(self, name, port, self._refusals))
        protocol = self._protocols[name.partition(":")[0]]
        return cast("Port", PlayedPort(self, name, protocol))

    def answer_of(self, port: str, arguments: tuple[Any, ...]) -> Called:
        """What the port answered the running actor."""
        digest = 0 if port in WITHOUT_DIGEST else digest_of(arguments)
        asked = f"it calls {port} with {_text(arguments)} (content {digest:08x})"
        noted = self._taken(asked)
        if not isinstance(noted, Called) or noted.port != port or noted.digest != digest:
            raise Differs(noted, asked)
        return noted

    def raised_by(self, port: str, number: int) -> tuple[str, str] | None:
        """What the port raised at this call, if anything."""
        if self._running is None:
            return None
        noted = self._source.peeked(self._running.path)
        if isinstance(noted, Called) and (noted.port, noted.digest) == (port, number):
            self._source.taken(self._running.path)
            return noted.error
        return None

    def _taken(self, wanted: object) -> Noted:
        running = self._running
        noted = None if running is None else self._source.taken(running.path)
        if noted is None:
            raise Differs(NOTHING, wanted)
        return noted

    def run(
        self,
        ledger_mark: Callable[[], str],
        *,
        until: int | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> Replayed:
        """Replay everything, or the first `until` messages. `is_stopping` is asked before each."""
        began = time.perf_counter()
        difference, closed, incomplete = None, None, ""
        try:
            while until is None or self._number < until:
                if is_stopping():
                    incomplete = STOPPED
                    break
                event = self._source.following()
                if isinstance(event, Entry):
                    self._number += 1
                    self._handle(event)
                elif isinstance(event, Configured):
                    self._configured(event.content)
                elif isinstance(event, GateChanged):
                    self._causes = decoded(event.causes, tuple[Cause, ...])
                elif isinstance(event, Closed):
                    closed = event
                    if (left := self._source.any_left_over()) is not None:
                        raise Differs(left, NOTHING)
                    break
                else:
                    incomplete = CUT_OFF if event is None else event.reason
                    break
        except _CannotGoOn as reason:
            incomplete = str(reason)
        except Differs as differs:
            running = "" if self._running is None else self._running.path
            if differs.recorded == NOTHING:
                incomplete = self._source.cut_off_within(running)
            if not incomplete:
                difference = self._difference(differs)
        final = None
        if closed is not None and difference is None:
            final = state_hash(self._ended, self._causes, ledger_mark())
            if final != closed.hash:
                found = Differs(
                    f"state {closed.hash}, ledger {closed.mark}",
                    f"state {final}, ledger {ledger_mark()}",
                )
                difference = self._difference(found)
        return Replayed(
            messages=self._number,
            seconds=time.perf_counter() - began,
            recorded_hash=None if closed is None else closed.hash,
            replayed_hash=final,
            difference=difference,
            incomplete=incomplete,
        )

    def _difference(self, found: Differs) -> Difference:
        entry = self._entry
        recorded, replayed = from_where_they_differ(found.recorded, found.replayed)
        return Difference(
            number=self._number,
            at=0 if entry is None else entry.market,
            cell="" if entry is None else entry.cell,
            recorded=recorded,
            replayed=replayed,
        )

    def _handle(self, entry: Entry) -> None:
        self._entry = entry
        self._now, self._market = entry.now, entry.market
        cell = self.cells.get(entry.cell)
        if cell is None:
            raise Differs(entry, "nobody lives there")
        assert isinstance(cell, ReplayCell)
        if (left := self._source.left_over(entry.cell)) is not None:
            raise Differs(left, NOTHING)
        self._running = cell
        envelope = self._envelope_of(entry, cell)
        cell.hangs = (entry.cell, self._source.ordinal(entry.cell)) in self._hangs
        try:
            cell.handle(entry.lane, envelope)
        except Differs as found:
            if not cell.hangs or found.recorded != NOTHING:  # else it hung before that
                raise
        if cell.hangs:
            cell.hangs = False
            cell.context.retired = True
            cell.receive = None

    def _envelope_of(self, entry: Entry, cell: ReplayCell) -> Envelope:
        if entry.lane is Lane.STOPS:
            return cell.context.envelope
        found = cell.take(entry.id)  # what was put back, and all that actors say
        if found is None:
            if entry.payload is not None:
                found = self._told(entry, cell)
            elif entry.id[0].startswith(f"~{cell.path}:"):
                found = _fired(entry, cell)
            else:
                found = self._found_astray(entry)
        digest = digest_of(found.message) if entry.digest and not _is_stale(found) else entry.digest
        if digest != entry.digest:
            raise Differs(entry, f"{_text(found.message)} of content {digest:08x}")
        return found

    def _found_astray(self, entry: Entry) -> Envelope:
        path, envelope = self._astray.get(entry.id, ("", None))
        if envelope is None and (left := self._source.read_of(entry.id[0].lstrip("~"))):
            raise Differs(left, NOTHING)  # whoever was to send it did something else before
        if envelope is None:
            raise Differs(entry, f"{name_of(entry.id)} was not sent to it")
        if path not in ("", entry.cell):
            raise Differs(entry, f"{name_of(entry.id)} was sent to {path}: {_text(envelope)}")
        return envelope

    def _with_recipe(self, entry: Entry, payload: Payload) -> Any:
        recipe = payload.recipe
        known = None if recipe is None else self._recipes(f"{entry.cell}/{recipe.name}")
        if recipe is None or known is None:
            raise _CannotGoOn(f"{entry.cell} was told {entry.kind}, which cannot be recorded whole")
        kind = type_named(payload.module, entry.kind)
        return kind(spec=recipe_from(recipe, known), **(payload.fields or {}))

    def _told(self, entry: Entry, cell: ReplayCell) -> Envelope:
        payload = entry.payload
        assert payload is not None
        try:
            if payload.body is None:
                message = self._with_recipe(entry, payload)
            else:
                message = message_of(payload.module, entry.kind, payload.body)
        except NotReadable as error:
            raise Differs(entry, f"it cannot be read: {error}") from error
        if isinstance(message, Hung):
            message.envelope = handled(cell.context.envelope)
        special = None
        if payload.asked or payload.timer is not None:
            timer = None if payload.timer is None else _timer_of(cell, *payload.timer)
            asker = _Nobody() if payload.asked else None
            special = Special(reply_to=asker, timer=timer, deadline=payload.deadline)
        return Envelope(message, entry.id, None, None, entry.now, special)


class _CannotGoOn(Exception):
    """The recording has something that no replay can repeat."""


class _Nobody:
    """In place of somebody outside who waited for an answer."""


def _fired(entry: Entry, cell: ReplayCell) -> Envelope:
    """The message of a timer, current or not."""
    sender, incarnation, fired = entry.id
    key, _, generation = sender[len(cell.path) + 2 :].rpartition(".")
    if not (generation.isascii() and generation.isdecimal()):
        raise Differs(entry, f"{sender} is the name of no timer")
    timer = _timer_of(cell, key, int(generation), incarnation)
    timer.fired = fired
    return Envelope(timer.message, entry.id, None, None, entry.now, Special(timer=timer))


def _timer_of(cell: ReplayCell, key: str, generation: int, incarnation: int) -> Timer:
    """The cell's timer; one that is nobody's, and what that says is not let in, if it is over."""
    timer = cell.context.timers.get(key)
    is_current = timer is not None and timer.generation == generation
    if timer is not None and is_current and cell.context.incarnation == incarnation:
        return timer
    return Timer(key, 0, ReceiveTimeout(), 0, coalesce=False, due=0)


def _is_stale(envelope: Envelope) -> bool:
    special = envelope.special
    return special is not None and special.timer is not None and special.timer.generation == 0


def _put(cell: Cell, envelope: Envelope) -> None:
    cell.put(envelope)


def _keep(astray: dict[MessageId, tuple[str, Envelope]], path: str, envelope: Envelope) -> None:
    astray[envelope.id] = (path, envelope)
    if len(astray) > ASTRAY_MAX:
        del astray[next(iter(astray))]


class _ReplayBus(Bus):
    """Keeps what is published too: in the session somebody may have subscribed a moment sooner."""

    def __init__(self, astray: dict[MessageId, tuple[str, Envelope]]) -> None:
        super().__init__()
        self._keeper = cast("Cell", _Keeper(astray))

    def subscribers(self, topic: str) -> tuple[Cell, ...]:
        """See `Bus.subscribers`."""
        return (*super().subscribers(topic), self._keeper)


class _Keeper:
    """In a cell's place among the subscribers of every topic."""

    def __init__(self, astray: dict[MessageId, tuple[str, Envelope]]) -> None:
        self._astray = astray

    def put(self, envelope: Envelope) -> None:
        """See `Cell.put`."""
        _keep(self._astray, "", envelope)


def _text(value: object) -> str:
    return without_addresses(repr(value))
