"""The long run in short, and that it would notice."""

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from collections import Counter
from dataclasses import replace
import os
from pathlib import Path
from typing import Any, Final

import pytest

from .growth import Sample, growth

_SOAK: Final = Path(__file__).resolve().parents[2] / "scripts/soak"
_POLLS: Final = 200
_WITHIN: Final = 180

BEFORE: Final = Sample(
    polls=1_000,
    requests=4_000,
    log_lines=100,
    held={"Tasks": 1, "Sockets": 8, "Coordinators": 19},
    resident_kib=200_000,
    blocks=1_000_000,
    types=Counter({"builtins.dict": 20_000}),
)


async def test_some_hundred_polls() -> None:
    """Five entries are polled, with accidents, and nothing is left of it."""
    process = await asyncio.create_subprocess_exec(
        _SOAK, str(_POLLS), stdout=PIPE, stderr=STDOUT, env={**os.environ}
    )
    try:
        async with asyncio.timeout(_WITHIN):
            output = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output
    polls = next(line.split() for line in output.splitlines() if "Polls" in line)
    start, *_, end = (int(each.replace(",", "")) for each in polls[1:])
    assert end - start >= _POLLS, output


def test_nothing_has_grown() -> None:
    """More polls alone are no growth, and neither is their log."""
    after = replace(BEFORE, polls=2_000, requests=8_000, log_lines=200)
    assert growth(BEFORE, after) == []


@pytest.mark.parametrize(
    ("grown", "said"),
    [
        ({"held": {**BEFORE.held, "Tasks": 2}}, "Tasks: 1 -> 2"),
        ({"held": {**BEFORE.held, "Sockets": 9}}, "Sockets: 8 -> 9"),
        ({"held": {**BEFORE.held, "Coordinators": 38}}, "Coordinators: 19 -> 38"),
        ({"resident_kib": 220_000}, "Resident memory in KiB: 200000 -> 220000"),
        ({"blocks": 1_020_000}, "Blocks of memory: 1000000 -> 1020000"),
        ({"log_lines": 1_000}, "Log lines: 100 -> 1000"),
        (
            {"types": Counter({"builtins.dict": 20_000, "aiohttp.Leak": 6_000})},
            "+6000 aiohttp.Leak",
        ),
    ],
)
def test_growth_is_noticed(grown: dict[str, Any], said: str) -> None:
    """Whatever grows is named."""
    after = replace(BEFORE, **{"polls": 2_000, "log_lines": 200} | grown)
    assert said in "\n".join(growth(BEFORE, after))
