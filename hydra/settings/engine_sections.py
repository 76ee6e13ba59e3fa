"""`settings.yaml`: the machine, the loop, safety, the venue, the account's limits, the guards."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ValidationInfo, field_validator

from hydra.settings.guard_sections import BUILT_IN, GuardSettings
from hydra.settings.kinds import Choice, FilePath, Switch, TimeZone, WholeNumber
from hydra.settings.live_section import CLOSED, LiveSettings
from hydra.settings.monitoring_sections import MONITORED, MonitoringSettings
from hydra.settings.outside_sections import NO_PLUGINS, PluginSettings
from hydra.settings.recorder_section import RECORDED, RecorderSettings
from hydra.settings.safer import Safer
from hydra.settings.section import (
    Minutes,
    OnOff,
    ResumePolicy,
    Section,
    Usd,
    VenueName,
    percent_of,
    surroundings,
)


class SystemSettings(Section):
    """The machine's side: the zone of all configured times, and where the files are."""

    timezone: Annotated[str, TimeZone(), Safer.NEITHER]
    log_path: Annotated[Path, FilePath(), Safer.NEITHER]
    state_db_path: Annotated[Path, FilePath(), Safer.NEITHER]

    @field_validator("state_db_path")
    @classmethod
    def _is_a_file_of_its_own(cls, path: Path, info: ValidationInfo) -> Path:
        if path == info.data.get("log_path"):
            raise ValueError(f"found '{path}', which is log_path too; wanted a file of its own")
        return path


class RunnerSettings(Section):
    """The engine's loop, in which every enabled bot runs once."""

    loop_interval_seconds: Annotated[int, WholeNumber(1, 300, "seconds"), Safer.NEITHER]


class SafetySettings(Section):
    """What happens when something is wrong, and how a limit halt ends."""

    fail_closed: Annotated[Literal[True], Switch(), Safer.ON]
    allow_budget_fallback: Annotated[OnOff, Safer.OFF]
    global_cooldown_minutes: Annotated[Minutes, Safer.HIGHER]
    resume: Annotated[ResumePolicy, Choice(tuple(ResumePolicy)), Safer.LAST]

    @field_validator("fail_closed")
    @classmethod
    def _stays_closed(cls, value: bool) -> bool:
        if not value:
            raise ValueError("found false, wanted true; Hydra always fails closed")
        return value

    @field_validator("allow_budget_fallback")
    @classmethod
    def _needs_a_budget_on_live(cls, value: bool, info: ValidationInfo) -> bool:
        if value and surroundings(info).venue is VenueName.LIVE:
            raise ValueError("found true, wanted false; no trade without a budget on live")
        return value

    @field_validator("resume")
    @classmethod
    def _needs_a_person_on_live(cls, value: ResumePolicy, info: ValidationInfo) -> ResumePolicy:
        if value is not ResumePolicy.OPERATOR and surroundings(info).venue is VenueName.LIVE:
            raise ValueError(f"found '{value.value}', wanted operator; on live a person resumes")
        return value


class BrokerSettings(Section):
    """Where the orders go, unless the command line says otherwise."""

    venue: Annotated[VenueName, Choice(tuple(VenueName)), Safer.NEITHER]
    # A default, because it is safer: keys that may not read them enter no share at all with it.
    corporate_actions: Annotated[OnOff, Safer.ON] = True


class RiskSettings(Section):
    """The limits of the whole account, over all bots."""

    global_max_daily_loss_pct: Annotated[Decimal, percent_of("the account's equity"), Safer.LOWER]
    max_orders_per_minute: Annotated[int, WholeNumber(1, 100, "entries a minute"), Safer.LOWER]
    max_order_notional_usd: Annotated[Usd, Safer.LOWER]


class HealthSettings(Section):
    """When prices count as stale, and when the broker counts as failing."""

    max_price_staleness_seconds: Annotated[int, WholeNumber(1, 3600, "seconds"), Safer.LOWER]
    max_api_failures_in_window: Annotated[int, WholeNumber(1, 1000, "failed calls"), Safer.LOWER]
    # Longer is safer: more failures fall within it, so the broker counts as failing sooner.
    api_failure_window_seconds: Annotated[int, WholeNumber(1, 3600, "seconds"), Safer.HIGHER]


class EngineSections(Section):
    """`settings.yaml`."""

    system: SystemSettings
    runner: RunnerSettings
    safety: SafetySettings
    # A default, because the embedded venue has no money to lose.
    broker: BrokerSettings = BrokerSettings(venue=VenueName.EMBEDDED)
    # A default, because what is built in keeps live closed.
    live: LiveSettings = CLOSED
    risk: RiskSettings
    # A default, because what is built in is a limit too.
    guards: GuardSettings = BUILT_IN
    # A default, because what is built in watches over everything too.
    monitoring: MonitoringSettings = MONITORED
    # A default, because what is built in records everything too.
    recorder: RecorderSettings = RECORDED
    plugins: PluginSettings = NO_PLUGINS
    health: HealthSettings
