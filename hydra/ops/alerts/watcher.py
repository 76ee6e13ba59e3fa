"""Goes round: looks, says what is new, has it brought to everybody, and keeps what was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, tzinfo
from queue import Empty, SimpleQueue
from typing import Protocol

import msgspec
from msgspec.structs import replace

from hydra.ops.alerts import delivery
from hydra.ops.alerts.channels import Channel, Sender, Sent
from hydra.ops.alerts.conditions import (
    Condition,
    Seen,
    Severity,
    conditions_of,
    is_working,
)
from hydra.ops.alerts.delivery import Waiting
from hydra.ops.alerts.incidents import Incident, Kind, Notice, after, unknown_since
from hydra.ops.alerts.kept import Kept, KeptFiles
from hydra.ops.alerts.wording import Message, daily_message, message_of
from hydra.ops.as_said import NOTHING_SAID, AsSaid
from hydra.ops.control.wellness import NOT_UNDERSTOOD, not_understood
from hydra.trading.durations import MINUTE, SECOND

HEARTBEAT_PATIENCE_S = 180.0


class Beating(Protocol):
    """Tells somebody elsewhere that the engine works."""

    @property
    def fault(self) -> str | None:
        """Why it does not arrive."""
        ...

    def beat(self, at: int) -> None:
        """It works, at `at` (UTC ns)."""
        ...


class WatchTerms(msgspec.Struct, frozen=True, kw_only=True):
    """`who`: whose engine it is, as the titles say it. `daily_at`: when the daily word is said, by
    the clocks of `zone`; None: never. What was `said` of the engine is said again behind commands.
    """

    who: str
    said: AsSaid = NOTHING_SAID
    zone: tzinfo = UTC
    daily_at: time | None = None


class Watcher:
    """One watch over one engine. Its methods are called from one thread."""

    def __init__(
        self,
        terms: WatchTerms,
        files: KeptFiles,
        channels: Sequence[Channel],
        say: Callable[[str], None],
        heartbeat: Beating | None = None,
    ) -> None:
        """Go on with what the files have. `say` takes a line for the terminal."""
        self._terms = terms
        self._files = files
        self._say = say
        self._heartbeat = heartbeat
        self._done: SimpleQueue[Sent] = SimpleQueue()
        self._senders = [Sender(channel, self._done) for channel in channels]
        self._kept, self._fault = files.load()
        self._is_changed = False
        self._journal_kept_at: int | None = None
        self._forget_channels()
        self.seen: Seen | None = None
        """What the last look found."""
        self.looked_at: float | None = None
        """When that was: UTC seconds."""

    @property
    def kept(self) -> Kept:
        """What it knows by now."""
        return self._kept

    def start(self) -> None:
        """Let the channels take messages."""
        for sender in self._senders:
            sender.start()

    def take(self, seen: Seen, at: int) -> None:
        """Take one look in. `at`: UTC ns, by the machine's clock."""
        seen = _understood(seen)
        if self.looked_at is None:
            self._keep(incidents=unknown_since(self._kept.incidents, at))
            self._tell_new_channels(seen, at)
        self.seen, self.looked_at = seen, at / SECOND
        self._hear(at)
        found = (*conditions_of(seen, self._kept.process), *self._own_conditions(at))
        outcome = after(self._kept.incidents, found, at)
        if _is_worth_keeping(self._kept.incidents, outcome.incidents):
            self._is_changed = True
        self._keep(incidents=dict(outcome.incidents), journal_seq=seen.journal_seq)
        self._keep_journal_seq(at)
        if seen.told is not None and seen.process not in (None, self._kept.process):
            self._keep(process=seen.process)
            self._is_changed = True
        if outcome.notices:
            self._tell(message_of(outcome.notices, seen.told, who=self._terms.who, at=at))
        self._say_daily_word(seen, at)
        if self._heartbeat is not None and is_working(seen.told):
            self._heartbeat.beat(at)
        self.deliver(at)

    def _keep_journal_seq(self, at: int) -> None:
        """With all that was told of the journal it is kept at once. Else once a minute will do:
        lines that nothing is told of may be seen again.
        """
        since = self._journal_kept_at
        if since is None or not 0 <= at - since < MINUTE:
            self._journal_kept_at = at
            self._is_changed = True

    def deliver(self, at: int) -> None:
        """Hear what became of what was sent, put what is new on the disk, and send what is due."""
        self._hear(at)
        self._save()
        for sender in self._senders:
            waiting = self._waiting_for(sender.name)
            if not sender.is_busy and delivery.is_due(waiting, at):
                sender.send(delivery.batch_of(waiting), delivery.end_of(waiting))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being sent and nothing waits, but for what failed before."""
        return not any(sender.is_busy or self._is_fresh(sender.name) for sender in self._senders)

    def _is_fresh(self, channel: str) -> bool:
        waiting = self._waiting_for(channel)
        return bool(waiting.messages) and not waiting.failures

    def _worded(self, message: Message) -> Message:
        return replace(message, body=self._terms.said.in_words(message.body))

    def _tell(self, found: Message) -> None:
        message = self._worded(found)
        for line in (message.title, *message.body.splitlines()):
            self._say(line)
        self._write_down(
            {
                "at": _utc(message.at),
                "what": "told",
                "severity": message.severity.word,
                "title": message.title,
                "body": message.body,
                "channels": [sender.name for sender in self._senders],
            }
        )
        waiting = {
            sender.name: delivery.put(self._waiting_for(sender.name), message)
            for sender in self._senders
        }
        self._keep(waiting=waiting, told_since_daily=self._kept.told_since_daily + 1)
        self._is_changed = True

    def _tell_new_channels(self, seen: Seen, at: int) -> None:
        """What others, or nobody but the terminal, were told before a channel was there."""
        standing = [
            incident
            for incident in self._kept.incidents.values()
            if incident.told_at is not None and not incident.is_moment
        ]
        waiting = dict(self._kept.waiting)
        for sender in self._senders:
            if sender.name in waiting:
                continue
            waiting[sender.name] = Waiting()
            if standing:
                notices = [Notice(Kind.STILL, incident) for incident in standing]
                message = message_of(notices, seen.told, who=self._terms.who, at=at)
                waiting[sender.name] = delivery.put(Waiting(), self._worded(message))
            self._is_changed = True
        self._keep(waiting=waiting)

    def _say_daily_word(self, seen: Seen, at: int) -> None:
        daily_at = self._terms.daily_at
        if daily_at is None:
            return
        now = datetime.fromtimestamp(at // SECOND, self._terms.zone)
        today = now.date().isoformat()
        is_time = now.time() >= daily_at
        if self._kept.daily_on is None:  # it begins to count
            self._keep(daily_on=today if is_time else "")
            self._is_changed = True
        if self._kept.daily_on == today or not is_time:
            return
        self._keep(daily_on=today)
        self._is_changed = True
        self._tell(
            daily_message(
                seen.told,
                self._kept.incidents,
                new_since=self._kept.told_since_daily,
                equity_before=self._kept.daily_equity,
                who=self._terms.who,
                at=at,
            )
        )
        equity = None if seen.told is None else seen.told["equity"]
        self._keep(daily_equity=equity or self._kept.daily_equity, told_since_daily=0)

    def _own_conditions(self, at: int) -> list[Condition]:
        """What keeps this watch from its own work."""
        found = []
        for sender in self._senders:
            waiting = self._waiting_for(sender.name)
            if delivery.is_failing(waiting, at):
                count = len(waiting.messages) + waiting.dropped
                text = f"{count} alerts do not reach {sender.name}: {waiting.error}"
                found.append(_own(f"channel {sender.name}", "alerts do not arrive", text))
        if self._fault is not None:
            found.append(_own("watch", "the watch's own files", self._fault))
        if self._heartbeat is not None and self._heartbeat.fault is not None:
            text = f"the heartbeat does not arrive: {self._heartbeat.fault}"
            found.append(_own("heartbeat", "no heartbeat", text, HEARTBEAT_PATIENCE_S))
        return found

    def _hear(self, at: int) -> None:
        while True:
            try:
                sent = self._done.get_nowait()
            except Empty:
                return
            for sender in self._senders:
                if sender.name == sent.channel:
                    sender.is_busy = False
            waiting = self._waiting_for(sent.channel)
            if sent.error is None:
                after_it = delivery.delivered(waiting, sent.end)
            else:
                after_it = delivery.failed(waiting, sent.error, at)
            self._keep(waiting={**self._kept.waiting, sent.channel: after_it})
            self._is_changed = True
            what = "delivered" if sent.error is None else "not delivered"
            self._write_down(
                {"at": _utc(at), "what": what, "channel": sent.channel, "error": sent.error}
            )
            if sent.error is not None:
                self._say(f"{sent.channel}: not delivered: {sent.error}")

    def _waiting_for(self, channel: str) -> Waiting:
        return self._kept.waiting.get(channel, Waiting())

    def _forget_channels(self) -> None:
        """Those that are configured no more, with what waited for them."""
        names = {sender.name for sender in self._senders}
        left = {name: each for name, each in self._kept.waiting.items() if name in names}
        for name, waiting in self._kept.waiting.items():
            if name not in left and waiting.messages:
                count = len(waiting.messages)
                self._say(f"{name} is configured no more: {count} alerts for it are dropped")
        self._keep(waiting=left)

    def _keep(self, **changes: object) -> None:
        self._kept = replace(self._kept, **changes)

    def _save(self) -> None:
        """What cannot be written is kept in memory and tried again; somebody is told."""
        if not self._is_changed:
            return
        try:
            self._files.save(self._kept)
        except OSError as error:
            self._cannot_write(error)
        else:
            self._is_changed = False
            self._fault = None

    def _write_down(self, line: Mapping[str, object]) -> None:
        try:
            self._files.write_down(line)
        except OSError as error:
            self._cannot_write(error)

    def _cannot_write(self, error: OSError) -> None:
        where = self._files.state.parent
        self._fault = (
            f"the watch cannot write to {where} ({error.strerror or error}); it goes on from"
            " memory, and a restart of it would tell again, or not at all"
        )


def _understood(seen: Seen) -> Seen:
    """The look, if all of the engine's answer can be made something of; else one without an answer:
    a watch that died of it would tell nobody anything.
    """
    told = seen.told
    if told is None:
        return seen
    try:
        conditions_of(seen, None)
        is_working(told)
        daily_message(told, {}, new_since=0, equity_before=None, who="", at=0)
    except NOT_UNDERSTOOD as error:
        return replace(seen, told=None, findings=(not_understood(error),))
    return seen


def _own(key: str, title: str, text: str, patience_s: float = 0.0) -> Condition:
    return Condition(
        key=key,
        severity=Severity.WARNING,
        title=title,
        text=text,
        patience_s=patience_s,
        is_our_own=True,
    )


def _is_worth_keeping(before: Mapping[str, Incident], now: Mapping[str, Incident]) -> bool:
    """Whether a restart should know the difference: of an incident all but when it was seen."""
    if before.keys() != now.keys():
        return True
    return any(_lasting(now[key]) != _lasting(before[key]) for key in now)


def _lasting(incident: Incident) -> Incident:
    return replace(incident, seen_at=0, unknown_at=None, text="")


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat().replace("+00:00", "Z")
