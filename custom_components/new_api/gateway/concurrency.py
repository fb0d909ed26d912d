"""How the requests of a question run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final

from .errors import CannotConnectError, GatewayError

QUESTION_TIMEOUT: Final = 30.0
"""For all the requests of one question together, in seconds."""


@asynccontextmanager
async def question() -> AsyncIterator[None]:
    """Bound the time of all requests of one question together."""
    try:
        async with asyncio.timeout(QUESTION_TIMEOUT):
            yield
    except TimeoutError:
        raise CannotConnectError(
            f"The site did not answer within {QUESTION_TIMEOUT:.0f} seconds"
        ) from None


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
