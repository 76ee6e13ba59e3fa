"""A command that a person is told to type means the engine that he spoke of."""

from pathlib import Path

import pytest

from hydra.ops.as_said import NOTHING_SAID, as_said
from hydra.ops.offline import CONFIG

SAID = as_said("paper", Path("mine"), Path("my state"), Path("logs"))
ALL = "--venue paper --config mine --state-dir 'my state' --log-dir logs"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("it ends by `hydra-trader resume --reason …`", f"`hydra-trader resume {ALL} --reason …`"),
        ("look at `hydra-trader status`; wait", f"look at `hydra-trader status {ALL}`; wait"),
        ("hydra-trader reconcile adopt X", f"hydra-trader reconcile {ALL} adopt X"),
        (
            "`hydra-trader backup`, then `hydra-trader restore B`",
            f"`hydra-trader backup {ALL}`, then `hydra-trader restore {ALL} B`",
        ),
        (
            "hydra-trader config accept --reason ...",
            "config accept --venue paper --config mine --state-dir 'my state' --reason ...",
        ),
        (
            "hydra-trader config accept-live --reason ...",
            "config accept-live --venue paper --config mine --state-dir 'my state' --reason ...",
        ),
        ("hydra-trader debug resume X", "hydra-trader debug --state-dir 'my state' resume X"),
        (
            "`hydra-trader canary --venue paper`",
            "canary --config mine --state-dir 'my state' --log-dir logs --venue paper",
        ),
        ("hydra-trader prove --days 1", "hydra-trader prove --days 1"),
        ("hydra-trader/1.0 and `resume`", "hydra-trader/1.0 and `resume`"),
    ],
)
def test_what_was_said_of_the_engine_stands_behind_each_verb_that_takes_it(
    text: str, told: str
) -> None:
    assert told in SAID.in_words(text)
    assert NOTHING_SAID.in_words(text) == text


def test_what_the_settings_say_is_not_said_again() -> None:
    assert as_said(None, CONFIG, None, None) == NOTHING_SAID
