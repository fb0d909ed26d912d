"""Waits for what goes on where a site may not answer at all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from tests.home import Home

# After so many turns of the loop without a request, all wait for time to pass.
_QUIET: Final = 3_000
_TIMEOUT: Final = timedelta(seconds=16)


async def finish(home: Home, work: Awaitable[object], asked: Callable[[], int]) -> None:
    """Wait for something, letting time pass while sites leave it without an answer.

    `asked` counts the requests up to now.
    """
    task = asyncio.ensure_future(work)
    while True:
        quiet, before = 0, -1
        while quiet < _QUIET and not task.done():
            await asyncio.sleep(0)
            quiet, before = (
                (quiet + 1, before) if before == (now := asked()) else (0, now)
            )
        if task.done():
            break
        home.tick(_TIMEOUT)
    await task
