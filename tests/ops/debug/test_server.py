"""The debug server over a real socket, with the engine in this process."""

import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.actor import SECOND
from hydra.ops.debug import endpoint
from hydra.ops.debug.client import CommandFailed, DebugClient, NoEngine
from hydra.ops.debug.commands import COMMANDS
from hydra.ops.debug.endpoint import SocketTaken
from hydra.ops.debug.pacing import CpuBudget
from hydra.ops.debug.protocol import LINE_MAX, request
from hydra.ops.debug.server import DebugServer
from hydra.ops.debug.session import Limits
from hydra.ops.ending import LAST_RESORT, LastResort
from hydra.runtime.sim_runtime import SimRuntime
from hydra.store.private_files import RightsTooOpen
from hydra.trading.trading_state import TradingState
from messages.message import Message
from tests.ops.debug.engines import (
    KEEPER,
    PATHS,
    SENDER,
    STUCK,
    STUCK_BOUND,
    UNHURRIED,
    Live,
    Note,
    Pass,
    live,
    rows_by_path,
)
from tests.ops.debug.test_commands import ASKED
from tests.waiting import eventually


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Live]:
    with live(tmp_path) as engine:
        yield engine


@pytest.fixture
def client(engine: Live) -> Iterator[DebugClient]:
    with DebugClient(engine.path) as client:
        yield client


def raw(engine: Live) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(3)
    connection.connect(str(engine.path))
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


def settled(engine: Live, *messages: tuple[Any, Message]) -> None:
    for ref, message in messages:
        engine.runtime.tell(ref, message)
    assert engine.runtime.settle(within=3)


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"trace"}))
def test_every_command_answers_over_the_socket(
    engine: Live, client: DebugClient, command: str
) -> None:
    settled(engine, (SENDER, Pass(order="order-1")))

    data = client.call(command, **ASKED[command])

    assert data


def test_while_an_actor_hangs_and_its_mailbox_is_full_everything_can_be_seen(
    engine: Live, client: DebugClient
) -> None:
    engine.make_it_hang()

    assert [row["path"] for row in client.call("tree")["rows"]] == PATHS
    row = rows_by_path(client.call("mailboxes"))[STUCK.path]
    assert (row["depth"], row["rejected"], row["status"]) == (STUCK_BOUND, 5, "running")
    assert row["busy_ms"] > 0
    waiting = client.call("peek", path="stuck", payload=True, count=1)
    assert waiting["rows"][0]["payload"] == "Note(text='0')"
    state = client.call("state", path="stuck", timeout_ms=20)
    assert state["not_answered"] == "no answer within 0.02 s"
    assert state["current"]["type"] == "Hang"
    assert any("engines.py" in call and call.endswith("hang") for call in state["stack"])
    assert client.call("stack", path="stuck")["stack"] == state["stack"]
    assert client.call("state", path="keeper")["state"] == {"notes": []}
    by_name = {row["name"]: row for row in client.call("threads")["rows"]}
    assert by_name[state["thread"]]["runs"] == STUCK.path


def test_what_hangs_outside_its_messages_is_not_blamed_on_one(
    engine: Live, client: DebugClient
) -> None:
    settled(engine, (STUCK, Note()))
    engine.hangs_when_shown = True

    state = client.call("state", path="stuck", timeout_ms=20)

    assert (state["state"], state["current"]) == (None, None)
    assert any("engines.py" in call and call.endswith("hang") for call in state["stack"])


def test_what_was_asked_in_vain_is_no_work_afterwards(engine: Live, client: DebugClient) -> None:
    engine.make_it_hang()
    for _ in range(3):
        client.call("state", path="stuck", timeout_ms=1)

    engine.release.set()
    assert engine.runtime.settle(within=3)

    assert engine.times_shown == 0
    assert client.call("state", path="stuck")["state"] == {"notes": STUCK_BOUND}


def test_the_thread_of_a_hang_that_was_given_up_is_still_shown(
    engine: Live, client: DebugClient
) -> None:
    engine.make_it_hang()
    (name,) = [row["name"] for row in client.call("threads")["rows"] if row["runs"]]
    cell = engine.runtime.cells[STUCK.path]
    cell.spec = msgspec.structs.replace(cell.spec, hang_after=1)

    engine.runtime.look_for_hangs(engine.runtime.now())

    assert eventually(lambda: cell.failed_count == 1)
    (left,) = [row for row in client.call("stacks")["rows"] if row["name"] == name]
    assert (left["role"], left["runs"]) == ("left behind", None)
    assert any(call.endswith("hang") for call in left["stack"])


def test_a_thread_of_the_runs_own_is_no_thread_that_hung(client: DebugClient) -> None:
    last_resort = LastResort()
    last_resort.stand_by()
    try:
        rows = client.call("threads")["rows"]
    finally:
        last_resort.disarm()

    assert [row["role"] for row in rows if row["name"] == LAST_RESORT] == ["runtime"]
    assert "left behind" not in {row["role"] for row in rows}


def test_the_socket_can_halt_while_an_actor_hangs_i12(engine: Live, client: DebugClient) -> None:
    engine.make_it_hang()
    gate = engine.runtime.gate
    gate.arm((), "a test", gate.epoch)

    told = client.call("halt", reason="smoke")

    assert told["acknowledged"] is True
    assert gate.state is TradingState.HALTED
    (cause,) = gate.standing()
    assert cause.detail == f"smoke (debug socket, uid {os.geteuid()}, pid {os.getpid()})"


def test_suspending_holds_the_user_lane_and_resuming_drains_it(
    engine: Live, client: DebugClient
) -> None:
    held = client.call("suspend", path="keeper", reason="to see")
    settled(engine, (KEEPER, Note(text="a")), (KEEPER, Note(text="b")))
    row = rows_by_path(client.call("mailboxes"))[KEEPER.path]
    resumed = client.call("resume", path="keeper", reason="seen")

    assert (held["suspended"], row["status"], row["depth"]) == (True, "suspended", 2)
    assert resumed["suspended"] is False
    assert engine.runtime.settle(within=3)
    assert client.call("state", path="keeper")["state"] == {"notes": ["a", "b"]}
    whom = {entry.fields["by"] for entry in engine.entries if entry.event == "debug_suspend"}
    assert whom == {f"uid {os.geteuid()}, pid {os.getpid()}"}


def test_a_trace_streams_and_is_off_when_it_is_full(engine: Live, client: DebugClient) -> None:
    cell = engine.runtime.cells[KEEPER.path]
    untapped = cell.receive
    events = client.stream("trace", target="keeper", max=2, payload=True)

    settled(engine, (KEEPER, Note(text="a")), (KEEPER, Note(text="b")), (KEEPER, Note(text="c")))

    told = list(events)
    assert [event.get("payload") for event in told] == ["Note(text='a')", "Note(text='b')", None]
    assert told[-1]["ended"] == "2 events, the maximum"
    assert eventually(lambda: cell.receive == untapped)
    assert client.call("tree")["total"] == len(PATHS)


def test_a_trace_is_off_when_its_client_goes(engine: Live) -> None:
    cell = engine.runtime.cells[KEEPER.path]
    untapped = cell.receive
    with DebugClient(engine.path) as client:
        client.stream("trace", target="keeper")
        assert eventually(lambda: cell.receive != untapped)

    assert eventually(lambda: cell.receive == untapped)


def test_a_stream_ends_when_its_client_asks_something_else(
    engine: Live, client: DebugClient
) -> None:
    events = client.stream("dead-letters", follow=True)

    client._socket.sendall(request(7, "gate", {}))

    assert list(events) == [{"ended": None, "told": 0}]
    assert client._next_reply(3)["data"]["state"] == "HALTED"


def test_dead_letters_are_followed(engine: Live, client: DebugClient) -> None:
    events = client.stream("dead-letters", follow=True, limit=1)

    engine.runtime.tell(type(KEEPER)("/gone"), Note())

    first = next(events)
    assert (first["reason"], first["path"]) == ("no-such-path", "/gone")
    assert next(events) == {"ended": "1 events, the maximum", "told": 1}


def test_what_is_refused_leaves_the_connection_open(client: DebugClient) -> None:
    with pytest.raises(CommandFailed, match="nobody lives at /nowhere"):
        client.call("state", path="/nowhere")
    with pytest.raises(CommandFailed, match=r"^refused: use the control socket$"):
        client.call("restart", path="/root/core/keeper")

    assert client.call("tree")["total"] == len(PATHS)


def test_malformed_input_closes_that_client_only_i85(engine: Live, client: DebugClient) -> None:
    with closing(raw(engine)) as careless:
        careless.sendall(b"tree please\n")
        told = orjson.loads(read_all(careless))

    assert (told["id"], told["ok"]) == (None, False)
    assert told["error"].startswith("not a line of JSON")
    assert client.call("tree")["total"] == len(PATHS)


def test_a_line_without_end_is_cut_off_at_its_limit_i85(engine: Live) -> None:
    with closing(raw(engine)) as careless:
        sent = 0
        try:
            while sent < 100 * LINE_MAX:
                sent += careless.send(b"x" * 16_384)
        except (BrokenPipeError, ConnectionResetError):
            pass

    assert sent < 20 * LINE_MAX


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300) | st.sampled_from([b"\n", b"{}\n"]), max_size=8))
def test_no_input_kills_the_server_i85(fuzzed: Live, chunks: list[bytes]) -> None:
    with closing(raw(fuzzed)) as careless:
        try:
            for chunk in chunks:
                careless.sendall(chunk)
            careless.shutdown(socket.SHUT_WR)
            for line in read_all(careless).splitlines():
                assert orjson.loads(line)["ok"] in (True, False)
        except OSError:  # it has hung up on us
            pass

    assert fuzzed.runtime.failed_closed is None


NAMES = ["path", "limit", "count", "lane", "type", "payload", "sort", "reason", "id", "dirty"]
ARGUMENTS = st.dictionaries(
    st.sampled_from(NAMES) | st.text(max_size=5),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(COMMANDS.keys() - {"gil", "gc", "trace"})) | st.text(max_size=9),
    ARGUMENTS,
)
def test_no_argument_kills_the_server_i85(
    fuzzed: Live, command: str, arguments: dict[str, Any]
) -> None:
    with closing(raw(fuzzed)) as asking:
        try:
            asking.sendall(request(1, command, arguments))
        except TypeError:  # orjson knows no integers of that size
            return
        asking.shutdown(socket.SHUT_WR)
        told = orjson.loads(read_all(asking))

    assert "a fault of the debug server" not in told.get("error", "")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One engine for all the fuzzed input; at the end it answers as if there had been none."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with live(folder) as engine:
        yield engine
        with DebugClient(engine.path) as client:
            assert client.call("tree")["total"] == len(PATHS)
        assert eventually(lambda: engine.server.clients == 0)


def test_who_never_reads_is_dropped_i87(tmp_path: Path) -> None:
    limits = Limits(cpu_share=1.0, write_s=0.1)
    with live(tmp_path, limits) as engine, closing(raw(engine)) as greedy:
        many = request(1, "stacks", {}) * 100_000
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            greedy.sendall(many)

        assert eventually(lambda: engine.server.clients == 0)


def test_who_never_reads_a_trace_is_dropped_and_the_tap_with_it_i87(tmp_path: Path) -> None:
    limits = Limits(cpu_share=1.0, write_s=0.05)
    with live(tmp_path, limits) as engine, closing(raw(engine)) as greedy:
        cell = engine.runtime.cells[KEEPER.path]
        untapped = cell.receive
        wanted = {"target": "keeper", "max": 10_000, "rate": 1_000, "payload": True}
        greedy.sendall(request(1, "trace", wanted))
        assert eventually(lambda: cell.receive != untapped)

        def dropped() -> bool:
            engine.runtime.tell(KEEPER, Note(text="x" * 400))
            return engine.server.clients == 0

        assert eventually(dropped)
        assert eventually(lambda: cell.receive == untapped)


def test_who_says_nothing_is_dropped_i85(tmp_path: Path) -> None:
    with live(tmp_path, Limits(idle_s=0.05)) as engine, closing(raw(engine)) as silent:
        assert read_all(silent) == b""


def test_who_does_not_finish_a_line_is_dropped_i85(tmp_path: Path) -> None:
    with live(tmp_path, Limits(line_s=0.1)) as engine, closing(raw(engine)) as slow:
        slow.sendall(b'{"v":1,')

        assert read_all(slow) == b""


def test_a_hundred_clients_are_served_or_told_that_they_are_too_many_i85_i87(engine: Live) -> None:
    before = threading.active_count()
    with ExitStack() as open_until_here:
        clients = [open_until_here.enter_context(DebugClient(engine.path)) for _ in range(100)]
        answers = [answer_or_refusal(client) for client in clients]

        assert engine.server.clients == UNHURRIED.clients
        assert threading.active_count() <= before + UNHURRIED.clients

    assert answers.count("HALTED") == UNHURRIED.clients
    assert answers.count("refused: 16 clients are here already") == 100 - UNHURRIED.clients
    assert eventually(lambda: engine.server.clients == 0)
    with DebugClient(engine.path) as client:
        assert client.call("tree")["total"] == len(PATHS)


def answer_or_refusal(client: DebugClient) -> str:
    try:
        return str(client.call("gate")["state"])
    except NoEngine as refused:
        return str(refused)


def test_who_has_been_quiet_for_long_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.debug.server.EVICTED_AFTER_S", 0.0)
    limits = Limits(clients=1, cpu_share=1.0)
    with live(tmp_path, limits) as engine, closing(raw(engine)) as quiet:
        assert eventually(lambda: engine.server.clients == 1)

        with DebugClient(engine.path) as client:
            assert client.call("tree")["total"] == len(PATHS)

        assert read_all(quiet) == b""


def test_a_foreign_peer_is_refused_i85(tmp_path: Path) -> None:
    with live(tmp_path, user=os.geteuid() + 1) as engine, closing(raw(engine)) as foreign:
        told = orjson.loads(read_all(foreign))

    assert told["error"] == (
        f"refused: only user {os.geteuid() + 1} may ask, not uid {os.geteuid()}, pid {os.getpid()}"
    )


def test_a_peer_that_the_kernel_does_not_know_is_refused_i85(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.debug.endpoint._KERNELS", {})
    with live(tmp_path) as engine, closing(raw(engine)) as unknown:
        assert b"not somebody unknown" in read_all(unknown)


def test_socket_and_folder_are_for_their_owner_alone_i84_i85(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with live(folder) as engine:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(engine.path.stat().st_mode) == 0o600


def test_a_folder_that_others_can_read_is_refused_i84(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    tmp_path.chmod(0o755)

    with pytest.raises(RightsTooOpen, match=f"chmod 700 {tmp_path}"):
        DebugServer(SimRuntime(), tmp_path / "debug.sock").open()


def test_what_a_dead_engine_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "debug.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with live(tmp_path), DebugClient(path) as client:
        assert client.call("gate")["state"] == "HALTED"


def test_a_socket_at_which_an_engine_answers_is_left_to_it(engine: Live) -> None:
    with pytest.raises(SocketTaken, match=rf"another engine answers there \(uid .*{os.getpid()}"):
        DebugServer(SimRuntime(), engine.path).open()

    with DebugClient(engine.path) as client:
        assert client.call("tree")["total"] == len(PATHS)


def test_a_file_in_the_way_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "debug.sock"
    path.write_text("dear diary")

    with pytest.raises(SocketTaken, match="is not a socket; move it away and start again"):
        DebugServer(SimRuntime(), path).open()

    assert path.read_text() == "dear diary"


@pytest.fixture
def short_place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    return place


def test_a_path_too_long_for_a_socket_leads_to_a_short_one(
    tmp_path: Path, short_place: Path
) -> None:
    folder = tmp_path / ("long" * 20)
    with live(folder) as engine:
        (private,) = short_place.iterdir()
        assert engine.path.is_symlink()
        assert engine.path.readlink() == private / "debug.sock"
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert stat.S_IMODE((private / "debug.sock").stat().st_mode) == 0o600
        with DebugClient(engine.path) as client:
            assert client.call("tree")["total"] == len(PATHS)

    assert list(folder.iterdir()) == []
    assert list(short_place.iterdir()) == []


def test_a_short_place_that_is_not_private_is_refused(tmp_path: Path, short_place: Path) -> None:
    path = tmp_path / ("long" * 20) / "debug.sock"
    with live(path.parent):
        (private,) = short_place.iterdir()
    private.mkdir()
    (private / "bait").touch()
    private.chmod(0o777)

    with pytest.raises(RightsTooOpen, match="chmod 700"):
        DebugServer(SimRuntime(), path).open()


def test_a_long_path_left_by_a_dead_engine_is_replaced(tmp_path: Path, short_place: Path) -> None:
    folder = tmp_path / ("long" * 20)
    with live(folder):
        (private,) = short_place.iterdir()
    private.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(private / "debug.sock"))
    (folder / "debug.sock").symlink_to(private / "debug.sock")

    with live(folder) as engine, DebugClient(engine.path) as client:
        assert client.call("gate")["state"] == "HALTED"


def test_a_socket_that_somebody_removed_is_made_again_and_that_is_on_record_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.debug.server.LOOK_EVERY_S", 0.02)
    with live(tmp_path) as engine, DebugClient(engine.path) as before:
        engine.path.unlink()

        assert eventually(lambda: answers(engine.path))
        assert before.call("gate")["state"] == "HALTED"  # who was here is still served
        assert eventually(lambda: "socket_lost" in [entry.event for entry in engine.entries])
    assert not engine.path.exists()
    (told,) = (entry for entry in engine.entries if entry.event == "socket_lost")
    assert (told.source, told.fields) == ("sockets", {"path": str(engine.path), "fault": None})


def test_a_socket_that_cannot_be_made_again_is_told_of_once_and_tried_again_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.debug.server.LOOK_EVERY_S", 0.02)
    looks: list[Path] = []
    with live(tmp_path) as engine:
        monkeypatch.setattr("hydra.ops.debug.endpoint._make_way", _counted(looks))
        engine.path.unlink()
        engine.path.write_text("what is this")
        assert eventually(lambda: len(looks) > 5)
        engine.path.unlink()

        assert eventually(lambda: answers(engine.path))
        assert eventually(lambda: [entry.event for entry in engine.entries].count(LOST) == 2)
    faults = [entry.fields["fault"] for entry in engine.entries if entry.event == LOST]
    assert faults == [f"{engine.path} is not a socket; move it away and start again", None]


LOST = "socket_lost"


def _counted(looks: list[Path]) -> Callable[[Path], None]:
    make_way = endpoint._make_way

    def counted(path: Path) -> None:
        looks.append(path)
        make_way(path)

    return counted


def answers(path: Path) -> bool:
    try:
        with DebugClient(path) as client:
            return bool(client.call("gate"))
    except NoEngine:
        return False


def test_closing_drops_everyone_and_opening_begins_anew(engine: Live) -> None:
    before = DebugClient(engine.path)
    assert before.call("gate")
    threads = debug_threads()
    engine.server.close()
    engine.server.close()
    assert not engine.path.exists()
    with pytest.raises(NoEngine, match="hung up without an answer"):
        before.call("gate")
    before.close()
    assert debug_threads() == threads - 3

    engine.server.open()
    engine.server.open()

    with DebugClient(engine.path) as after:
        assert after.call("gate")["state"] == "HALTED"


def debug_threads() -> int:
    return sum(thread.name.startswith("hydra-debug") for thread in threading.enumerate())


def test_a_simulation_that_another_thread_runs_is_only_looked_at(tmp_path: Path) -> None:
    runtime = SimRuntime()
    server = DebugServer(runtime, tmp_path / "debug.sock", limits=Limits(cpu_share=1.0))
    server.open()
    at = runtime.now()
    try:
        with DebugClient(tmp_path / "debug.sock") as client:
            client.call("mailboxes", window_ms=20)
            client.call("halt", reason="smoke")
    finally:
        server.close()

    assert runtime.now() == at


@given(st.floats(0.001, 1.0), st.integers(0, 10 * SECOND))
def test_what_was_used_beyond_the_advance_is_owed_at_the_agreed_share(
    share: float, used: int
) -> None:
    budget = CpuBudget(share, 0.1)

    budget.spend(used)

    due = max(0.0, (used / SECOND - 0.1) / share)
    assert budget.owed() <= due
    assert budget.owed() >= due * 0.9 - 1.0 or share > 0.5


def test_a_flood_of_questions_waits_but_a_halt_does_not_i87(tmp_path: Path) -> None:
    limits = Limits(cpu_share=0.000_001, cpu_advance_s=0.000_001)
    with live(tmp_path, limits) as engine, closing(raw(engine)) as flooding:
        gate = engine.runtime.gate
        gate.arm((), "a test", gate.epoch)
        flooding.sendall(request(1, "tree", {}))
        assert flooding.recv(65_536)
        flooding.sendall(request(2, "tree", {}))  # waits for hours

        flooding.settimeout(0.2)
        with pytest.raises(TimeoutError):
            flooding.recv(65_536)
        with DebugClient(engine.path, timeout=3) as client:
            assert client.call("halt", reason="smoke")["acknowledged"]


def test_an_answer_as_long_as_can_be_arrives_whole(engine: Live, client: DebugClient) -> None:
    for _ in range(1_000):
        engine.runtime.tell(type(KEEPER)("/gone"), Note(text="x" * 1_000))

    data = client.call("dead-letters", limit=1_000, payload=True)

    assert data["total"] == 1_000
    assert data["cut"].startswith("the first ")
    assert 0 < len(data["rows"]) < 1_000
