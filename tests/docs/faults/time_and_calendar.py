"""Clocks and calendars are wrong."""

from tests.docs.faults.catalogue import FaultSection

TIME_AND_CALENDAR = FaultSection("Time and calendar", ())
