"""The long run itself, which scripts/soak starts."""

from collections.abc import Iterator
import logging
import os
from typing import Any, Final, override

import pytest

from homeassistant.helpers.storage import Store
from tests.home import Home

from .growth import Sample, growth, held, table
from .street import Street

_POLLS: Final = int(os.environ.get("NEW_API_SOAK_POLLS", "10000"))
# Until everything has happened once that can.
_WARM_UP: Final = 500 + _POLLS // 10
_QUARTERS: Final = ("start", "quarter", "half", "three quarters", "end")

# What may be said loudly: that a site does not answer as it should, once.
_ALLOWED: Final = ("Error fetching ", "Config entry '", "Executing <", "We found a ")


class Log(logging.Handler):
    """Counts what the integration says, and keeps what it should not."""

    def __init__(self, home: Home) -> None:
        """Start with nothing said."""
        super().__init__(logging.DEBUG)
        self.lines = 0
        self.complaints: list[str] = []
        self._home = home

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("custom_components.", "homeassistant")):
            return
        text = record.getMessage()
        if record.name.startswith("custom_components.new_api"):
            self.lines += record.levelno >= logging.INFO
        is_loud = record.levelno >= logging.WARNING
        if is_loud and (record.exc_info or not text.startswith(_ALLOWED)):
            self.complaints.append(text)
        if any(secret in text for secret in self._home.secrets):
            self.complaints.append(f"{record.name} tells a secret")


@pytest.fixture
def log(home: Home) -> Iterator[Log]:
    """Listen to all that is logged."""
    log = Log(home)
    logging.getLogger().addHandler(log)
    yield log
    logging.getLogger().removeHandler(log)


class Harness:
    """Forgets what pytest and the harness keep of every poll, for nobody to see."""

    def __init__(self, caplog: pytest.LogCaptureFixture, config: pytest.Config) -> None:
        """Take what keeps the log, for the test and for pytest's own report."""
        plugin: Any = config.pluginmanager.get_plugin("logging-plugin")
        self._logs = (caplog, plugin.report_handler)
        store: Any = Store
        # Mocks, which keep all that was ever stored.
        self._stores = (store._async_load, store._async_write_data, store.async_remove)

    def forget(self) -> None:
        """Forget."""
        for log in self._logs:
            log.clear()
        for mock in self._stores:
            mock.reset_mock()


async def test_soak(
    home: Home,
    log: Log,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    """Nothing grows, no figure is wrong in the end, and nobody complains."""
    harness = Harness(caplog, request.config)
    street = Street(home)
    samples: list[tuple[str, Sample]] = []
    began = os.times().elapsed

    async def live(polls: int) -> None:
        while street.polls < polls:
            before = street.polls
            await street.live()
            # It polls less while a site wants to be left alone, but not for long.
            assert street.polls > before, "Nobody polls any more"
            harness.forget()

    await street.move_in()
    await live(_WARM_UP)
    first = street.polls
    # To look around for the first time leaves traces, too.
    held(home.hass)
    for number, name in enumerate(_QUARTERS):
        await live(first + _POLLS * number // 4)
        assert await street.recover() == []
        harness.forget()
        sample = Sample.take(
            home.hass,
            polls=street.polls,
            requests=street.requests,
            log_lines=log.lines,
        )
        samples.append((name, sample))
    with capsys.disabled():
        print(f"\n{table(samples)}")  # noqa: T201 - a program prints
        seconds = os.times().elapsed - began
        print(f"{seconds:.0f} s; in the end all figures are right.")  # noqa: T201 - as above
    assert log.complaints == []
    if grown := growth(samples[0][1], samples[-1][1]):
        pytest.fail("\n".join(grown), pytrace=False)
