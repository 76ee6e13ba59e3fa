"""A plug-in of pytest that writes down which test is at work, and which was the first to fail."""

import os

import pytest

VARIABLE = "SENSITIVITY_REPORT"
AT = "at "
FAILED = "failed "


def pytest_runtest_logstart(nodeid: str) -> None:
    _say(AT + nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _say(FAILED + report.nodeid)


def _say(line: str) -> None:
    """At once: a test that hangs ends the process."""
    if _REPORT is not None:
        os.write(_REPORT, f"{line}\n".encode())


def _opened() -> int | None:
    """Once: a test may have become another user when it fails."""
    path = os.environ.get(VARIABLE)
    return None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


_REPORT = _opened()
