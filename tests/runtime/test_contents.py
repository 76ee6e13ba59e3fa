"""Every message can be written down and read again, but for recipes of actors."""

import importlib
import pkgutil
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import structs

import hydra.assembly  # noqa: F401 (so that the messages of actors are there)
import messages
import supervisors
from hydra.actor import Actor, ChildSpec
from hydra.runtime import contents
from hydra.runtime.contents import (
    NotReadable,
    body_of,
    decoded,
    digest_of,
    encoded,
    message_of,
    recipe_from,
    recipe_of,
)
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.trading_state import Cause
from messages.control import RecordBudgets
from messages.journal import WriteEntry
from messages.lifecycle import Replied
from messages.message import Message
from supervisors.supervisor import ReplaceChild
from tests.engine.scenery import quiet


class Plan(msgspec.Struct, frozen=True):
    """An argument with something that cannot be written down."""

    size: Any


def kinds(below: type) -> Iterator[type]:
    direct: list[type] = below.__subclasses__()
    for each in direct:
        yield each
        yield from kinds(each)


def test_every_message_says_what_it_holds_but_for_recipes_of_actors() -> None:
    for package in (messages, supervisors):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")

    ours = [
        kind
        for kind in kinds(Message)
        if kind.__module__.partition(".")[0] in ("messages", "supervisors", "actors")
    ]

    assert len(ours) > 100
    assert {kind.__name__ for kind in ours if not contents._is_readable(kind)} == {
        "AddChild",
        "ReplaceChild",
    }


def test_a_message_is_read_as_it_was() -> None:
    grants = {"b": Decimal("25.50"), "a": Decimal(0)}
    message = RecordBudgets(session="2016-04-15", grants=grants)

    body = body_of(message)

    assert body is not None
    again = message_of("messages.control", "RecordBudgets", body)
    assert again == message
    assert [str(each) for each in again.grants.values()] == ["25.50", "0"]
    assert list(again.grants) == ["b", "a"]  # an actor may go by their order


def test_what_is_for_the_journal_is_not_written_down_a_second_time() -> None:
    entry = WriteEntry(at=1, event="x", source="y", fields={"error": "of whatever library"})

    body = body_of(entry)

    assert body is not None
    assert message_of("messages.journal", "WriteEntry", body) == structs.replace(entry, fields={})


class Noted:
    """What the port of a session is behind."""

    is_port = True


class Played:
    """And of a replay."""

    is_port = True


def test_a_recipe_is_made_again_of_the_one_that_the_configuration_has() -> None:
    def recipe(port: object, cause: Cause | None, size: int) -> ChildSpec:
        return ChildSpec(
            name="bot", actor=Actor, args={"port": port, "cause": cause, "plan": Plan(size)}
        )

    cause = OPERATOR_HALT.cause(since=1, detail="looks wrong")
    told = ReplaceChild(spec=recipe(Noted(), cause, 5), at_once=True)
    written = recipe_of(told)
    played = Played()

    assert written is not None
    assert (written.name, set(written.values)) == ("bot", {"cause"})
    again = recipe_from(written, recipe(played, structs.replace(cause, since=2), 5))
    assert again.args["cause"] == cause
    assert again.args["port"] is played
    with pytest.raises(NotReadable, match="the recipe of bot is not that of the configuration"):
        recipe_from(written, recipe(played, cause, 6))
    assert recipe_of(Replied(tag="no recipe")) is None


def test_a_table_of_sessions_and_a_zone_are_read_as_they_were() -> None:
    table = quiet().sessions

    assert decoded(encoded(table), type(table)) == table
    assert decoded(encoded(ZoneInfo("America/New_York")), ZoneInfo).key == "America/New_York"


@pytest.mark.parametrize(
    ("module", "name", "body", "why"),
    [
        ("messages.control", "Hlat", b"", "Hlat of messages.control is no message"),
        ("messages.nowhere", "Halt", b"", "No module named"),
        ("os", "system", b"", "system of os is no message"),
        ("messages.control", "Halt", b"\x80", "missing required field"),
    ],
)
def test_what_cannot_be_read_is_said(module: str, name: str, body: bytes, why: str) -> None:
    with pytest.raises(NotReadable, match=why):
        message_of(module, name, body)


def test_a_digest_goes_by_the_content_alone() -> None:
    def replied(text: str) -> Replied:
        return Replied(tag="t", error=text)

    first = RecordBudgets(session="s", grants={"a": Decimal(1), "b": Decimal(2)})
    other_order = RecordBudgets(session="s", grants={"b": Decimal(2), "a": Decimal(1)})
    other_content = RecordBudgets(session="s", grants={"a": Decimal(1), "b": Decimal("2.0")})

    assert digest_of(first) == digest_of(other_order) != digest_of(other_content)
    assert digest_of(replied(f"at {object()}")) == digest_of(replied(f"at {object()}"))
    assert digest_of(replied("at 0")) != digest_of(replied("at 1"))
