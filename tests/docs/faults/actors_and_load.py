"""Actors fail or hang, and there is too much of everything."""

from tests.docs.faults.catalogue import FaultSection

ACTORS_AND_LOAD = FaultSection("Actors and load", ())
