"""The kill file and the operator's commands, at bad moments."""

from tests.docs.faults.catalogue import FaultSection

KILL_SWITCH_AND_OPERATOR = FaultSection("The kill switch and the operator", ())
