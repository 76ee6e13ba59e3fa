"""Tests of the kernel leave nothing behind."""

from tests.kernel_fixtures import registry_is_left_empty

__all__ = ["registry_is_left_empty"]
