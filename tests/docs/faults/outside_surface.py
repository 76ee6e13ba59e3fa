"""The dashboard, the debug socket, secrets and what we depend on."""

from tests.docs.faults.catalogue import FaultSection

OUTSIDE_SURFACE = FaultSection("What others can reach", ())
