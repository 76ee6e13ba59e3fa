"""The profiles of live: micro only takes away, and what is traded has one name on every venue."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings import Settings, VenueName
from hydra.settings.changes import Effect, changes_between, reload_verdict
from hydra.settings.live_profile import as_on_live, with_entries_closed, within
from hydra.settings.live_section import CLOSED, LiveProfile, MicroLimits
from hydra.settings.section import ResumePolicy
from hydra.settings.whole import content_of
from tests.engine.scenery import settings_with, shipped_settings
from tests.settings.fine import BOTS, ENGINE, load

LIVE_ENGINE = ENGINE.replace("venue: embedded", "venue: live").replace(
    "resume: preflight", "resume: operator"
)
SECTION = """\
live:
  profile: {profile}
  min_clean_sessions: 14
  newest_within_sessions: 5
  paper_ledger: ./paper/trading_state.db
  micro_limits:
    order_notional_usd: 700
    entries_per_day: 3
    notional_per_day_usd: 1500
    daily_loss_pct: 0.3
"""
usd = st.integers(1, 60_000).map(Decimal)
limits = st.builds(
    MicroLimits,
    order_notional_usd=st.integers(1, 2_000).map(Decimal),
    entries_per_day=st.integers(1, 20),
    notional_per_day_usd=st.integers(1, 10_000).map(Decimal),
    daily_loss_pct=st.integers(1, 100).map(lambda hundredths: Decimal(hundredths) / 100),
)


def live(profile: str, folder: Path) -> Settings:
    return load(folder, engine=LIVE_ENGINE + SECTION.format(profile=profile))


@given(limits, usd, usd, st.integers(1, 60))
def test_micro_is_never_looser_than_what_is_configured_and_never_above_its_limits(
    micro: MicroLimits, order: Decimal, day: Decimal, entries: int
) -> None:
    settings = settings_with(
        {
            "risk.max_order_notional_usd": order,
            "guards.pace.max_notional_per_day_usd": day,
            "guards.pace.max_entries_per_day": entries,
        }
    )
    found = within(settings, micro)

    assert {each.effect for each in changes_between(settings, found)} <= {Effect.TIGHTER}
    assert found.risk.max_order_notional_usd <= micro.order_notional_usd
    assert found.risk.global_max_daily_loss_pct <= micro.daily_loss_pct
    assert found.guards.pace.max_entries_per_day <= micro.entries_per_day
    assert found.guards.pace.max_notional_per_day_usd <= micro.notional_per_day_usd
    assert found.guards.pace.max_notional_per_window_usd <= micro.notional_per_day_usd
    assert found.guards.exposure.max_symbol_usd <= micro.notional_per_day_usd
    assert found.guards.exposure.max_bot_usd <= micro.notional_per_day_usd
    wanted = [bot.execution.default_notional_usd for bot in found.momentum_bots]
    wanted += [found.cryptobot.execution.default_notional_usd]
    wanted += [found.optionsbot.execution.default_premium_usd]
    assert max(wanted) <= micro.order_notional_usd
    assert within(found, micro) == found


def test_on_live_the_profile_micro_is_in_force_for_whoever_reads_the_settings(
    tmp_path: Path,
) -> None:
    found, full = live("micro", tmp_path), live("full", tmp_path)

    assert {each.key: each.new for each in changes_between(full, found)} == {
        "live.profile": "micro",
        "risk.global_max_daily_loss_pct": "0.3",
        "risk.max_order_notional_usd": "700",
        "guards.exposure.max_symbol_usd": "1500",
        "guards.exposure.max_bot_usd": "1500",
        "guards.exposure.max_open_risk_pct": "0.3",
        "guards.pace.max_notional_per_window_usd": "1500",
        "guards.pace.max_entries_per_day": "3",
        "guards.pace.max_notional_per_day_usd": "1500",
        **{
            each.key: "700"
            for each in changes_between(full, found)
            if each.key.endswith(("default_notional_usd", "default_premium_usd"))
        },
        "signalbot.limits.max_orders_per_day": "3",
        "signalbot.limits.max_notional_per_day_usd": "1500",
    }


@pytest.mark.parametrize("venue", [VenueName.PAPER, VenueName.EMBEDDED])
@pytest.mark.parametrize("profile", list(LiveProfile))
def test_no_other_venue_heeds_it(venue: VenueName, profile: LiveProfile) -> None:
    settings = settings_with({"broker.venue": venue, "live.profile": profile})

    assert as_on_live(settings) is settings


def test_without_the_section_live_is_closed(tmp_path: Path) -> None:
    assert load(tmp_path, engine=LIVE_ENGINE, bots=BOTS).live == CLOSED


def test_what_is_traded_has_one_name_on_paper_and_on_live() -> None:
    paper = settings_with({"broker.venue": VenueName.PAPER})
    on_live = settings_with({"broker.venue": VenueName.LIVE, "live.profile": LiveProfile.FULL})
    other = settings_with({"safety.resume": ResumePolicy.OPERATOR})

    assert paper.traded_as == on_live.traded_as == shipped_settings().traded_as
    assert paper.digest != on_live.digest
    assert other.traded_as != paper.traded_as


def test_entries_are_closed_by_another_configuration_that_says_so() -> None:
    full = settings_with({"broker.venue": VenueName.LIVE, "live.profile": LiveProfile.FULL})
    closed = with_entries_closed(full)

    assert [str(each) for each in changes_between(full, closed)] == [
        "live.profile: full -> off (tighter)"
    ]
    assert closed.digest != full.digest
    assert content_of(closed.risk) == content_of(full.risk)


def test_another_profile_waits_for_a_restart_also_if_it_is_tighter() -> None:
    full = settings_with({"broker.venue": VenueName.LIVE, "live.profile": LiveProfile.FULL})
    micro = settings_with({"broker.venue": VenueName.LIVE, "live.profile": LiveProfile.MICRO})
    verdict = reload_verdict(changes_between(full, as_on_live(micro)))

    assert not verdict.is_taken
    assert verdict.restart_will_do
    assert not reload_verdict(changes_between(as_on_live(micro), full)).restart_will_do
