"""Replays a recording at the time at which it was recorded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from unittest.mock import patch

from tests.recordings import Recording
from tests.recordings.replay import Replay, replaying


@asynccontextmanager
async def replaying_then(recording: Recording) -> AsyncIterator[Replay]:
    """Serve `recording`; its server says that time, as it did then."""
    then = datetime.fromtimestamp(recording.recorded_at, UTC)
    says = format_datetime(then, usegmt=True)
    with patch("aiohttp.web_response.rfc822_formatted_time", return_value=says):
        async with replaying(recording) as replay:
            yield replay
