"""Each refusal that the broker's documents show, from the situation that it comes from."""

import json
from pathlib import Path
from typing import Any

import pytest

from hydra.venues.simulated.brokerage.checks.place import first_refusal
from hydra.venues.simulated.brokerage.checks.replace import first_replace_refusal
from hydra.venues.simulated.brokerage.refusals import Refusal
from tests.venues.simulated_broker.checks.refusals_of_payloads import CASES, CHANGES

PAYLOADS = Path(__file__).resolve().parents[5] / "shared" / "alpaca" / "payloads"
NEEDS_PAYLOADS = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="needs the payload vectors in ../shared/alpaca/payloads"
)

OF_LOOK_UPS = {"id_malformed", "not_found"}
"""Answers to questions about an order that was placed: there is none to check."""


def documented(name: str) -> Refusal:
    response: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())["response"]
    body = dict(response["body"])
    return Refusal(response["status"], body.pop("code"), body.pop("message"), body)


@NEEDS_PAYLOADS
def test_every_documented_refusal_has_its_situation() -> None:
    orders = {file.stem.removeprefix("error_order_") for file in PAYLOADS.glob("error_order_*")}
    changes = {
        file.stem.removeprefix("error_replace_") for file in PAYLOADS.glob("error_replace_*")
    }

    assert orders == set(CASES) | OF_LOOK_UPS
    assert changes == set(CHANGES)


@NEEDS_PAYLOADS
@pytest.mark.parametrize("name", CASES)
def test_an_order_is_refused_as_documented(name: str) -> None:
    case = CASES[name]

    assert first_refusal(case.order, case.seen) == documented(f"error_order_{name}")


@pytest.mark.parametrize("name", CASES)
def test_without_the_cause_the_order_is_taken(name: str) -> None:
    case = CASES[name]

    assert first_refusal(case.cured_order, case.cured_view) is None


@NEEDS_PAYLOADS
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_refused_as_documented(name: str) -> None:
    case = CHANGES[name]

    assert first_replace_refusal(case.change, case.seen) == documented(f"error_replace_{name}")


@pytest.mark.parametrize("name", CHANGES)
def test_without_the_cause_the_change_is_taken(name: str) -> None:
    case = CHANGES[name]

    assert first_replace_refusal(case.cured_change, case.cured_view) is None
