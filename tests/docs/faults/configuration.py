"""The configuration is wrong, or changes at a bad moment."""

from tests.docs.faults.catalogue import FaultSection

CONFIGURATION = FaultSection("Configuration", ())
