"""Whatever happens in a household, what is shown of it is so."""

from collections.abc import Iterable
import os
from random import Random
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.new_api.coordinator import base
from tests.home import Home

from .life import Life

_ASKED_FOR: Final = os.environ.get("NEW_API_LIVES_SEEDS", "")
# How many kinds of things happen in some lives, of 23 that there are.
_CHOSEN: Final = {16: 0, 28: 0, 3: 21, 7: 19, 13: 23, 17: 20, 22: 22}
_ENOUGH: Final = 150


def _seeds() -> Iterable[int]:
    """Return which lives are lived, such as `7` or `1-50`."""
    first, _, last = _ASKED_FOR.partition("-")
    return range(int(first), int(last or first) + 1) if first else _CHOSEN


@pytest.mark.parametrize("seed", _seeds())
async def test_life(
    seed: int,
    home: Home,
    hass_storage: dict[str, Any],
    clock: FrozenDateTimeFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is claimed that is not so, in whatever life."""
    # When the integration asks must not depend on who else has drawn a number.
    monkeypatch.setattr(base, "uniform", Random(seed).uniform)
    # Every fourth life is a calm one.
    life = Life(home, hass_storage, clock, seed, is_calm=seed % 4 == 0)
    await life.live()
    comparison = life.comparison
    compared = comparison.made
    if _ASKED_FOR:
        about = [f"{times} {how}" for how, times in compared.items()]
        with capsys.disabled():
            print(f"\n{seed}: {life.server}, {', '.join(about)}")  # noqa: T201 - a program prints
    if comparison.differences:
        pytest.fail(str(life), pytrace=False)
    assert compared.total() - compared["unknown"] >= _ENOUGH, str(life)
    if not _ASKED_FOR:
        assert len(life.happened) == _CHOSEN[seed], life.happened
