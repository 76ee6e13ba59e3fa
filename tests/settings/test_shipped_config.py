"""What is in `config/` when Hydra is unpacked."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from hydra.settings import load_settings
from hydra.settings.guard_sections import BUILT_IN
from hydra.settings.live_section import CLOSED, LiveProfile
from hydra.settings.monitoring_sections import MONITORED
from hydra.settings.recorder_section import RECORDED
from hydra.settings.schema import FILES
from hydra.settings.whole import content_of

HOME = Path(__file__).resolve().parent.parent.parent
SEED = Path(__file__).with_name("seed.txt")


def _flat(content: object, key: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(content, dict) and content:
        for name, value in content.items():
            yield from _flat(value, f"{key}.{name}" if key else name)
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _flat(value, f"{key}[{number}]")
    else:
        yield key, content


def _seed() -> Mapping[str, str]:
    lines = SEED.read_text("utf-8").splitlines()
    return dict(line.split(" = ", 1) for line in lines if not line.startswith("#"))


def _meant(value: str) -> object:
    """A value of the seed, as `content_of` would have it."""
    if value in ("true", "false", "{}"):
        return {"true": True, "false": False, "{}": {}}[value]
    if value.isdigit():
        return value
    if value.replace(".", "", 1).isdigit():
        return value.rstrip("0").rstrip(".")
    return value.removeprefix("./")


def test_the_shipped_configuration_has_every_key_and_value_of_the_seed() -> None:
    shipped = dict(_flat(content_of(load_settings(HOME / "config"))))

    same = {key: shipped.get(key) for key in _seed()}

    assert {key: str(value) for key, value in same.items()} == {
        key: str(_meant(value)) for key, value in _seed().items()
    }


def test_the_shipped_configuration_adds_these_settings_to_the_seed() -> None:
    shipped = dict(_flat(content_of(load_settings(HOME / "config"))))

    added = {key: value for key, value in shipped.items() if key not in _seed()}

    cross = {key: value for key, value in added.items() if key.startswith("momentum_bots[2]")}
    guards = {
        key: value
        for key, value in added.items()
        if key.startswith(("guards.", "monitoring.", "recorder.", "live."))
    }
    # What may be left out, and is not meant by the seed: no mode, bars of one minute, no signals.
    modes = {
        key: value
        for key, value in added.items()
        if key.startswith(("modes.", "signalbot.", "plugin"))
        or key.endswith((".bar_minutes", ".entry_minutes"))
    }
    assert modes["modes.selected"] == "none"
    assert modes["signalbot.enabled"] is False
    known = cross | guards | modes
    assert {key: value for key, value in added.items() if key not in known} == {
        "broker.venue": "embedded",
        "broker.corporate_actions": True,
        "safety.resume": "preflight",
        "risk.max_order_notional_usd": "25000",
        "momentum_bots[0].execution.default_notional_usd": "1000",
        "momentum_bots[0].execution.protective_order": "resting",
        "momentum_bots[0].exits.trailing_stop_pct": "off",
        "momentum_bots[1].execution.default_notional_usd": "1000",
        "momentum_bots[1].execution.protective_order": "resting",
        "momentum_bots[1].exits.trailing_stop_pct": "off",
        "optionsbot.chain_rules.max_spread_pct": "8",
        "optionsbot.chain_rules.min_open_interest": 100,
        "optionsbot.chain_rules.max_quote_age_seconds": 60,
        "optionsbot.execution.default_premium_usd": "500",
        "optionsbot.execution.cancel_unfilled_seconds": 60,
        "optionsbot.signal.mode": "placeholder_options_v1",
        "optionsbot.signal.params": {},
    }
    assert cross["momentum_bots[2].bot_id"] == "mom_AAPL_cross"
    assert cross["momentum_bots[2].ticker"] == "AAPL"
    assert cross["momentum_bots[2].enabled"] is True
    assert cross["momentum_bots[2].signal.mode"] == "moving_average_cross"


def test_the_guards_that_are_shipped_are_those_that_are_built_in() -> None:
    assert load_settings(HOME / "config").guards == BUILT_IN


def test_what_is_measured_as_shipped_is_what_is_built_in() -> None:
    assert load_settings(HOME / "config").monitoring == MONITORED


def test_what_is_recorded_as_shipped_is_what_is_built_in() -> None:
    assert load_settings(HOME / "config").recorder == RECORDED


def test_live_is_shipped_as_it_is_built_in_which_is_closed() -> None:
    assert load_settings(HOME / "config").live == CLOSED
    assert CLOSED.profile is LiveProfile.OFF


def test_after_every_section_that_may_be_left_out_there_is_one_that_may_not_i79() -> None:
    # Else the file with its end cut off would start, on what is built in.
    optional = {
        name
        for _, model in FILES
        for name, field in model.model_fields.items()
        if not field.is_required()
    }

    assert optional == {
        "broker",
        "live",
        "guards",
        "monitoring",
        "recorder",
        "plugins",
        "signalbot",
        "plugin_bots",
        "modes",
    }
    for name in ("settings.yaml", "bots.yaml"):
        shipped = list(yaml.safe_load((HOME / "config" / name).read_text("utf-8")))
        assert shipped[-1] not in optional


def test_the_example_of_the_environment_keeps_the_network_closed_and_holds_no_secret() -> None:
    lines = (HOME / ".env.example").read_text("utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == [
        'ALPACA_KEY="YOUR_KEY"',
        'ALPACA_SECRET="YOUR_SECRET"',
        'ALPACA_PAPER="true"',
        'LIVE_DISABLE_NETWORK="1"',
    ]
