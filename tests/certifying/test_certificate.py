"""A certificate counts for the very bot that it is about, and otherwise there is none."""

import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.certifying.certificate import (
    FAILED,
    GOOD_FOR,
    PASSED,
    Certificate,
    RuleResult,
    Subject,
    keep,
    path_in,
    read,
    signed,
    subject_of,
    uncertified_bots,
    why_none,
)
from hydra.certifying.rules import RULES
from hydra.plugins import PluginBroken, code_of
from hydra.settings import Settings, SettingsRefused, VenueName, load_settings
from hydra.settings.outside_sections import PluginBotSettings
from tests.certifying.bots import bring_bots
from tests.engine.harness import settings_with
from tests.plugins.brought import bring

HOME = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ABOUT = Subject(
    kind="dip",
    distribution="hydra-dip",
    version="1.0",
    place="hydra_dip.bot:KIND",
    bot_code="11",
    parameters={"dip_pct": 0.5},
    hydra="0.1.0",
    hydra_code="22",
    python="3.11",
)
FINE = signed(
    Certificate(
        subject=ABOUT,
        seed=0,
        scenarios=200,
        rules=tuple(RuleResult(rule=rule, passed=True) for rule in RULES),
        verdict=PASSED,
        at=NOW,
    )
)
BROKEN = signed(
    replace(
        FINE,
        rules=(RuleResult(rule="is_quick", passed=False, scenario=17, what="slow"),),
        verdict=FAILED,
    )
)


def test_a_fine_one_counts_for_what_it_is_about_from_then_on_until_it_is_too_old() -> None:
    assert why_none(FINE, ABOUT, 200, NOW) is None
    assert why_none(FINE, ABOUT, 200, NOW + GOOD_FOR - timedelta(seconds=1)) is None
    assert why_none(FINE, ABOUT, 200, NOW + GOOD_FOR) == (
        "found a certificate of 2026-11-20, wanted one of the last 90 days"
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (BROKEN, "found that it has failed: is_quick (scenario 17): slow"),
        (signed(replace(FINE, verdict=FAILED)), "found that it has failed"),
        (replace(FINE, scenarios=300), "found a certificate that was edited"),
        (signed(replace(FINE, format=2)), "found a certificate of format 2, wanted 1"),
        (signed(replace(FINE, rules=FINE.rules[1:])), "found a certificate of other rules"),
        (signed(replace(FINE, rules=())), "found a certificate of other rules"),
        (
            signed(replace(FINE, scenarios=199)),
            "found a certificate of 199 scenarios, wanted 200",
        ),
        (
            signed(replace(FINE, at=NOW + timedelta(minutes=1))),
            "found a certificate of 2026-11-20, which is to come",
        ),
        (
            signed(replace(FINE, at=NOW.replace(tzinfo=None))),
            "found a certificate without an offset in its date, wanted UTC",
        ),
    ],
)
def test_each_fault_of_it_is_named(found: Certificate, why: str) -> None:
    assert why_none(found, ABOUT, 200, NOW) == why


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"kind": "rise"}, "bots: dip of hydra-dip (hydra_dip.bot:KIND)"),
        ({"bot_code": "12", "version": "1.1"}, "code: 1.0 (11), and this is 1.1 (12)"),
        ({"parameters": {"dip_pct": 0.6}}, "parameters"),
        (
            {"hydra": "0.2.0", "hydra_code": "23"},
            "engines: Hydra 0.1.0 (22), and this is 0.2.0 (23)",
        ),
        ({"python": "3.12"}, "Pythons: 3.11, and this is 3.12"),
    ],
)
def test_it_counts_for_nothing_else(other: dict[str, object], why: str) -> None:
    wanted = replace(ABOUT, **other)

    assert why_none(FINE, wanted, 200, NOW) == f"found a certificate of other {why}"


@given(place=st.integers(0), bit=st.integers(0, 7))
def test_whatever_bit_of_the_file_is_another_there_is_no_certificate_or_the_same(
    place: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("edited") / "certificate.json"
    content = bytearray(msgspec.json.format(msgspec.json.encode(FINE)))
    content[place % len(content)] ^= 1 << bit
    path.write_bytes(content)

    found = read(path)

    assert isinstance(found, str) or found == FINE or why_none(found, ABOUT, 200, NOW)


def test_a_quick_look_that_passes_does_not_take_the_place_of_a_better_one(tmp_path: Path) -> None:
    quick = signed(replace(FINE, scenarios=60))

    assert keep(tmp_path, FINE, NOW)
    assert not keep(tmp_path, quick, NOW)
    assert read(path_in(tmp_path, ABOUT)) == FINE
    assert keep(tmp_path, BROKEN, NOW)  # what is known to be wrong always counts
    assert keep(tmp_path, quick, NOW)
    assert read(path_in(tmp_path, ABOUT)) == quick


def bot(**changes: object) -> PluginBotSettings:
    content = {
        "bot_id": "dip",
        "enabled": True,
        "kind": "fine",
        "bucket": "momentum",
        "symbols": ("AAPL",),
        "session": {"trade_start": "06:35", "trade_end": "12:00", "manage_until": "12:50"},
        "execution": {"default_notional_usd": Decimal(500)},
        "params": MappingProxyType({}),
    }
    return PluginBotSettings.model_validate({**content, **changes})


def on(venue: VenueName, *bots: PluginBotSettings) -> Settings:
    settings = settings_with({"plugin_bots": bots})
    broker = settings.broker.model_copy(update={"venue": venue})
    return settings.model_copy(update={"broker": broker})


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bots are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    bring_bots(folder, monkeypatch)
    return folder


def certified(folder: Path, scenarios: int = 200, **parameters: object) -> None:
    about = subject_of("fine", parameters)
    keep(folder, signed(replace(FINE, subject=about, scenarios=scenarios)), NOW)


def test_on_paper_and_live_a_bot_needs_one_and_on_the_embedded_venue_none(
    code: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "certificates"
    why = "found no certificate; run `hydra-trader certify fine`, then start again"

    def missing() -> list[dict[str, str]]:
        return [uncertified_bots(on(venue, bot()), folder, NOW) for venue in VenueName]

    assert missing() == [{}, {"dip": why}, {"dip": why}]
    certified(folder, scenarios=60)
    few = "found a certificate of 60 scenarios, wanted 200"
    assert missing() == [
        {},
        {},
        {"dip": f"{few}; run `hydra-trader certify fine`, then start again"},
    ]
    certified(folder)
    assert missing() == [{}, {}, {}]


def with_switch(folder: Path, switch: str) -> Path:
    config = shutil.copytree(HOME / "config", folder / "config")
    path = config / "settings.yaml"
    section = f"plugins:\n  risk_checks: []\n  require_certificate: {switch}\n\nhealth:"
    path.write_text(path.read_text().replace("health:", section, 1))
    return config


@pytest.mark.parametrize("venue", [VenueName.EMBEDDED, VenueName.PAPER])
def test_whoever_says_so_needs_none_but_on_live(venue: VenueName, tmp_path: Path) -> None:
    config = with_switch(tmp_path, "false")
    assert load_settings(HOME / "config").plugins.require_certificate

    assert not load_settings(config, venue=venue).plugins.require_certificate
    # Of the rest that live wants otherwise than it is shipped nothing is said here.
    with pytest.raises(SettingsRefused) as refused:
        load_settings(config, venue=VenueName.LIVE)
    assert "plugins.require_certificate: found false, wanted true; on live a bot needs" in str(
        refused.value
    )


def test_each_set_of_parameters_needs_its_own_and_defaults_are_parameters(
    code: Path, tmp_path: Path
) -> None:
    certified(tmp_path, dip_pct=0.5)  # which is what it is by itself
    other = bot(bot_id="deep", params=MappingProxyType({"dip_pct": 2.0}))
    off = bot(bot_id="off", enabled=False, params=MappingProxyType({"dip_pct": 3.0}))

    missing = uncertified_bots(on(VenueName.PAPER, bot(), other, off), tmp_path, NOW)

    assert list(missing) == ["deep"]


def _change_code(code: Path) -> None:
    path = code / "some_bots.py"
    path.write_text(path.read_text() + "\n# another line\n")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_change_code, "found a certificate of other code: 1.0 ("),
        (
            lambda code: (code / "some_bots.py").unlink(),
            "what it is cannot be told: some_bots:FINE: found no files of some_bots",
        ),
    ],
)
def test_other_code_is_another_bot(
    change: Callable[[Path], None], why: str, code: Path, tmp_path: Path
) -> None:
    certified(tmp_path)
    settings = on(VenueName.LIVE, bot())
    assert uncertified_bots(settings, tmp_path, NOW) == {}

    change(code)

    assert uncertified_bots(settings, tmp_path, NOW)["dip"].startswith(why)


def test_what_cannot_be_read_is_none(code: Path, tmp_path: Path) -> None:
    certified(tmp_path)
    path = path_in(tmp_path, subject_of("fine", {}))
    settings = on(VenueName.PAPER, bot())

    for content in (b"", b"{}", b"null", b"\xff", path.read_bytes()[:-9], b"[" * 100_000):
        path.write_bytes(content)
        assert "is no certificate" in uncertified_bots(settings, tmp_path, NOW)["dip"]
    path.unlink()
    path.mkdir()
    assert "cannot be read" in uncertified_bots(settings, tmp_path, NOW)["dip"]


def test_the_code_of_a_package_is_every_file_of_it_but_what_python_leaves_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(tmp_path, "packed", "", {"hydra.bots": {"packed": "packed.bot:KIND"}})
    (tmp_path / "packed.py").unlink()
    package = tmp_path / "packed"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "deep" / "weights.bin").write_bytes(b"1")
    monkeypatch.syspath_prepend(tmp_path)
    before = code_of("packed")

    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "bot.pyc").write_bytes(b"compiled")
    assert code_of("packed") == before
    (package / "deep" / "weights.bin").write_bytes(b"2")
    assert code_of("packed") != before
    assert "packed" not in sys.modules
    with pytest.raises(PluginBroken, match="found unpacked, no such kind of bot"):
        code_of("unpacked")
