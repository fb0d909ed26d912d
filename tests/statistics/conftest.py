"""What all tests of statistics share."""

from typing import Any

import pytest

from homeassistant.components.recorder import core
from homeassistant.components.recorder.tasks import ImportStatisticsTask
from tests.home import Home, Site

from .graphs import Graphs


@pytest.fixture
async def graphs(recording: None, home: Home, site: Site) -> Graphs:
    """Give an account in a Home Assistant that keeps statistics."""
    # Nobody else writes any.
    entry = await home.add(site, user="wang", statistics=False)
    return Graphs(home.hass, entry)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what the recorder is asked to do; the writing of rows as `write`."""
    jobs: list[str] = []
    queue_task = core.Recorder.queue_task

    def noted(recorder: core.Recorder, task: Any) -> None:
        is_write = isinstance(task, ImportStatisticsTask)
        jobs.append("write" if is_write else type(task).__name__)
        queue_task(recorder, task)

    monkeypatch.setattr(core.Recorder, "queue_task", noted)
    return jobs
