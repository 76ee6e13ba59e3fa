"""Every example of a REST answer: the venue, in the same situation, answers in the same shape."""

import pytest

from tests.venues.server.rest import models
from tests.venues.server.rest.shapes import differences
from tests.venues.server.rest.situations import (  # noqa: F401 - they register themselves
    accounts,
    data,
    gates,
    orders,
    positions,
    refusals,
)
from tests.venues.server.rest.situations.registry import SITUATIONS
from tests.venues.server.rest.vectors import needs_vectors, rest_vectors, vector

NOT_HERE = {
    "corporate_actions": "this market pays no dividends",
    "news": "this market has no news",
    "error_order_pdt_legacy": "the venue goes by today's rules, which count no day trades",
}
"""Examples that the venue does not give, and why."""


@needs_vectors
def test_every_example_has_a_situation_or_a_reason() -> None:
    assert set(rest_vectors()) == SITUATIONS.keys() | NOT_HERE.keys()
    assert not SITUATIONS.keys() & NOT_HERE.keys()


@needs_vectors
@pytest.mark.parametrize("name", sorted(SITUATIONS))
def test_the_answer_is_of_the_same_shape_and_alpaca_py_reads_it(name: str) -> None:
    example = vector(name)
    wanted = example["response"]

    answer = SITUATIONS[name]()

    assert answer.status == wanted["status"], answer.content
    if isinstance(wanted["body"], str):
        assert answer.content.decode() == wanted["body"]
    else:
        assert list(differences(wanted["body"], answer.json)) == []
    for header, value in wanted["headers"].items():
        assert value.isdigit() == answer.headers[header.lower()].isdigit()
    if example["alpaca_py_model"] is not None:
        models.parse(example["alpaca_py_model"], answer.json)


@needs_vectors
@pytest.mark.parametrize("name", rest_vectors())
def test_the_models_read_the_examples_themselves(name: str) -> None:
    example = vector(name)
    if example["alpaca_py_model"] is not None:
        models.parse(example["alpaca_py_model"], example["response"]["body"])
