"""The engine is another process: only the socket leads to it."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.ops.debug.client import DebugClient, NoEngine, connect
from tests.ops.debug.engines import FRAIL, PATHS, STUCK, STUCK_BOUND, rows_by_path


@pytest.fixture
def client(state_dir: Path) -> Iterator[DebugClient]:
    with connect(state_dir) as client:
        yield client


def test_a_hanging_actor_with_a_full_mailbox_hides_nothing(client: DebugClient) -> None:
    assert [row["path"] for row in client.call("tree")["rows"]] == PATHS
    row = rows_by_path(client.call("mailboxes"))[STUCK.path]
    assert (row["depth"], row["rejected"]) == (STUCK_BOUND, 5)
    assert client.call("peek", path="stuck")["rows"][0]["type"] == "Note"
    assert client.call("state", path="keeper")["state"] == {"notes": ["a", "order-1"]}


def test_what_hangs_is_shown_with_its_message_and_its_place_in_the_code(
    client: DebugClient,
) -> None:
    state = client.call("state", path="stuck", timeout_ms=50)

    assert state["not_answered"] == "no answer within 0.05 s"
    assert (state["state"], state["current"]["type"]) == (None, "Hang")
    assert state["busy_ms"] >= 50
    assert any("engines.py" in call for call in state["stack"])
    assert client.call("stack", path="stuck")["stack"] == state["stack"]


def test_failures_are_remembered_with_their_trace(client: DebugClient) -> None:
    told = client.call("history", path="frail", traces=True)

    assert [row["what"] for row in told["rows"]][:3] == ["started", "failed", "started"]
    assert "ValueError: told to crash" in told["traces"][0]["trace"]
    assert client.call("dead-letters", reason="poison")["rows"][0]["path"] == FRAIL.path


def test_the_engine_knows_who_halted_it(client: DebugClient) -> None:
    assert client.call("halt", reason="smoke")["acknowledged"]

    causes = client.call("gate")["causes"]
    by = f"uid {os.geteuid()}, pid {os.getpid()}"
    assert causes[-1]["detail"] == f"smoke (debug socket, {by})"


def test_where_no_engine_is_one_line_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoEngine) as found:
        connect(tmp_path)

    assert str(found.value) == (
        f"no engine is running here: looked for {tmp_path}/debug.sock,"
        f" {tmp_path}/embedded/debug.sock, {tmp_path}/live/debug.sock;"
        " start one with `hydra-trader run`, or say where its state is with --state-dir"
    )


def test_an_engine_that_has_died_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "debug.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with pytest.raises(NoEngine, match=f"the engine that made {path} is no longer running"):
        connect(tmp_path)


def test_what_is_no_socket_is_not_spoken_to(tmp_path: Path) -> None:
    (tmp_path / "debug.sock").write_text("dear diary")

    with pytest.raises(NoEngine, match=r"debug\.sock is not a socket"):
        connect(tmp_path)
