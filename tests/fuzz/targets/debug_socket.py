"""The debug socket: who says nonsense is told so or dropped, and the next one is served (I85)."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.ops.debug.commands import COMMANDS, DEBUG
from hydra.ops.debug.protocol import LINE_MAX, request
from tests.fuzz.spoiling import json_lines
from tests.fuzz.talking import Reply, heard, require_answered, served
from tests.fuzz.target import Target, Verdict, require
from tests.ops.debug.engines import Live, live

ARGUMENTS = ("path", "limit", "count", "lane", "type", "payload", "sort", "reason", "id", "dirty")
PATHS = ("/root", "/root/core/keeper", "/root/bots/frail", "/hydra", "/")
HEAVY = {"gil", "gc", "halt", "suspend", "resume"}
"""Commands that measure for a while, or change what the next input meets."""
SEEDS = (
    *(request(1, name, {}) for name in sorted(COMMANDS.keys() - HEAVY)),
    request("a", "peek", {"path": "/root/core/keeper", "limit": 5}),
    request(None, "tree", {}) + request(2, "tree", {}) + b"not JSON\n" + request(3, "tree", {}),
)
ASK = request("still", "tree", {})


HUGE = (
    lambda: b"x" * 5_000_000,
    lambda: b"\n" * 5_000,
    lambda: b"[" * (LINE_MAX - 10) + b"\n",
    lambda: b'{"v":1,"cmd":"tree","args":' + b'{"a":' * 10_000 + b"\n",
    lambda: b'{"v":1,"id":' + b"9" * 5_000 + b',"cmd":"tree"}\n',
)


@contextmanager
def debug_socket(folder: Path) -> Iterator[Target]:
    """What one client sends, and then that it has no more to say; behind it comes another one."""
    folder.chmod(0o700)
    with live(folder) as engine:
        one = _one_more(engine)
        engine.entries.clear()  # how it started

        def feed(data: bytes) -> Verdict:
            if any(command.encode() in data for command in HEAVY):
                return Verdict.REFUSED  # these have tests of their own
            is_short_way = len(data) % 8 > 0
            if is_short_way:
                replies = served(engine.runtime, DEBUG, data)
            else:
                replies = _replies(engine, data)
            require_answered(data, replies, streams={"trace", "dead-letters"})
            if not is_short_way:
                require(_one_more(engine) == one, "the next client is answered otherwise")
            require(engine.runtime.failed_closed is None, "the engine failed closed")
            noted, engine.entries[:] = list(engine.entries), []
            require(not noted, f"it has written into the journal: {noted}"[:300])
            return Verdict.ACCEPTED if any(each["ok"] for each in replies) else Verdict.REFUSED

        yield Target(
            name="debug_socket",
            feed=feed,
            seeds=SEEDS,
            spoil=_spoil,
            huge=HUGE,
            input_bytes_max=2 * LINE_MAX,
        )


def _spoil(data: bytes, dice: random.Random) -> bytes:
    match dice.randrange(12):
        case 0:
            command = dice.choice(sorted(COMMANDS.keys() - HEAVY))
            arguments = {dice.choice(ARGUMENTS): dice.choice((*PATHS, 5, True))}
            return data + request(dice.randrange(9), command, arguments)
        case 1 if dice.random() < 0.2:
            return data + b'{"v":1,"id":"' + b"x" * dice.choice((LINE_MAX, 200, LINE_MAX // 2))
        case _:
            return json_lines((*ARGUMENTS, *PATHS, *COMMANDS))(data, dice)


def _replies(engine: Live, data: bytes) -> list[Reply]:
    """By way of the server's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(engine.path))
        return heard(client, data)


def _one_more(engine: Live) -> object:
    """How another client is answered, who asks for something that does not change."""
    (reply,) = _replies(engine, ASK)
    data = reply["data"]
    assert isinstance(data, dict)
    return sorted(row["path"] for row in data["rows"])
