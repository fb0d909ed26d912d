"""A home that watches a site, and what happens to it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.data_entry_flow import FlowResultType
from tests.home import Home
from tests.patience import finish
from tests.restarts import lose_power, restart

from .owner import Owner
from .people import People
from .scene import Scene

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
# What is remembered is written every quarter of an hour.
_UNWRITTEN: Final = 16 * _MINUTE


class House:
    """Home Assistant with an entry for the account, and perhaps one for a key alone."""

    def __init__(
        self,
        home: Home,
        storage: dict[str, Any],
        scene: Scene,
        people: People,
        owner: Owner,
    ) -> None:
        """Begin without entries; `storage` is the disk of the home."""
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "away": self._be_away,
            "power": self._lose_power,
            "reload": self._reload,
            "restart": self._restart,
        }
        """What happens now and then."""
        self.entries: list[ConfigEntry] = []
        self._home = home
        self._storage = storage
        self._scene = scene
        self._people = people
        self._owner = owner

    async def move_in(self, own: str | None, alone: str | None) -> None:
        """Add the entries, one with the account and perhaps a key, one with a key."""
        self._site = await self._home.serve(self._scene.gateway)
        watched = self._scene.watched
        entry = await self._home.add(
            self._site, user="wang", key=own, entry_id="account"
        )
        self.entries.append(entry)
        if own is not None:
            watched[entry.entry_id] = self._site.key(own).id
            self.kinds["own key replaced"] = self._replace_key
        if alone is not None:
            entry = await self._home.add(self._site, key=alone, entry_id="alone")
            watched[entry.entry_id] = self._site.key(alone).id
            self.entries.append(entry)

    async def pass_time(self, seconds: int) -> None:
        """Let time pass, and all that is due be done."""
        await self._finish(self._home.pass_time(timedelta(seconds=seconds)))

    async def _reload(self) -> None:
        self._scene.note("reload")
        for entry in self.entries:
            reload = self._home.hass.config_entries.async_reload
            await self._finish(reload(entry.entry_id))

    async def _restart(self) -> None:
        self._scene.note("restart")
        began = self._scene.world.now
        await self._finish(restart(self._home, *self.entries))
        self._scene.ledger.unread.append((began, self._scene.world.now))

    async def _lose_power(self) -> None:
        self._scene.note("power")
        began = self._scene.world.now - _UNWRITTEN
        first, *others = self.entries
        await self._finish(lose_power(self._home, first, self._storage, *others))
        self._scene.ledger.unread.append((began, self._scene.world.now))

    async def _be_away(self) -> None:
        """Let Home Assistant be off, while others go on."""
        self._scene.note("away")
        entries = self._home.hass.config_entries
        began = self._scene.world.now
        for entry in self.entries:
            await self._finish(entries.async_unload(entry.entry_id))
        until = began + self._scene.chance.randint(_HOUR // 6, 10 * _HOUR)
        while self._scene.world.now < until:
            await self.pass_time(self._scene.chance.randint(_MINUTE, _HOUR // 3))
            self._people.finish()
            if self._scene.chance.random() < 0.5:
                self._people.spend()
        for entry in self.entries:
            await self._finish(entries.async_setup(entry.entry_id))
        self._scene.note("back")
        self._scene.ledger.unread.append((began, self._scene.world.now))

    async def _replace_key(self) -> None:
        """Let the key of the account be made anew, and be entered."""
        self._people.finish(everything=True)
        self._owner.mend()
        old = self._scene.world.keys[self._scene.watched["account"]]
        new = self._scene.world.replace_key(old.name)
        self._scene.note("own key replaced", new.name)
        self._scene.watched["account"] = new.id
        await self._finish(self._enter(new.name))

    async def _enter(self, key: str) -> None:
        form = await self._home.start_reconfigure(self.entries[0])
        entered = self._site.form(key=key, user="wang")
        result = await self._home.submit(form, entered)
        assert result["type"] is FlowResultType.ABORT, result["errors"]

    async def _finish(self, work: Awaitable[object]) -> None:
        if self._owner.may_hang:
            await finish(self._home, work, lambda: len(self._scene.gateway.requests))
        else:
            await work
