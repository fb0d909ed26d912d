"""The simulated gateway that a real Home Assistant is given to read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Final

from tests.simulator import Gateway, Key, User
from tests.simulator.lively import LivelyHour

from .home_assistant import LOOPBACK
from .integration import Credentials

_PROFILE: Final = "new_api_main"
_KEY: Final = "Home Assistant"
_UNLIMITED_KEY: Final = "Claude Code"
# A household asks less often, but nobody wants to wait for it.
_SECONDS_BETWEEN_REQUESTS: Final = 20

# No test makes so many requests.
_REQUESTS_APART: Final = 1_000
_GATEWAYS: Final = count()


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo account of a gateway that is being served."""

    gateway: Gateway
    url: str

    @property
    def user(self) -> User:
        """Return whose account it is."""
        return self.gateway.world.users[self.key.user_id]

    @property
    def key(self) -> Key:
        """Return the key that Home Assistant is given."""
        return self.gateway.world.key(_KEY)

    @property
    def keys(self) -> list[Key]:
        """Return all keys of the account."""
        return self.gateway.world.keys_of(self.user)

    @property
    def models(self) -> list[str]:
        """Return what can be asked."""
        return [each.name for each in self.gateway.world.models]

    @property
    def credentials(self) -> Credentials:
        """Return what opens the account now."""
        return Credentials(
            url=self.url,
            api_key=str(self.key),
            user_id=str(self.user.id),
            access_token=self.user.access_token,
        )

    @property
    def personal(self) -> tuple[str, ...]:
        """Return what tells whose account it is, and where."""
        return (self.user.name, self.user.display_name, self.user.email, self.url)

    def amount(self, raw: int) -> Decimal:
        """Return what the site shows for an amount of raw quota."""
        return Decimal(raw) / Decimal(self.gateway.options.quota_per_unit)

    @property
    def truth(self) -> dict[str, Decimal]:
        """Return what the gateway has in its books of the account, by FIGURES."""
        return {
            "Remaining quota": self.amount(self.user.quota),
            "Used quota": self.amount(self.user.used_quota),
            "Request count": Decimal(self.user.request_count),
            "Model count": Decimal(len(self.models)),
        }

    def spend(self, raw: int) -> None:
        """Ask a model something that costs this much, with the key."""
        self.gateway.spend(self.key.name, raw)

    def rotate_access_token(self) -> str:
        """Let the owner make a new access token, which revokes the old one."""
        return self.gateway.world.rotate_access_token(self.user.name)


@asynccontextmanager
async def demo_gateway(
    port: int = 0, *, with_plan: bool = False
) -> AsyncIterator[Demo]:
    """Serve a gateway until the context is left; a plan pays before the wallet."""
    gateway = Gateway.demo(_PROFILE, with_plan=with_plan)
    async with gateway.serve(LOOPBACK, port) as url:
        demo = Demo(gateway, str(url.origin()))
        # One entity shows one after another, and its requests never become fewer.
        demo.user.request_count += _REQUESTS_APART * next(_GATEWAYS)
        yield demo


@asynccontextmanager
async def spending(demo: Demo) -> AsyncIterator[None]:
    """Use the account until the context is left, and let things happen meanwhile."""
    hour = LivelyHour(demo.gateway, _UNLIMITED_KEY)

    async def go_on() -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_REQUESTS)
            hour.go_on()

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
