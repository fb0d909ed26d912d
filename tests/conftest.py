"""What all tests share."""

from collections.abc import Iterator

import pytest

# Before the harness puts a `custom_components` of its own on the path.
from custom_components.new_api.const import DOMAIN

assert DOMAIN


@pytest.fixture
def integration_found(enable_custom_integrations: None) -> Iterator[None]:
    """Let Home Assistant find the integration."""
    return
