"""The process dies, at any moment and in any way."""

from tests.docs.faults.catalogue import FaultSection

PROCESS_DEATH = FaultSection("The process dies", ())
