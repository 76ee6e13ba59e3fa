"""The code of `docs/testing-a-bot.md` runs, and its complete test is about twenty lines."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing-a-bot.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def namespace() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "testing_a_bot"}
    for block in BLOCKS:
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  # it is our own page
    return names


TESTS = {name: thing for name, thing in namespace().items() if name.startswith("test_")}


def test_the_page_has_tests() -> None:
    assert sorted(TESTS) == [
        "test_a_crashed_bot_is_restarted_and_a_lost_denial_keeps_it_quiet",
        "test_a_dip_is_bought_once_in_ten_minutes",
        "test_whatever_the_order_and_the_delays_one_dip_is_one_order",
    ]


@pytest.mark.parametrize("name", TESTS)
def test_the_page_s_test_passes(name: str) -> None:
    marks = getattr(TESTS[name], "pytestmark", [])
    if not marks:
        TESTS[name]()
    for mark in marks:
        argument, values = mark.args
        for value in values:
            TESTS[name](**{argument: value})


def test_the_complete_test_is_about_twenty_lines() -> None:
    complete = next(block for block in BLOCKS if "def test_a_dip_is_bought" in block)

    assert len(complete.splitlines()) <= 24
