"""Coordinated shutdown."""

import threading

import pytest

from hydra.runtime.shutdown import Phase, PhaseResult, shut_down


def test_phases_run_in_order_and_the_next_one_runs_whatever_became_of_the_last() -> None:
    ran: list[str] = []
    never = threading.Event()

    def phase(name: str, answer: bool) -> Phase:
        def action() -> bool:
            ran.append(name)
            return answer

        return Phase(name, 5.0, action)

    def breaks() -> bool:
        raise OSError("the disk is gone")

    results = shut_down(
        (
            phase("first", True),
            phase("refuses", False),
            Phase("hangs", 0.01, lambda: never.wait(5.0)),
            Phase("breaks", 5.0, breaks),
            phase("last", True),
        )
    )
    never.set()

    assert ran == ["first", "refuses", "last"]
    assert results == (
        PhaseResult("first", "done"),
        PhaseResult("refuses", "not done"),
        PhaseResult("hangs", "too late"),
        PhaseResult("breaks", "OSError: the disk is gone"),
        PhaseResult("last", "done"),
    )


def test_where_no_thread_can_be_begun_the_phases_are_done_all_the_same_i70(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cannot_begin(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", cannot_begin)

    results = shut_down((Phase("first", 5.0, lambda: True), Phase("refuses", 5.0, lambda: False)))

    assert results == (PhaseResult("first", "done"), PhaseResult("refuses", "not done"))
