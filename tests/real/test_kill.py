"""A Home Assistant that is killed, at moments at which it would rather not be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
import json
from random import Random
from typing import Any, Final

import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import Hang

from .client import Client, Home, Login, eventually
from .gateway import Demo
from .home_assistant import INTEGRATION, HomeAssistant
from .integration import (
    account_values,
    add_account,
    change_options,
    complaints,
    devices_by_name,
    refresh,
)

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

_ENTRIES: Final = "core.config_entries"
_WITHIN: Final = 60


@pytest_asyncio.fixture(loop_scope="session")
async def home_assistant(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant that may be killed: not that of the other tests."""
    pytest_socket.enable_socket()
    directory = tmp_path_factory.mktemp("killed")
    async with HomeAssistant(directory, debug=True) as home_assistant:
        yield home_assistant


@pytest_asyncio.fixture(loop_scope="session")
async def client(home_assistant: HomeAssistant) -> AsyncIterator[Client]:
    """Give the browser of the person who onboarded, which Home Assistant remembers."""
    async with Client(home_assistant.url) as client:
        await client.onboard(Login(), Home())
        await eventually(client.is_running, within=_WITHIN)
        # At the stop it stores everything, the person too.
        await home_assistant.restart()
        await eventually(client.is_running, within=_WITHIN)
        yield client


@dataclass(slots=True)
class Scene:
    """A home with one account, and whoever pulls the plug."""

    home_assistant: HomeAssistant
    client: Client
    demo: Demo
    chance: Random
    entry_id: str

    async def wait(self, most: float) -> None:
        """Wait for a random time of so many seconds at most."""
        await asyncio.sleep(self.chance.uniform(0, most))

    async def kill_while(self, work: Awaitable[object], path: str) -> None:
        """Kill Home Assistant when it has asked on a path and gets no answer."""
        gateway = self.demo.gateway
        gateway.faults.add(path, Hang())
        gateway.requests.clear()

        async def asked() -> bool:
            return any(each.path_qs.startswith(path) for each in gateway.requests)

        working = asyncio.ensure_future(work)
        try:
            await eventually(asked, within=_WITHIN)
            await self.wait(0.5)
        finally:
            await self.home_assistant.kill()
            await asyncio.gather(working, return_exceptions=True)
            gateway.faults.clear()

    async def stored(self) -> dict[str, Any]:
        """Return the entry as it is stored, or nothing."""
        file = self.home_assistant.storage / _ENTRIES
        entries = json.loads(file.read_text())["data"]["entries"]
        return next((e for e in entries if e["entry_id"] == self.entry_id), {})

    async def entity_ids(self) -> dict[str, str]:
        """Return the ids of all entities, by what identifies them for good."""
        entities = await self.client.entities(self.entry_id)
        return {each["unique_id"]: each["entity_id"] for each in entities}


async def just_added(scene: Scene) -> None:
    """Kill it before it has stored the entry, perhaps."""
    await scene.wait(1.5)
    await scene.home_assistant.kill()


async def starting(scene: Scene) -> None:
    """Kill it before it does anything for anybody."""
    await scene.home_assistant.stop()
    start = asyncio.create_task(scene.home_assistant.start())
    await scene.wait(3)
    await scene.home_assistant.kill()
    await asyncio.gather(start, return_exceptions=True)


async def setting_up(scene: Scene) -> None:
    """Kill it while it sets the entry up."""
    await scene.home_assistant.stop()
    await scene.kill_while(scene.home_assistant.start(), "/api/user/self")


async def between_polls(scene: Scene) -> None:
    """Kill it while it does nothing."""
    await scene.wait(3)
    await scene.home_assistant.kill()


async def polling(scene: Scene) -> None:
    """Kill it while it asks."""
    await scene.kill_while(refresh(scene.client, scene.entry_id), "/api/user/self")


async def reloading(scene: Scene) -> None:
    """Kill it while the entry is set up anew."""
    reload = asyncio.ensure_future(scene.client.reload(scene.entry_id))
    await scene.wait(0.2)
    await scene.home_assistant.kill()
    await asyncio.gather(reload, return_exceptions=True)


async def stopping(scene: Scene) -> None:
    """Kill it while it stops, as an impatient service manager does."""
    stop = asyncio.create_task(scene.home_assistant.stop())
    await scene.wait(0.7)
    await scene.home_assistant.kill()
    await stop


async def saving_an_option(scene: Scene) -> None:
    """Kill it while it stores how often to ask."""
    before = (await scene.stored())["options"]
    await change_options(scene.client, scene.entry_id, update_interval=7)
    await scene.wait(1.5)
    await scene.home_assistant.kill()
    after = (await scene.stored())["options"]
    assert after == before or after["update_interval"] == 7


async def new_key(scene: Scene) -> None:
    """Kill it while it gets to know a new key."""
    demo = scene.demo
    demo.gateway.world.add_key(demo.user, "Notebook", quota=1_500_000)
    await refresh(scene.client, scene.entry_id)
    await scene.wait(1)
    await scene.home_assistant.kill()


async def new_token(scene: Scene) -> None:
    """Kill it just after it has stored another credential."""
    token = scene.demo.rotate_access_token()
    form = await scene.client.start_flow(INTEGRATION, scene.entry_id)
    credentials = replace(scene.demo.credentials, access_token=token)
    done = await scene.client.submit(form["flow_id"], credentials.answers())
    assert done["reason"] == "reconfigure_successful", done

    async def is_stored() -> bool:
        return bool((await scene.stored())["data"]["access_token"] == token)

    await eventually(is_stored)
    await scene.home_assistant.kill()


MOMENTS: Final[tuple[Callable[[Scene], Awaitable[None]], ...]] = (
    starting,
    setting_up,
    between_polls,
    polling,
    reloading,
    stopping,
    saving_an_option,
    new_key,
    new_token,
)


async def test_killed_ten_times(
    home_assistant: HomeAssistant, client: Client, demo: Demo
) -> None:
    """Whenever it is killed, it starts again with the entry, its ids and figures."""
    chance = Random(4)
    entry_id = await add_account(client, demo.credentials)
    scene = Scene(home_assistant, client, demo, chance, entry_id)
    await survives(scene, just_added, {})
    if not await client.entries(INTEGRATION):
        scene.entry_id = await add_account(client, demo.credentials)

    async def is_stored() -> bool:
        return bool(await scene.stored())

    await eventually(is_stored)
    for moment in chance.sample(MOMENTS, len(MOMENTS)):
        await survives(scene, moment, await scene.entity_ids())
        (entry,) = await client.entries(INTEGRATION)
        assert (entry["entry_id"], entry["state"]) == (scene.entry_id, "loaded")


async def survives(
    scene: Scene,
    moment: Callable[[Scene], Awaitable[None]],
    entity_ids: dict[str, str],
) -> None:
    """Kill Home Assistant at a moment, start it again, and see that all is well."""
    log = scene.home_assistant.log
    begin = log.position()
    try:
        await moment(scene)
        scene.demo.spend(7)
        await scene.home_assistant.start()
        await eventually(scene.client.is_running, within=_WITHIN)
        if await scene.client.entries(INTEGRATION):
            assert await account_values(scene.client, scene.entry_id) == (
                scene.demo.truth
            )
            devices = await devices_by_name(scene.client, scene.entry_id)
            assert {key.name for key in scene.demo.keys} <= devices.keys()
            assert entity_ids.items() <= (await scene.entity_ids()).items()
        else:
            assert moment is just_added
        assert broken_files(scene.home_assistant) == []
        assert complaints(log, begin) == []
    except BaseException as error:
        error.add_note(f"Home Assistant was killed here: {moment.__name__}")
        raise


def broken_files(home_assistant: HomeAssistant) -> list[str]:
    """Return what of its memory Home Assistant cannot read, or has put aside."""
    broken = []
    for file in home_assistant.storage.rglob("*"):
        # What it was just writing it never looks at again.
        if file.is_dir() or file.name.startswith("tmp"):
            continue
        try:
            json.loads(file.read_bytes())
        except ValueError:
            broken.append(file.name)
        else:
            if ".corrupt" in file.name:
                broken.append(file.name)
    return broken
