"""What a kind of journal line is, and who says them. The kinds themselves are in `vocabulary`."""

from collections.abc import Mapping

import msgspec


class Speaker(msgspec.Struct, frozen=True):
    """Who says it, and the `source` of its lines, with `*` for any text; "" if they have none."""

    name: str
    source: str


class EventKind(msgspec.Struct, frozen=True):
    """One kind of line. A line has all of `fields` and may have any of `optional`.

    If the line belongs to the story of an order, `order_at` says where the order is named: the
    way to its `client_order_id` or its decision. A decision and its `client_order_id` stand side
    by side in `order_approved`, so the one leads to the other.
    """

    name: str
    speaker: Speaker
    meaning: str
    fields: Mapping[str, str]
    optional: Mapping[str, str] = {}
    order_at: tuple[str, ...] = ()


def is_free(name: str) -> bool:
    """Whether the name is a bot's own to give."""
    return "." in name


BOT = Speaker("A bot", "/hydra/bots/*")
WISHER = Speaker("A bot, or the flattener for one", "/hydra/*")
EXIT_BOT = Speaker("The exit bot", "/hydra/bots/exit_bot")
GUARDIAN = Speaker("The risk guardian", "/hydra/core/risk_guardian")
PERSISTER = Speaker("The state persister", "/hydra/core/state_persister")
GATEWAY = Speaker("The broker gateway", "/hydra/core/broker_gateway")
LISTENER = Speaker("The broker gateway, or the data feed", "/hydra/core/*")
FLATTENER = Speaker("The flattener", "/hydra/core/flattener")
FEED = Speaker("The data feed", "/hydra/core/data_feed")
MONITOR = Speaker("The health monitor", "/hydra/core/health_monitor")
EXECUTION = Speaker("The execution monitor", "/hydra/ops/execution_monitor")
ACTIONS = Speaker("The action watch", "/hydra/ops/action_watch")
SERVICE = Speaker("Whoever keeps something open for onlookers", "/hydra/ops/*")
SUPERVISOR = Speaker("A supervisor", "/hydra*")
ANYONE = Speaker("The kernel, of any actor", "/hydra*")
KERNEL = Speaker("The kernel, of all of them", "runtime")
MAIN = Speaker("The engine's front door", "main")
RECORD = Speaker("The record, when a process takes it up or lets it go", "record")
WATCH = Speaker("The watch over the record", "record_watch")
MEMORY = Speaker("The watch over memory", "memory_watch")
CALENDAR = Speaker("The watch over the calendar", "calendar_watch")
RECORDER = Speaker("The flight recorder", "recorder")
SURFACES = Speaker("Whoever keeps the surfaces fresh", "surfaces")
RELOAD = Speaker("The watch over the files of the settings", "reload")
KILL_WATCH = Speaker("The watch over the kill switch", "kill_watch")
BRIDGE = Speaker("The bridge to an outside strategy", "signal_bridge")
JOURNAL = Speaker("The journal itself", "")
SOCKETS = Speaker("Whoever keeps the sockets for operators where they look for them", "sockets")
DEBUG = Speaker("The debug socket, for the operator", "debug")
CONTROL = Speaker("The operator, by the control socket or on a record at rest", "control")

BY = "who asked, as the socket knows them"
"""The meaning of the field `by`."""
