"""The control socket: whose it is, what it takes, and what the debug socket cannot do."""

import os
import re
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.actor import SECOND
from hydra.ops.control.commands import control_table
from hydra.ops.debug.client import CommandFailed, DebugClient, EngineClient
from hydra.ops.debug.commands import DEBUG
from hydra.ops.debug.protocol import LINE_MAX, request
from hydra.ops.debug.session import Limits
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.trading_state import TradingState
from messages.control import FlattenReported
from tests.ops.control.command_line import ME
from tests.ops.control.engines import FACTS, ControlledEngine, controlled

WORDS = ("v", "id", "cmd", "args", "halt", "resume", "flatten", "settle", "reason", "a drill")


def raw(engine: ControlledEngine) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(3)
    connection.connect(str(engine.files.control_socket))
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side hangs up."""
    found = b""
    try:
        while received := connection.recv(65_536):
            found += received
    except ConnectionResetError:
        pass
    return found


def test_the_socket_is_its_owners_alone_i85(engine: ControlledEngine) -> None:
    socket_file = engine.files.control_socket

    assert stat.S_IMODE(socket_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket_file.parent.stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_leads_to_a_short_private_one_i85(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_place = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_place))
    with controlled(tmp_path / ("long" * 20)) as engine:
        wanted = engine.files.control_socket
        leads_to = wanted.readlink()
        assert leads_to.parent.parent == short_place
        assert stat.S_IMODE(leads_to.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(leads_to.stat().st_mode) == 0o600
        with EngineClient(wanted) as client:
            assert client.call("commands")["total"]

    assert list(short_place.iterdir()) == []


def test_somebody_else_is_turned_away_and_changes_nothing_i85(tmp_path: Path) -> None:
    stranger = os.geteuid() + 1
    with controlled(tmp_path, user=stranger) as engine:
        engine.open_gate()
        with closing(raw(engine)) as connection:
            with suppress(BrokenPipeError):  # it hangs up before anything can be said
                connection.sendall(request(1, "halt", {"reason": "a drill"}))
            told = orjson.loads(read_all(connection))

        assert told["error"] == f"refused: only user {stranger} may ask, not {ME}"
        assert engine.gate.state is TradingState.ACTIVE


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xfe\n",
        b"halt\n",
        b"[]\n",
        b'{"v": 2, "cmd": "halt"}\n',
        b'{"v": 1, "cmd": "halt", "sudo": true}\n',
        b'{"v": 1, "cmd": 7}\n',
        b"x" * (LINE_MAX + 1),
    ],
)
def test_what_is_no_request_closes_that_client_only_i85(
    engine: ControlledEngine, client: EngineClient, sent: bytes
) -> None:
    engine.open_gate()
    with closing(raw(engine)) as connection:
        connection.sendall(sent)

        assert orjson.loads(read_all(connection))["ok"] is False

    assert engine.gate.state is TradingState.ACTIVE
    assert client.call("commands")["total"] == len(control_table(FACTS).commands)


WORDS_OF_AN_OPERATOR: dict[str, dict[str, object]] = {
    "resume": {"reason": "a drill"},
    "flatten": {"reason": "a drill"},
    "withdraw-flatten": {"reason": "a drill"},
    "settle": {"reason": "a drill", "kind": "position", "subject": "AAPL", "decision": "exclude"},
    "mode": {"reason": "a drill", "mode": "flat"},
}


@pytest.mark.parametrize("command", WORDS_OF_AN_OPERATOR)
def test_what_is_read_after_its_asker_gave_up_is_not_done_i04(
    engine: ControlledEngine, command: str
) -> None:
    """An engine that stood still finds it in its socket, behind halts of which nobody spoke."""
    before = time.monotonic_ns() - SECOND
    with closing(raw(engine)) as connection:
        connection.sendall(request(7, command, WORDS_OF_AN_OPERATOR[command], before))

        told = orjson.loads(connection.recv(65_536))

    assert (told["id"], told["ok"]) == (7, False)
    assert re.fullmatch(
        rf"{command} was not done: it came to be read 1\.\d s after whoever asked had given up",
        told["error"],
    )
    heard = engine.told
    assert (heard.resumes, heard.flattens, heard.withdrawals, heard.settled) == ([], [], [], [])


def test_a_halt_is_obeyed_however_late_it_is_read_i01(engine: ControlledEngine) -> None:
    engine.open_gate()
    before = time.monotonic_ns() - 3600 * SECOND
    with closing(raw(engine)) as connection:
        connection.sendall(request(1, "halt", {"reason": "a drill"}, before))

        assert orjson.loads(connection.recv(65_536))["ok"] is True

    assert engine.gate.state is TradingState.HALTED


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_garbage_halts_resumes_or_flattens_i85(
    busy: ControlledEngine, data: st.DataObject
) -> None:
    some_json = st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(WORDS),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner),
        max_leaves=8,
    )
    sent = data.draw(st.binary(max_size=200) | some_json.map(orjson.dumps))
    with closing(raw(busy)) as connection:
        connection.sendall(sent + b"\n")
        connection.shutdown(socket.SHUT_WR)

        for line in read_all(connection).splitlines():
            assert orjson.loads(line)["ok"] is False

    assert busy.gate.state is TradingState.ACTIVE
    assert (busy.told.resumes, busy.told.flattens, busy.told.settled) == ([], [], [])


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlledEngine]:
    """One for many questions."""
    with controlled(tmp_path_factory.mktemp("busy")) as engine:
        engine.open_gate()
        yield engine


@pytest.mark.parametrize(
    ("command", "arguments", "complaint"),
    [
        ("halt", {"reason": "a drill", "force": True}, "unknown field `force`"),
        ("flatten", {}, "Object missing required field `reason`"),
        ("flatten", {"reason": "no"}, "Expected `str` of length >= 3"),
        ("resume", {"reason": "   "}, "Expected `str` matching regex"),
        ("resume", {"reason": "a drill", "codes": [7]}, "Expected `str`, got `int`"),
        ("flatten", {"reason": "a drill", "pause": "active"}, "Invalid enum value 'active'"),
        ("arm", {}, "no such command: arm; there are account, commands, differences, flatten"),
    ],
)
def test_a_wrong_command_changes_nothing_and_says_what_was_wanted_i85(
    engine: ControlledEngine,
    client: EngineClient,
    command: str,
    arguments: dict[str, object],
    complaint: str,
) -> None:
    engine.open_gate()

    with pytest.raises(CommandFailed, match=complaint):
        client.call(command, **arguments)

    assert engine.gate.standing() == ()
    assert (engine.told.resumes, engine.told.flattens) == ([], [])


@pytest.mark.parametrize("command", sorted(control_table(FACTS).commands.keys() - {"commands"}))
def test_the_debug_socket_cannot_do_what_the_control_socket_can_i85(
    engine: ControlledEngine, command: str
) -> None:
    engine.gate.arm((OPERATOR_HALT.cause(since=1, detail="a test"),), "a test", 1)
    before = engine.gate.standing(), engine.gate.flatten_reason

    with DebugClient(engine.files.debug_socket) as client:
        for arguments in (
            {},
            {"reason": "a drill"},
            {"path": "risk_guardian", "reason": "a drill"},
        ):
            if command != "halt":
                _tried(client, command, arguments)

    assert (engine.gate.standing(), engine.gate.flatten_reason) == before
    assert (engine.told.resumes, engine.told.flattens, engine.told.settled) == ([], [], [])


def _tried(client: DebugClient, command: str, arguments: dict[str, str]) -> None:
    try:
        client.call(command, **arguments)
    except CommandFailed:
        return


def test_of_the_two_sockets_names_only_halt_means_the_same_i85() -> None:
    both = DEBUG.commands.keys() & control_table(FACTS).commands.keys()

    assert both == {"commands", "halt", "resume"}  # debug's resume is of an actor that it suspended


def test_a_flood_of_questions_keeps_no_halt_and_no_flatten_waiting_i87(tmp_path: Path) -> None:
    limits = Limits(cpu_share=0.000_001, cpu_advance_s=0.000_001)
    with controlled(tmp_path, limits=limits) as engine, closing(raw(engine)) as flooding:
        engine.told.steps = [FlattenReported(phase="flat", detail="")]
        engine.open_gate()
        flooding.sendall(request(1, "commands", {}))
        assert flooding.recv(65_536)
        flooding.sendall(request(2, "commands", {}))  # waits for hours

        flooding.settimeout(0.2)
        with pytest.raises(TimeoutError):
            flooding.recv(65_536)
        for command in ("flatten", "halt"):
            with EngineClient(engine.files.control_socket, timeout=3) as client:
                assert client.call(command, reason="a drill")


def test_its_threads_are_known_by_name_and_gone_when_it_is_closed(tmp_path: Path) -> None:
    before = control_threads()
    with controlled(tmp_path) as engine, DebugClient(engine.files.debug_socket) as client:
        rows = client.call("threads")["rows"]

        names = {row["name"] for row in rows if row["role"] == "control"}
        assert names == {"hydra-control-accept", "hydra-control-look"}
        assert control_threads() == before + 2
    assert control_threads() == before


def control_threads() -> int:
    return sum(thread.name.startswith("hydra-control") for thread in threading.enumerate())
