"""A real Home Assistant: its configuration directory, its process and its log."""

import asyncio
from contextlib import suppress
import fcntl
import json
import os
from pathlib import Path
import shutil
import signal
import socket
from typing import Any, Final, Self

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from .log import Log

REPOSITORY: Final = Path(__file__).resolve().parents[2]
INTEGRATION: Final = "new_api"
LOOPBACK: Final = "127.0.0.1"

# A first start also compiles all of Home Assistant: a while on a busy machine.
_START_TIMEOUT: Final = 180
_STOP_TIMEOUT: Final = 30
_POLL_INTERVAL: Final = 0.1

# It leaves the second half of a restart to whoever started it.
_RESTART_STATUS: Final = 100

_MADE_HERE: Final = "# Made by tests/real; what is in here may be removed.\n"
_CONFIGURATION: Final = f"""\
{_MADE_HERE}\
frontend:
config:
history:
logbook:
recorder:
  commit_interval: 0
logger:
  default: info
  logs:
    custom_components.{INTEGRATION}: {{level}}
"""

# What would ask the network by itself, as storage files by key, version and content.
_LEFT_OUT: Final = (
    # The Marketplace, which fetches its catalogue.
    (
        "core.config_entries",
        1,
        {
            "entries": [
                {
                    "data": {},
                    "disabled_by": "user",
                    "domain": "marketplace",
                    "entry_id": "marketplace",
                    "source": "system",
                    "title": "Marketplace",
                    "version": 1,
                }
            ]
        },
    ),
    # Other interfaces than that of loopback, on which it looks for devices.
    ("core.network", 1, {"configured_adapters": ["lo", "lo0"]}),
    # The step of the onboarding that brings the weather, the radio and a voice.
    ("onboarding", 4, {"done": ["core_config"]}),
)


class HomeAssistantFailedError(Exception):
    """Home Assistant did not start, or stopped by itself."""


def free_port(preferred: int | None = None) -> int:
    """Return a port that nobody listens on: the preferred one, if possible."""
    if preferred is not None:
        with suppress(OSError):
            return _bound_port(preferred)
    return _bound_port(0)


def _bound_port(port: int) -> int:
    with socket.socket() as probe:
        # Without this, a port counts as taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        bound: int = probe.getsockname()[1]
        return bound


class HomeAssistant:
    """One `hass` process on loopback and the directory that it lives in.

    The directory outlives the process: `restart` goes on where it stopped, as does
    another object made for the same directory.
    """

    def __init__(
        self, directory: Path, *, port: int | None = None, debug: bool = False
    ) -> None:
        """Remember what to start; with `debug` the integration tells all it does."""
        self.directory = directory.absolute()
        self.log = Log(self.directory / "console.log")
        self._port = free_port() if port is None else port
        self._debug = debug
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> URL:
        """Return the address at which a person or a client finds it."""
        return URL.build(scheme="http", host=LOOPBACK, port=self._port)

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.stop()

    def forget(self) -> None:
        """Remove the directory; nothing that is in use or was not made here."""
        if not self.directory.exists():
            return
        configuration = self.directory / "configuration.yaml"
        if not configuration.exists() or not configuration.read_text().startswith(
            _MADE_HERE
        ):
            raise HomeAssistantFailedError(f"{self.directory} was not made here")
        self._require_unused()
        shutil.rmtree(self.directory)

    async def start(self) -> None:
        """Start the process and wait until it answers."""
        self._prepare()
        with self.log.path.open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                _python(),
                "-m",
                "homeassistant",
                "--config",
                str(self.directory),
                "--log-no-color",
                # All that it needs is installed beforehand.
                "--skip-pip",
                env=_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                # Ctrl-C in a terminal is for whoever started this, who then stops it.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                await self._wait_until_it_answers(self._process)
        except TimeoutError:
            await self.stop()
            raise self._failure(f"did not answer in {_START_TIMEOUT} s") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the process as a service manager does, so that it saves everything."""
        if (process := self._process) is None:
            return
        try:
            with suppress(ProcessLookupError):
                process.terminate()
            async with asyncio.timeout(_STOP_TIMEOUT):
                await process.wait()
        except TimeoutError:
            raise self._failure(f"did not stop in {_STOP_TIMEOUT} s") from None
        finally:
            await self.kill()

    async def kill(self) -> None:
        """Kill the process, if it still runs; it saves nothing more."""
        if (process := self._process) is None:
            return
        self._process = None
        if process.returncode is None:
            with suppress(ProcessLookupError):
                # Its children, if any, are of the same group.
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def restart(self) -> None:
        """Stop it and start it again with the same directory and address."""
        await self.stop()
        await self.start()

    async def wait(self) -> None:
        """Wait until it ends without having been asked to; go along with restarts."""
        while self._process is not None:
            status = await self._process.wait()
            if status != _RESTART_STATUS:
                raise self._failure(f"stopped with status {status}")
            await self.start()

    @property
    def storage(self) -> Path:
        """Return the folder in which it keeps what it has to remember."""
        return self.directory / ".storage"

    def _prepare(self) -> None:
        """Lay the configuration out, or refresh what is ours in an existing one."""
        self.storage.mkdir(parents=True, exist_ok=True)
        self._require_unused()
        (self.directory / "configuration.yaml").write_text(
            _CONFIGURATION.format(level="debug" if self._debug else "info")
        )
        # In YAML this would be a trial of five minutes. A file of the first version
        # will do: Home Assistant fills in the rest.
        self._store("http", {"server_host": [LOOPBACK], "server_port": self._port})
        for key, version, data in _LEFT_OUT:
            if not (self.storage / key).exists():
                self._store(key, data, version)
        self._link_the_integration()

    def _require_unused(self) -> None:
        """Try the lock that Home Assistant takes at its start."""
        with (self.directory / ".ha_run.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeAssistantFailedError(
                    f"the Home Assistant in {self.directory} still runs"
                ) from None

    def _store(self, key: str, data: dict[str, Any], version: int = 1) -> None:
        (self.storage / key).write_text(
            json.dumps(
                {"version": version, "minor_version": 1, "key": key, "data": data}
            )
        )

    def _link_the_integration(self) -> None:
        source = REPOSITORY / "custom_components" / INTEGRATION
        link = self.directory / "custom_components" / INTEGRATION
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(source, target_is_directory=True)

    async def _wait_until_it_answers(self, process: asyncio.subprocess.Process) -> None:
        async with ClientSession(timeout=ClientTimeout(total=5)) as session:
            while True:
                if process.returncode is not None:
                    raise self._failure(f"stopped with status {process.returncode}")
                with suppress(ClientError, TimeoutError):
                    async with session.get(self.url / "manifest.json") as response:
                        if response.ok:
                            return
                await asyncio.sleep(_POLL_INTERVAL)

    def _failure(self, what: str) -> HomeAssistantFailedError:
        return HomeAssistantFailedError(f"Home Assistant {what}:\n{self.log.tail()}")


def _environment() -> dict[str, str]:
    """Return what it finds in its environment."""
    environment = {**os.environ}
    # To compile all of itself at each start takes longer than the rest of the start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _python() -> str:
    """Return the interpreter of the environment that has the newest Home Assistant."""
    named = os.environ.get("NEW_API_HASS_PYTHON")
    python = Path(named) if named else REPOSITORY / ".venv-hass/bin/python"
    if not python.exists():
        raise HomeAssistantFailedError(
            f"{python} is missing: scripts/setup makes it, or name another in"
            " NEW_API_HASS_PYTHON"
        )
    return str(python)
