"""The list of controls is closed: nothing that enforces something is in none of them."""

from pathlib import Path

import pytest
from msgspec import structs

from hydra.ops.drill.drills import DRILLS
from hydra.ops.evidence.controls import CONTROLS, Control, limits_in, unlisted
from hydra.ops.evidence.results import known_tests, names_in
from hydra.settings import Settings, load_settings
from hydra.trading.causes import KINDS
from hydra.trading.risk_checks import CHECKS
from tests.docs.invariants import SECTIONS
from tests.ops.sessions import HOME


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(HOME / "config")


def without(what: str, name: str) -> tuple[Control, ...]:
    """The list, with one thing taken out of every control."""
    return tuple(
        structs.replace(
            control, **{what: tuple(each for each in getattr(control, what) if each != name)}
        )
        for control in CONTROLS
    )


def test_every_check_every_cause_and_every_limit_belongs_to_a_control(settings: Settings) -> None:
    assert unlisted(settings) == ()


@pytest.mark.parametrize("check", sorted({check.__name__ for check in CHECKS}))
def test_a_check_that_no_control_names_is_found(check: str, settings: Settings) -> None:
    assert unlisted(settings, without("checks", check)) == (f"check {check}",)


@pytest.mark.parametrize("code", sorted(kind.code for kind in KINDS))
def test_a_cause_that_no_control_names_is_found(code: str, settings: Settings) -> None:
    assert unlisted(settings, without("causes", code)) == (f"cause {code}",)


def test_a_limit_that_no_control_names_is_found(settings: Settings) -> None:
    key = "guards.exposure.max_gross_pct"

    assert unlisted(settings, without("settings", key)) == (f"setting {key}",)
    assert len(list(limits_in(settings))) > 100


def test_every_name_in_the_list_is_of_something_that_there_is(settings: Settings) -> None:
    checks, codes = {check.__name__ for check in CHECKS}, {kind.code for kind in KINDS}
    invariants = {each.id for section in SECTIONS for each in section.invariants}
    drills = {drill.name for drill in DRILLS}

    for control in CONTROLS:
        assert set(control.checks) <= checks, control.name
        assert set(control.causes) <= codes, control.name
        assert set(control.invariants) <= invariants, control.name
        assert set(control.drills) <= drills, control.name
        assert all(Path(HOME / name).is_file() for name in control.tests), control.name
    assert drills == {name for control in CONTROLS for name in control.drills}
    names = [control.name for control in CONTROLS]
    assert sorted(set(names)) == sorted(names)


def test_every_pattern_in_the_list_is_of_a_setting_that_there_is(settings: Settings) -> None:
    from hydra.settings.entries import entries_of

    entries = list(entries_of(settings))
    unused = [
        (control.name, pattern)
        for control in CONTROLS
        for pattern in control.settings
        if not any(structs.replace(control, settings=(pattern,)).rules(e) for e in entries)
    ]

    assert unused == [("allowed symbols", "plugin_bots.symbols")]  # nobody ships with one


def test_every_control_is_shown_by_tests_that_an_installed_program_knows() -> None:
    serving = known_tests()

    lacking = [
        control.name
        for control in CONTROLS
        if not names_in(serving, (*control.invariants, *control.tests))
    ]

    assert lacking == []
