"""What a newcomer starts first: scripts/develop."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
import re
import signal
import socket

import pytest
from yarl import URL

from .client import Client
from .home_assistant import (
    LOOPBACK,
    REPOSITORY,
    HomeAssistant,
    HomeAssistantFailedError,
)
from .integration import FIGURES, SPENDING

WITHIN = 120

pytestmark = pytest.mark.real


@asynccontextmanager
async def develop(directory: Path, *options: str) -> AsyncIterator[Process]:
    """Run scripts/develop, and kill it where a test has not stopped it."""
    process = await asyncio.create_subprocess_exec(
        REPOSITORY / "scripts/develop",
        "--directory",
        directory,
        *options,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def output(process: Process, last: str) -> str:
    """Return what is printed up to the line that begins with `last`."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(WITHIN):
        while not (lines and lines[-1].startswith(last)):
            line = await process.stdout.readline()
            assert line, "".join(lines)
            lines.append(line.decode())
    return "".join(lines)


async def stopped(process: Process, number: signal.Signals) -> tuple[int, str]:
    """Stop it as a person or a machine would; return its status and last words."""
    assert process.stdout is not None
    process.send_signal(number)
    async with asyncio.timeout(WITHIN):
        words = await process.stdout.read()
        return await process.wait(), words.decode()


async def test_develop_shows_the_account(tmp_path: Path) -> None:
    """The figures are printed, the usual ports taken or not, and Ctrl-C ends it."""
    with taken(8123), taken(3000):
        async with develop(tmp_path / "develop") as process:
            shown = await output(process, "Ctrl-C")
            for name in (*FIGURES, *SPENDING):
                assert re.search(rf"^{name} +\d[\d.]*\b", shown, re.MULTILINE), shown
            assert not re.search(r":(8123|3000)\b", shown)
            assert await stopped(process, signal.SIGINT) == (0, "")


async def test_bare_develop_leaves_everything_to_do(tmp_path: Path) -> None:
    """A new Home Assistant is there with what is to be typed in, until SIGTERM."""
    async with develop(tmp_path / "develop", "--bare") as process:
        shown = await output(process, "Ctrl-C")
        (url,) = re.findall(r"^Home Assistant +(\S+)$", shown, re.MULTILINE)
        async with Client(URL(url)) as client:
            assert await client.is_new()
        for what in ("Gateway", "user ID", "access token", "API key"):
            assert re.search(rf"^ *{what} +\S", shown, re.MULTILINE), shown
        assert await stopped(process, signal.SIGTERM) == (0, "")


def test_somebody_elses_directory_is_left_alone(tmp_path: Path) -> None:
    """Only what was made here is removed for a fresh start."""
    theirs = tmp_path / "configuration.yaml"
    theirs.write_text("default_config:\n")

    with pytest.raises(HomeAssistantFailedError):
        HomeAssistant(tmp_path).forget()

    assert theirs.exists()


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Have somebody listen on a port, if nobody does yet."""
    with socket.socket() as somebody:
        # A connection that ended a moment ago does not count.
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            somebody.bind((LOOPBACK, port))
            somebody.listen()
        yield
