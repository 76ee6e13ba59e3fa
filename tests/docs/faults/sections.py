"""Every fault of the catalogue, in its order."""

from tests.docs.faults.actors_and_load import ACTORS_AND_LOAD
from tests.docs.faults.broker_requests import BROKER_REQUESTS
from tests.docs.faults.catalogue import FaultSection
from tests.docs.faults.configuration import CONFIGURATION
from tests.docs.faults.deployment import DEPLOYMENT
from tests.docs.faults.journal import JOURNAL
from tests.docs.faults.kill_switch_and_operator import KILL_SWITCH_AND_OPERATOR
from tests.docs.faults.ledger_and_disk import LEDGER_AND_DISK
from tests.docs.faults.market_data import MARKET_DATA
from tests.docs.faults.outside_surface import OUTSIDE_SURFACE
from tests.docs.faults.process_death import PROCESS_DEATH
from tests.docs.faults.time_and_calendar import TIME_AND_CALENDAR
from tests.docs.faults.trade_updates import TRADE_UPDATES

FAULT_SECTIONS: tuple[FaultSection, ...] = (
    PROCESS_DEATH,
    LEDGER_AND_DISK,
    JOURNAL,
    BROKER_REQUESTS,
    TRADE_UPDATES,
    MARKET_DATA,
    TIME_AND_CALENDAR,
    CONFIGURATION,
    KILL_SWITCH_AND_OPERATOR,
    ACTORS_AND_LOAD,
    DEPLOYMENT,
    OUTSIDE_SURFACE,
)
