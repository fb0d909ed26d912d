"""How the requests of a question run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final

from .errors import CannotConnectError, GatewayError

REQUEST_TIMEOUT: Final = 15.0
"""For one request, from the moment that the budget lets it go, in seconds."""

QUESTION_TIMEOUT: Final = 120.0
"""For all the requests of one question, with their waiting for each other."""


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Bound the time for an answer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        pass
    else:
        return
    raise CannotConnectError(f"The site did not answer within {seconds:.0f} seconds")


async def at_once[T](*requests: Awaitable[T]) -> list[T]:
    """Run requests that do not need each other, and raise the first one's error.

    When one fails, the others are cancelled: their question has no answer any more.
    """

    async def run(request: Awaitable[T]) -> T:
        return await request

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(request)) for request in requests]
    except* GatewayError as errors:
        failure = errors.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise failure
