"""Tests of the kernel leave nothing behind."""

from tests.kernel_fixtures import log, registry_is_left_empty

__all__ = ["log", "registry_is_left_empty"]
