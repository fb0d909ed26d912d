"""A street of five entries: what goes on there, and what their sensors should say."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from random import Random
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from tests.home import BALANCE, Home, Site, works
from tests.patience import finish
from tests.simulator import (
    DIALECTS,
    Answer,
    Fault,
    Gateway,
    Hang,
    Key,
    Model,
    Options,
    Reset,
    Rewrite,
    Truncate,
    World,
)

HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)

FAULTS: Final[tuple[Fault, ...]] = (
    Answer(502, "<html><h1>502 Bad Gateway</h1></html>", HTML),
    Answer(200, "<!doctype html><title>spa</title>", HTML),
    Answer(403, "<html>Are you a robot?</html>", HTML),
    Answer.json(200, '{"hello": "world"}'),
    Answer(429, "", (("Retry-After", "60"),)),
    Answer(429),
    Reset(),
    Truncate(20),
    Rewrite(lambda reply: {**reply, "data": None}),
    Hang(),
)
PATHS: Final = (
    "*",
    "/api/status",
    "/api/user/self",
    "/api/token/",
    "/v1/dashboard/billing/*",
    "/v1/models",
)

# How often something happens, per time that passes between two polls.
_FAULT: Final = 0.25
_ROTATION: Final = 0.03
_RELOAD: Final = 0.03
_GUEST: Final = 0.02

_GUESTS: Final = 2
_UNIT: Final = 500_000
_LITTLE: Final = 10 * _UNIT
# Of what was spent, a gateway shows nothing that is older.
_LOG_LINES: Final = 50

_STEP: Final = timedelta(seconds=20)
_QUIET_STEPS: Final = 3
# The longest that a site is left alone is a day; every poll but the first takes less.
_POLLS_TO_RECOVER: Final = 20


@dataclass(frozen=True, slots=True)
class Tenant:
    """An entry, and whose key and account it has."""

    site: Site
    entry: ConfigEntry
    user: str | None
    key: str | None

    @property
    def poll(self) -> str:
        """Return the path that is asked once in each of its polls."""
        account, key = "/api/user/self", "/v1/dashboard/billing/subscription"
        return key if self.user is None else account


class Street:
    """Five entries on four sites, and accidents in a fixed order."""

    def __init__(self, home: Home) -> None:
        """Begin with nobody there."""
        self.polls = 0
        """The polls up to now: a site was asked for the balance of one entry."""
        self.requests = 0
        """All requests up to now."""
        self.tenants: list[Tenant] = []
        self._home = home
        self._chance = Random(11)
        self._sites: list[Site] = []
        self._with_accounts: tuple[Site, ...] = ()
        self._revoked: list[Callable[[], None]] = []
        self._guests: list[tuple[Site, str]] = []
        self._guests_yet = 0

    async def move_in(self) -> None:
        """Serve the sites and add the entries."""
        shared = await self._serve("new_api_main", "wang", "li")
        hub = await self._serve("one_hub", "zhao")
        old = await self._serve("new_api_0_9", "sun")
        one = await self._serve("one_api", "qian")
        self._with_accounts = (shared, hub, old)
        for _ in range(_GUESTS):
            self._welcome()
        await self._add(shared, user="wang")
        await self._add(shared, user="li", key="Home of li")
        await self._add(hub, user="zhao", key="Home of zhao")
        await self._add(old, user="sun", key="Home of sun")
        await self._add(one, key="Home of qian")

    async def live(self) -> None:
        """Let everybody poll once more, and whatever else go on that does."""
        chance = self._chance
        self._spend()
        if chance.random() < _FAULT:
            chance.choice(self._sites).gateway.faults.add(
                chance.choice(PATHS), chance.choice(FAULTS), times=chance.randint(1, 6)
            )
        if chance.random() < _ROTATION:
            self._revoke_or_give_back()
        if chance.random() < _GUEST:
            self._welcome()
        reloaded = None
        if chance.random() < _RELOAD:
            reloaded = chance.choice(self.tenants).entry
        await self._pass(BALANCE)
        if reloaded is not None:
            entries = self._home.hass.config_entries
            await self._done(entries.async_reload(reloaded.entry_id))

    async def recover(self) -> list[str]:
        """Let everything work again; return in what the sensors differ in the end."""
        for site in self._sites:
            site.gateway.faults.clear()
        while self._revoked:
            self._revoke_or_give_back()
        for _ in range(_POLLS_TO_RECOVER):
            # Some sites tell what a figure means only by how it changes.
            self._spend(likely=1)
            await self._pass(BALANCE)
            if not (differences := [*self._differences()]):
                break
        # Until nobody has polled for so long that all connections have ended.
        quiet = 0
        while quiet < _QUIET_STEPS:
            asked = self.requests
            await self._pass(_STEP)
            quiet = quiet + 1 if self.requests == asked else 0
        # Whether something waits to be written just now is chance.
        self._home.hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await self._home.settle()
        return differences

    async def _serve(self, dialect: str, *users: str) -> Site:
        world = World(models=[Model(name="gpt-5-mini"), Model(name="deepseek-chat")])
        for name in users:
            user = world.add_user(name, quota=90 * _UNIT, used_quota=10 * _UNIT)
            world.add_key(user, f"Home of {name}", quota=40 * _UNIT)
            world.add_key(user, f"Work of {name}", quota=40 * _UNIT)
            world.add_key(user, f"Play of {name}", unlimited=True)
        site = await self._home.serve(
            Gateway(world, DIALECTS[dialect], Options(system_name="Juhe AI"))
        )
        self._sites.append(site)
        return site

    async def _add(
        self, site: Site, *, user: str | None = None, key: str | None = None
    ) -> None:
        entry = await self._home.add(
            site, user=user, key=key, entry_id=f"entry{len(self.tenants)}"
        )
        self.tenants.append(Tenant(site, entry, user, key))

    # What goes on

    def _spend(self, likely: float = 0.5) -> None:
        for site in self._sites:
            world = site.gateway.world
            for key in world.keys.values():
                if self._chance.random() < likely:
                    site.gateway.spend(key.name, self._chance.randint(1, _UNIT // 50))
                if not key.unlimited and key.remain_quota < _LITTLE:
                    key.remain_quota += 40 * _UNIT
            for user in world.users.values():
                if user.quota < _LITTLE:
                    world.top_up(user.name, 100 * _UNIT)
            del world.log[:-_LOG_LINES], world.top_ups[:]

    def _revoke_or_give_back(self) -> None:
        """Make a credential invalid; the next time, make it valid again."""
        if self._revoked:
            self._revoked.pop()()
            return
        tenant = self._chance.choice(self.tenants)
        world = tenant.site.gateway.world
        if tenant.user is not None and (
            tenant.key is None or self._chance.random() < 0.5
        ):
            user = tenant.site.user(tenant.user)
            self._revoked.append(
                partial(setattr, user, "access_token", user.access_token)
            )
            world.rotate_access_token(user.name)
        elif tenant.key is not None:
            key = tenant.site.key(tenant.key)
            self._revoked.append(partial(setattr, key, "secret", key.secret))
            world.rotate_key(key.name)

    def _welcome(self) -> None:
        """Make a key for a guest, and delete the one of who has stayed the longest."""
        site = self._chance.choice(self._with_accounts)
        world = site.gateway.world
        self._guests_yet += 1
        name = f"Guest {self._guests_yet}"
        world.add_key(next(iter(world.users.values())), name, quota=40 * _UNIT)
        self._guests.append((site, name))
        if len(self._guests) > _GUESTS:
            left, name = self._guests.pop(0)
            left.gateway.world.delete_key(name)

    # Time

    async def _pass(self, time: timedelta) -> None:
        await self._done(self._home.pass_time(time))

    async def _done(self, work: Awaitable[object]) -> None:
        await finish(self._home, work, self._asked)
        self._count()

    def _asked(self) -> int:
        return sum(len(site.gateway.requests) for site in self._sites)

    def _count(self) -> None:
        """Count what was asked, and forget it."""
        polls = {(tenant.site.url, tenant.poll) for tenant in self.tenants}
        for site in self._sites:
            self.requests += len(site.gateway.requests)
            self.polls += sum(
                site.asked(path) for url, path in polls if url == site.url
            )
            site.gateway.requests.clear()

    # What the sensors should say

    def _differences(self) -> Iterator[str]:
        for tenant in self.tenants:
            if not works(tenant.entry):
                yield f"{tenant.entry.title} is {tenant.entry.state}"
                continue
            for device, expected in self._truth(tenant):
                shown = self._home.states(device)
                for name, value in expected.items():
                    if _number(shown.get(name)) != value:
                        yield f"{device} {name}: {shown.get(name)} instead of {value}"
        if self._home.reauths():
            yield "A credential is asked for that is accepted"
        listed = {tenant.entry.title for tenant in self.tenants} | {
            key.name
            for tenant in self.tenants
            if tenant.user is not None
            for key in tenant.site.gateway.world.keys_of(tenant.site.user(tenant.user))
        }
        if self._home.device_names() != listed:
            yield f"Devices: {sorted(self._home.device_names() ^ listed, key=str)}"

    def _truth(self, tenant: Tenant) -> Iterator[tuple[str, dict[str, object]]]:
        site = tenant.site
        if tenant.user is None:
            assert tenant.key is not None
            yield tenant.entry.title, _of_key(site.key(tenant.key))
            return
        user = site.user(tenant.user)
        yield (
            tenant.entry.title,
            {
                "Remaining quota": Decimal(user.quota) / _UNIT,
                "Used quota": Decimal(user.used_quota) / _UNIT,
                "Request count": Decimal(user.request_count),
            },
        )
        for key in site.gateway.world.keys_of(user):
            yield key.name, _of_key(key)


def _of_key(key: Key) -> dict[str, object]:
    left = Decimal(key.remain_quota) / _UNIT
    return {
        "Status": "active",
        "Remaining quota": "unknown" if key.unlimited else left,
        "Used quota": Decimal(key.used_quota) / _UNIT,
    }


def _number(state: str | None) -> object:
    try:
        return Decimal(state or "")
    except InvalidOperation:
        return state
