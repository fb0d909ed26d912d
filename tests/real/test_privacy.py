"""What opens an account is kept in its entry and is seen nowhere else."""

import json
from pathlib import Path

import pytest

from .client import Client, eventually
from .gateway import Demo
from .home_assistant import INTEGRATION, HomeAssistant

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_diagnostics_can_be_attached_to_an_issue(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """They say something, and nothing that opens the account or tells whose it is."""
    diagnostics = await client.diagnostics(entry_id)

    assert json.loads(diagnostics)["data"]
    for secret in (*demo.credentials.secrets(), *demo.personal):
        assert secret not in diagnostics


async def test_system_health_can_be_posted(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """It says that the gateway answers, and not which one it is."""
    health = await client.system_health(INTEGRATION)

    assert (health["entries"], health["reached"]) == (1, "1/1")
    for secret in (*demo.credentials.secrets(), *demo.personal):
        assert secret not in str(health)


async def test_secrets_are_in_the_entry_alone(
    home_assistant: HomeAssistant, client: Client, demo: Demo, entry_id: str
) -> None:
    """Neither the log, nor the database, nor another file has a trace of them."""

    async def has_statistics() -> bool:
        return any(f"{INTEGRATION}:" in each for each in await client.statistics())

    await eventually(has_statistics, within=60)
    await client.reload(entry_id)
    await client.diagnostics(entry_id)
    # What has not been written yet is written at the stop.
    await home_assistant.stop()
    try:
        assert (home_assistant.storage / f"{INTEGRATION}.{entry_id}").exists()
        for secret in demo.credentials.secrets():
            assert files_with(home_assistant.directory, secret) == {
                ".storage/core.config_entries"
            }
    finally:
        await home_assistant.start()
        await eventually(client.is_running, within=60)


def files_with(directory: Path, secret: str) -> set[str]:
    """Return the files in which something stands, links not followed."""
    return {
        str(path.relative_to(directory))
        for root, _, names in directory.walk()
        for path in (root / name for name in names)
        if path.is_file() and secret.encode() in path.read_bytes()
    }
