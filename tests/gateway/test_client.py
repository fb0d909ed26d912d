"""What no recording holds: older and other servers, and everything that goes wrong."""

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession, web
import pytest

from custom_components.new_api import gateway as package
from custom_components.new_api.gateway import client as client_module
from custom_components.new_api.gateway.budget import CRITICAL_CALLS, Budget
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.concurrency import at_once, within
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    GatewayError,
    MovedError,
    NotAGatewayError,
    RateLimitedError,
    Refusal,
    RefusedError,
    ServerTroubleError,
    UnexpectedReplyError,
)
from custom_components.new_api.gateway.models import (
    AccountKey,
    Family,
    KeyState,
    KeyStatus,
    Scope,
    Site,
)
from tests.gateway.scripted import NO_ENDPOINT, Handler, Reply, Scripted, scripted
from tests.gateway.secrecy import KEY, TOKEN, assert_tells_nothing

NOW: Final = 1_795_421_638
BARE: Final = KEY.removeprefix("sk-")

STATUS: Final = "/api/status"
SUBSCRIPTION: Final = "/v1/dashboard/billing/subscription"
BILLED: Final = "/v1/dashboard/billing/usage"
USAGE: Final = "/api/usage/token/"
MODELS: Final = "/v1/models"
SELF: Final = "/api/user/self"
LIST: Final = "/api/token/"
USER_MODELS: Final = "/api/user/models"


def yes(data: Any) -> Reply:
    """Return a yes in the envelope of the dashboard."""
    return Reply.json({"success": True, "message": "", "data": data})


def no(message: str = "", status: int = 200, **more: str) -> Reply:
    """Return a no in the envelope of the dashboard."""
    return Reply.json({"success": False, "message": message, **more}, status)


def refusal(message: str, status: int = 401, **more: str) -> Reply:
    """Return a no in the envelope of OpenAI."""
    return Reply.json({"error": {"message": message, **more}}, status)


# What a site of each family says of itself.
SITES: Final[dict[Family, Reply]] = {
    Family.NEW_API: yes({"quota_per_unit": 500_000, "enable_data_export": True}),
    Family.VELOERA: yes({"quota_per_unit": 500_000, "check_in_enabled": True}),
    Family.ONE_API: yes({"quota_per_unit": 500_000, "chat_link": ""}),
    Family.ONE_HUB: yes({"quota_per_unit": 500_000, "PaymentUSDRate": 7.3}),
    Family.UNKNOWN: yes({"quota_per_unit": 500_000}),
}


def billing(limit: float, hundredths: float, until: int = 0) -> dict[str, Handler]:
    """Return both replies of billing, in dollars and cents."""
    return {
        SUBSCRIPTION: Reply.json({"hard_limit_usd": limit, "access_until": until}),
        BILLED: Reply.json({"object": "list", "total_usage": hundredths}),
    }


def refused(reply: Reply) -> dict[str, Handler]:
    """Return the replies of billing to a key that it refuses."""
    return {SUBSCRIPTION: reply, BILLED: reply}


def usage(available: int = 4_500_000, used: int = 500_000, **more: Any) -> Reply:
    """Return a key's own figures."""
    data = {
        "name": "main",
        "unlimited_quota": False,
        "total_available": available,
        "total_used": used,
        "expires_at": 0,
    }
    return Reply.json({"code": True, "message": "ok", "data": data | more})


def listed(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a key as it stands in a list."""
    item = {
        "id": number,
        "name": "main",
        "key": f"{BARE[:4]}**********{BARE[-4:]}",
        "status": 1,
        "expired_time": -1,
        "remain_quota": 4_500_000,
        "unlimited_quota": False,
        "used_quota": 500_000,
    }
    return item | more


ACCOUNT: Final = {
    "id": 2,
    "username": "alice",
    "group": "default",
    "quota": 45_005_000,
    "used_quota": 101_150_000,
    "request_count": 1234,
}

ACTIVE: Final = KeyState(
    KeyStatus.ACTIVE, Scope.KEY, False, 4_500_000, 500_000, name="main"
)
UNPROVEN: Final = KeyState(
    KeyStatus.ACTIVE, remaining_quota=4_500_000, used_quota=500_000
)

type Question[T] = Callable[[Client, Site], Awaitable[T]]


async def asked[T](
    session: ClientSession,
    family: Family,
    replies: Mapping[str, Handler | list[Handler]],
    question: Question[T],
) -> tuple[T, Scripted]:
    """Put a question to a site of a family, with a key and an account."""
    async with scripted({STATUS: SITES[family], **replies}, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        assert site.family is family
        gateway.asked.clear()
        return await question(client, site), gateway


def client_of(session: ClientSession, gateway: Scripted, **more: Any) -> Client:
    """Return a client with a key and an account."""
    return Client(
        session,
        gateway.url,
        Credentials.from_text(key=KEY, access_token=TOKEN, user_id="2"),
        **{"clock": lambda: NOW, **more},
    )


async def key(client: Client, site: Site) -> KeyState:
    """Ask for the key alone."""
    return await client.key(site)


# ------------------------------------------------------------------------------------
# The site.


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply.html(), NotAGatewayError),
        (Reply(), NotAGatewayError),
        (Reply.html(404), NotAGatewayError),
        (NO_ENDPOINT, NotAGatewayError),
        (no("no"), NotAGatewayError),
        (refusal("no"), NotAGatewayError),
        (Reply.json({"status": "ok"}), NotAGatewayError),
        (Reply.json({"success": True, "data": None}), NotAGatewayError),
        (Reply.json({"data": {"quota_per_unit": 500_000}}), NotAGatewayError),
        (Reply.json({"success": True, "data": "ok"}), NotAGatewayError),
        (yes({}), NotAGatewayError),
        (yes({"version": "1.0"}), NotAGatewayError),
        (yes({"system_name": 17}), UnexpectedReplyError),
        (Reply(502, b"", None), ServerTroubleError),
        (Reply(429, b"", None), RateLimitedError),
        (Reply.redirect("https://example.org/api/status"), MovedError),
    ],
)
async def test_no_site(
    session: ClientSession, reply: Reply, error: type[GatewayError]
) -> None:
    """What does not say that it is a gateway is none."""
    async with scripted({STATUS: reply}, now=NOW) as gateway:
        with pytest.raises(error) as raised:
            await client_of(session, gateway).site()
    assert_tells_nothing(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply.json({"detail": "Not Found"}, 404),
        Reply(404, b"", None),
        Reply.json([]),
        Reply.json({"message": "Missing Authentication Token"}, 403),
    ],
)
async def test_another_service(session: ClientSession, reply: Reply) -> None:
    """A service that answers this question as it answers any is no gateway."""
    async with scripted({STATUS: reply}, now=NOW) as gateway:
        with pytest.raises(NotAGatewayError):
            await client_of(session, gateway).site()


async def test_site_is_asked_without_credentials(session: ClientSession) -> None:
    """Nothing is told to a site before it has said what it is."""
    async with scripted({STATUS: SITES[Family.NEW_API]}, now=NOW) as gateway:
        await client_of(session, gateway).site()
    (request,) = gateway.asked
    assert request.path == STATUS
    assert KEY not in str(request.headers)
    assert TOKEN not in str(request.headers)
    assert "New-Api-User" not in request.headers


async def test_version_in_the_header(session: ClientSession) -> None:
    """The header says the version, and that it is New API (1.1)."""
    data = {"success": True, "data": {"quota_per_unit": 500_000, "version": "v0.0.0"}}
    reply = Reply.json(data, headers={"x-new-api-version": "v0.13.2"})
    async with scripted({STATUS: reply}, now=NOW) as gateway:
        site = await client_of(session, gateway).site()
    assert (site.family, site.version) == (Family.NEW_API, "v0.13.2")


# ------------------------------------------------------------------------------------
# A key alone.


async def test_key_complete_in_billing(session: ClientSession) -> None:
    """Where billing says it all, no critical call is spent."""
    for replies, state in (
        (
            billing(10, 100, NOW + 9),
            KeyState(
                KeyStatus.ACTIVE,
                Scope.KEY,
                False,
                4_500_000,
                500_000,
                expires_at=NOW + 9,
            ),
        ),
        (
            billing(100_000_000, 100),
            KeyState(KeyStatus.ACTIVE, Scope.KEY, True, None, 500_000),
        ),
    ):
        known, gateway = await asked(session, Family.NEW_API, replies, key)
        assert known == state
        assert sorted(gateway.paths) == [SUBSCRIPTION, BILLED]


@pytest.mark.parametrize("family", [Family.NEW_API, Family.UNKNOWN])
async def test_key_proven_by_its_own_figures(
    session: ClientSession, family: Family
) -> None:
    """What billing leaves open, the key's own figures close."""
    state, gateway = await asked(
        session, family, billing(292.31, 20230) | {USAGE: usage()}, key
    )
    assert state == ACTIVE
    assert gateway.paths[2:] == [USAGE]


@pytest.mark.parametrize("family", [Family.VELOERA, Family.ONE_API, Family.ONE_HUB])
async def test_families_without_own_figures(
    session: ClientSession, family: Family
) -> None:
    """What a family never had is not asked for (1.3)."""
    _, gateway = await asked(session, family, billing(10, 100), key)
    assert sorted(gateway.paths) == [SUBSCRIPTION, BILLED]


@pytest.mark.parametrize("is_updated", [True, False])
async def test_missing_endpoint_is_remembered(
    session: ClientSession, is_updated: bool
) -> None:
    """New API before v0.9.0 is asked for it once, and again when it was updated.

    A day later too, since something on the way may have hidden it.
    """
    async with scripted(
        {STATUS: SITES[Family.NEW_API], **billing(10, 100)}, now=NOW
    ) as gateway:
        now = float(NOW)
        client = client_of(session, gateway, clock=lambda: now)
        site = await client.site()
        for _ in range(3):
            assert await client.key(site) == UNPROVEN
            now += 7 * 3600
        assert gateway.paths.count(USAGE) == 1
        gateway.replies[USAGE] = usage()
        if is_updated:
            site = replace(site, version="v1.0.0")
        else:
            now += 4 * 3600
        assert await client.key(site) == ACTIVE
        assert gateway.paths.count(USAGE) == 2


@pytest.mark.parametrize(
    ("billed", "own", "status"),
    [
        # Why billing refuses may stand there, in its own figures, or nowhere.
        (refusal("Invalid token"), usage(0, 500_000), KeyStatus.EXHAUSTED),
        (refusal("Invalid token"), usage(expires_at=NOW - 1), KeyStatus.EXPIRED),
        (refusal("Invalid token"), usage(-1, expires_at=NOW - 1), KeyStatus.EXPIRED),
        # v0.10.8 to rc.16 serve a disabled key's figures (trap 46).
        (refusal("Invalid token"), usage(), KeyStatus.DISABLED),
        (refusal("Invalid token"), usage(unlimited_quota=True), KeyStatus.DISABLED),
        (refusal("该令牌状态不可用"), usage(), KeyStatus.DISABLED),
        (refusal("该令牌额度已用尽"), usage(), KeyStatus.EXHAUSTED),
        (refusal("User has been banned", 403), usage(), KeyStatus.OWNER_DISABLED),
        (refusal("", 403, code="access_denied"), usage(), KeyStatus.IP_RESTRICTED),
        # Its group is gone, for instance (2.1).
        (refusal("无权访问 vip 分组", 403), usage(), KeyStatus.REFUSED),
    ],
)
async def test_key_refused_by_billing_only(
    session: ClientSession, billed: Reply, own: Reply, status: KeyStatus
) -> None:
    """A key that billing refuses still has its own figures, and a status."""
    state, _ = await asked(session, Family.NEW_API, refused(billed) | {USAGE: own}, key)
    assert state.status is status
    assert state.scope is Scope.KEY
    assert state.used_quota == 500_000
    assert state.name == "main"


@pytest.mark.parametrize(
    ("billed", "own", "status"),
    [
        (refusal("Invalid token"), no("Invalid token", 401), KeyStatus.INVALID),
        (
            refusal("Invalid token"),
            no("This token status is unavailable", 401),
            KeyStatus.DISABLED,
        ),
        (
            refusal("Invalid token"),
            no("User has been banned", 403),
            KeyStatus.OWNER_DISABLED,
        ),
        (refusal("Invalid token"), no("Failed to get token info"), KeyStatus.REFUSED),
        (refusal("Invalid token"), NO_ENDPOINT, KeyStatus.REFUSED),
        (refusal("该令牌已过期"), refusal("该令牌已过期"), KeyStatus.EXPIRED),
        (refusal("该令牌已过期"), NO_ENDPOINT, KeyStatus.EXPIRED),
        (refusal("no", 403), NO_ENDPOINT, KeyStatus.REFUSED),
    ],
)
async def test_key_refused_everywhere(
    session: ClientSession, billed: Reply, own: Reply, status: KeyStatus
) -> None:
    """A key that is refused everywhere has a status, and no figures."""
    state, _ = await asked(session, Family.NEW_API, refused(billed) | {USAGE: own}, key)
    assert state == KeyState(status)


async def test_unknown_key_is_not_asked_about_twice(session: ClientSession) -> None:
    """Where billing says that there is no such key, no critical call is spent."""
    state, gateway = await asked(
        session, Family.NEW_API, refused(refusal("无效的令牌")), key
    )
    assert state == KeyState(KeyStatus.INVALID)
    assert USAGE not in gateway.paths


@pytest.mark.parametrize(
    ("billed", "state"),
    [
        (refused(refusal("Invalid token")), KeyState(KeyStatus.REFUSED)),
        (refused(refusal("该令牌已过期")), KeyState(KeyStatus.EXPIRED)),
        (billing(10, 100), UNPROVEN),
    ],
)
@pytest.mark.parametrize(
    "own",
    [
        Reply(429, b"", None),
        Reply(500, b"", None),
        Reply.html(403),
        Reply.json({"code": True, "data": None}),
        Reply.json({"code": False, "data": {"total_used": 1}}),
        usage(unlimited_quota=None),
        Reply.redirect("https://example.org"),
    ],
)
async def test_own_figures_that_fail(
    session: ClientSession, billed: dict[str, Handler], state: KeyState, own: Reply
) -> None:
    """What billing says for certain stands, also where the key's own figures fail."""
    known, _ = await asked(session, Family.NEW_API, billed | {USAGE: own}, key)
    assert known == state
    assert isinstance(known.unanswered, GatewayError)
    assert_tells_nothing(known.unanswered)


@pytest.mark.parametrize(
    ("billed", "state"),
    [
        (refused(refusal("该令牌已过期")), KeyState(KeyStatus.EXPIRED)),
        (billing(10, 100), UNPROVEN),
    ],
)
async def test_own_figures_that_are_refused(
    session: ClientSession, billed: dict[str, Handler], state: KeyState
) -> None:
    """A refusal there takes nothing away from what billing says for certain."""
    replies = billed | {USAGE: no("Failed to get token info")}
    known, _ = await asked(session, Family.NEW_API, replies, key)
    assert known == state
    assert isinstance(known.unanswered, RefusedError)


@pytest.mark.parametrize("part", [SUBSCRIPTION, BILLED])
async def test_key_that_is_refused_and_accepted(
    session: ClientSession, part: str
) -> None:
    """Where one half of billing refuses a key and the other does not, one is wrong."""
    replies = billing(10, 100) | {part: refusal("无效的令牌")}
    with pytest.raises(ServerTroubleError):
        await asked(session, Family.NEW_API, replies, key)


@pytest.mark.parametrize(
    ("version", "is_disabled"),
    [
        ("v0.10.8", True),
        ("v0.13.2", True),
        ("v1.0.0-rc.16", True),
        ("v0.0.0", True),
        ("v0.10.6-alpha.2-fork", True),
        (None, True),
        ("v0.10.7", False),
        ("v1.0.0-rc.17", False),
        ("v1.0.0", False),
        ("v1.2.0-rc.1", False),
    ],
)
async def test_only_some_versions_show_a_disabled_key(
    session: ClientSession, version: str | None, is_disabled: bool
) -> None:
    """A key that is refused and has figures is disabled (2.2), or not enabled again.

    An edit of its limit or its end leaves the status that it got when that was reached.
    """
    about = {"quota_per_unit": 500_000, "enable_data_export": True}
    replies = refused(refusal("Invalid token")) | {
        STATUS: yes(about | {"version": version}),
        USAGE: usage(),
    }
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        state = await client.key(site)
    status = KeyStatus.DISABLED if is_disabled else KeyStatus.REFUSED
    assert (state.status, state.is_inferred) == (status, True)
    assert state.used_quota is not None


@pytest.mark.parametrize("by_list", [True, False])
async def test_figures_that_may_be_of_another_key(
    session: ClientSession, by_list: bool
) -> None:
    """What a cache may have mixed up is not believed against billing (1.5)."""
    replies: dict[str, Handler | list[Handler]] = {
        STATUS: SITES[Family.NEW_API],
        LIST: yes({"items": [listed()], "total": 1}),
        USAGE: usage(),
        **billing(10, 100),
    }
    now = float(NOW)
    async with scripted(replies, now=NOW) as gateway:
        budget = Budget(lambda: now)
        client = client_of(session, gateway, clock=lambda: now, budget=budget)
        site = await client.site()
        if by_list:
            await client.keys(site)
        else:
            assert await client.key(site) == ACTIVE
        gateway.replies |= billing(10, 200) | {USAGE: usage(7, 8, name="other")}
        for _ in range(5):
            state = await client.key(site)
            assert isinstance(state.unanswered, UnexpectedReplyError)
            assert (state.name, state.scope) == (None, Scope.UNKNOWN)
            assert (state.remaining_quota, state.used_quota) == (4_000_000, 1_000_000)
            now += 4 * 3600
        # The owner may have changed all of it meanwhile.
        now += 5 * 3600
        assert (await client.key(site)).unanswered is not None
        again = await client.key(site)
        assert (again.name, again.remaining_quota, again.used_quota) == ("other", 7, 8)


async def test_key_that_was_renamed_after_it_was_used_up(
    session: ClientSession,
) -> None:
    """Where billing says nothing, another name is believed the second time."""
    replies: dict[str, Handler | list[Handler]] = {
        STATUS: SITES[Family.NEW_API],
        USAGE: usage(),
        **billing(10, 100),
    }
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        assert await client.key(site) == ACTIVE
        gateway.replies |= refused(refusal("Invalid token")) | {
            USAGE: usage(0, 5_000_000, name="other")
        }
        assert (await client.key(site)).unanswered is not None
        again = await client.key(site)
        assert (again.name, again.status) == ("other", KeyStatus.EXHAUSTED)


async def test_key_that_was_renamed(session: ClientSession) -> None:
    """A new name alone is nothing to wonder about, if billing agrees."""
    replies: dict[str, Handler | list[Handler]] = {
        STATUS: SITES[Family.NEW_API],
        USAGE: usage(),
        **billing(10, 100),
    }
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        assert await client.key(site) == ACTIVE
        gateway.replies |= billing(10, 200) | {
            USAGE: usage(4_000_000, 1_000_000, name="other")
        }
        assert (await client.key(site)).name == "other"


async def test_site_knows_better_than_our_clock(session: ClientSession) -> None:
    """A key that the site accepts has not expired, whatever our clock says."""
    state, _ = await asked(
        session,
        Family.NEW_API,
        billing(292.31, 20230) | {USAGE: usage(expires_at=NOW - 30)},
        key,
    )
    assert (state.status, state.expires_at) == (KeyStatus.ACTIVE, NOW - 30)


async def test_own_figures_without_billing(session: ClientSession) -> None:
    """A site that has no billing may still have the key's own figures."""
    state, _ = await asked(session, Family.NEW_API, {USAGE: usage()}, key)
    assert state == ACTIVE


@pytest.mark.parametrize(
    ("own", "error"),
    [
        (Reply(500), ServerTroubleError),
        (Reply(429), RateLimitedError),
        (NO_ENDPOINT, EndpointMissingError),
    ],
)
async def test_no_figures_at_all(
    session: ClientSession, own: Reply, error: type[GatewayError]
) -> None:
    """Where neither billing nor the key answers, there is no state to make up."""
    with pytest.raises(error):
        await asked(session, Family.NEW_API, {USAGE: own}, key)


async def test_refused_by_its_own_figures_alone(session: ClientSession) -> None:
    """Without billing, the key's own endpoint says whether there is such a key."""
    state, _ = await asked(
        session, Family.NEW_API, {USAGE: no("Invalid token", 401)}, key
    )
    assert state == KeyState(KeyStatus.INVALID)


@dataclass(slots=True)
class Clock:
    """A clock that stands until a test moves it."""

    now: float = NOW

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@asynccontextmanager
async def agreed(
    session: ClientSession, limit: float = 10
) -> AsyncIterator[tuple[Scripted, Clock, Callable[[], Awaitable[KeyState]]]]:
    """Give a site whose billing and whose key's own figures have agreed once."""
    clock = Clock()
    replies: dict[str, Handler | list[Handler]] = {
        STATUS: SITES[Family.NEW_API],
        **billing(limit, 100),
        USAGE: usage(),
    }
    async with scripted(replies) as gateway:
        client = Client(
            session,
            gateway.url,
            Credentials.from_text(key=KEY),
            budget=Budget(lambda: 0.0),
            clock=clock,
        )
        site = await client.site()

        async def ask() -> KeyState:
            gateway.now = clock.now
            return await client.key(site)

        assert await ask() == ACTIVE
        assert gateway.paths.count(USAGE) == 1
        yield gateway, clock, ask


async def test_agreement_spares_critical_calls(session: ClientSession) -> None:
    """As long as billing says the same, the key is asked once an hour."""
    async with agreed(session) as (gateway, clock, ask):
        clock.now += 3600
        state = await ask()
        assert (state.scope, state.unlimited, state.name) == (Scope.KEY, False, "main")
        assert (state.remaining_quota, state.used_quota) == (4_500_000, 500_000)
        assert gateway.paths.count(USAGE) == 1

        clock.now += 1
        assert await ask() == state
        assert gateway.paths.count(USAGE) == 2


async def test_agreement_is_about_one_use(session: ClientSession) -> None:
    """When something was used, the key is asked: it may be another of the account's."""
    async with agreed(session) as (gateway, _, ask):
        gateway.replies |= billing(10, 150) | {USAGE: usage(4_250_000, 750_000)}
        assert (await ask()).remaining_quota == 4_250_000
        assert gateway.paths.count(USAGE) == 2


async def test_agreement_is_about_one_limit(session: ClientSession) -> None:
    """When the limit changes, the key is asked again: it may not be the key's."""
    async with agreed(session) as (gateway, _, ask):
        gateway.replies |= billing(20, 150) | {USAGE: usage(9_250_000, 750_000)}
        assert (await ask()).remaining_quota == 9_250_000
        assert gateway.paths.count(USAGE) == 2


@pytest.mark.parametrize(
    "billed",
    [
        billing(292.31, 20230),
        # The same total, of which something else was used.
        billing(10, 200),
        billing(10, 0),
    ],
)
async def test_no_agreement(session: ClientSession, billed: dict[str, Handler]) -> None:
    """Where billing speaks of the account, the key is asked every time."""
    replies = billed | {USAGE: usage()}

    async def twice(client: Client, site: Site) -> KeyState:
        await client.key(site)
        return await client.key(site)

    state, gateway = await asked(session, Family.NEW_API, replies, twice)
    assert state == ACTIVE
    assert gateway.paths.count(USAGE) == 2


async def test_agreement_holds_for_a_day(session: ClientSession) -> None:
    """When the key cannot be asked any more, what was agreed on holds for a day."""
    async with agreed(session) as (gateway, clock, ask):
        gateway.replies[USAGE] = Reply(500)
        clock.now += 86_400
        state = await ask()
        assert (state.scope, state.remaining_quota) == (Scope.KEY, 4_500_000)
        assert state.unanswered is None
        clock.now += 1
        state = await ask()
        assert (state.scope, state.remaining_quota) == (Scope.UNKNOWN, 4_500_000)
        assert isinstance(state.unanswered, ServerTroubleError)


async def test_reason_of_an_earlier_refusal(session: ClientSession) -> None:
    """A key that was used up and worked again may now be refused for another reason."""
    no = refusal("Invalid token")
    async with agreed(session) as (gateway, _, ask):
        gateway.replies |= {SUBSCRIPTION: no, BILLED: no, USAGE: usage(0, 5_000_000)}
        assert (await ask()).status is KeyStatus.EXHAUSTED
        gateway.replies |= billing(10, 100) | {USAGE: Reply(500)}
        assert (await ask()).status is KeyStatus.ACTIVE
        gateway.replies |= {SUBSCRIPTION: no, BILLED: no}
        state = await ask()
    assert state.status is KeyStatus.REFUSED
    assert isinstance(state.unanswered, ServerTroubleError)


async def test_account_with_the_figures_of_its_key(session: ClientSession) -> None:
    """An account can have its key's figures, as alice has in the recordings.

    Then another of its keys spends a dollar: billing, which speaks of the account, has
    the same limit and says that a dollar more was used. The key still has its own.
    """
    async with agreed(session) as (gateway, clock, ask):
        clock.now += 300
        gateway.replies |= billing(10, 200)
        state = await ask()
    assert (state.remaining_quota, state.used_quota) == (4_500_000, 500_000)


@pytest.mark.parametrize(("answered", "reserve"), [(billing(10, 100), 1), (None, 0)])
async def test_last_critical_call(
    session: ClientSession, answered: dict[str, Handler] | None, reserve: int
) -> None:
    """The last critical call is for a key that is refused, to know why."""
    replies = answered or refused(refusal("Invalid token"))
    budget = Budget(lambda: 0.0)
    async with scripted(
        {STATUS: SITES[Family.NEW_API], **replies, USAGE: usage(0, 500_001)}, now=NOW
    ) as gateway:
        site = await client_of(session, gateway).site()
        for _ in range(6):
            # As many clients as there are entries of a household.
            await client_of(session, gateway, budget=budget).key(site)
    assert gateway.paths.count(USAGE) == CRITICAL_CALLS - reserve


async def test_expiry_by_the_clock_of_the_site(session: ClientSession) -> None:
    """Whether a key has expired is the site's to say, whose clock may not be ours."""
    replies: dict[str, Handler] = {
        STATUS: SITES[Family.NEW_API],
        **refused(refusal("Invalid token")),
        USAGE: usage(expires_at=NOW + 50),
        LIST: in_list(expired_time=NOW + 50)[LIST],
    }
    # Without a clock of its own, ours is as good as any.
    for theirs, status, in_the_list in (
        (NOW + 100, KeyStatus.EXPIRED, KeyStatus.EXPIRED),
        (NOW + 20, KeyStatus.DISABLED, KeyStatus.ACTIVE),
        (None, KeyStatus.DISABLED, KeyStatus.ACTIVE),
    ):
        async with scripted(replies, now=theirs) as gateway:
            gateway.says_no_time = theirs is None
            client = client_of(session, gateway)
            site = await client.site()
            assert (await client.key(site)).status is status
            assert [each.status for each in await client.keys(site)] == [in_the_list]


@pytest.mark.parametrize("family", [Family.NEW_API, Family.ONE_API, Family.ONE_HUB])
async def test_site_without_billing(session: ClientSession, family: Family) -> None:
    """Where no endpoint has seen the key, nobody knows whether it is good."""
    try:
        state, _ = await asked(session, family, {}, key)
    except EndpointMissingError:
        return
    assert state.status is not KeyStatus.ACTIVE


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        (billing(10, 100) | {BILLED: Reply(500)}, ServerTroubleError),
        (billing(10, 100) | {SUBSCRIPTION: Reply.html()}, NotAGatewayError),
        (billing(10, 100) | {SUBSCRIPTION: Reply.json({})}, UnexpectedReplyError),
        (billing(10, 100) | {BILLED: refusal("", 200)}, ServerTroubleError),
        (billing(10, 100) | {BILLED: Reply(429, b"", None)}, RateLimitedError),
        (
            billing(10, 100) | {BILLED: Reply.redirect("https://example.org")},
            MovedError,
        ),
    ],
)
async def test_billing_that_fails(
    session: ClientSession, replies: dict[str, Handler], error: type[GatewayError]
) -> None:
    """Half of billing is no billing."""
    with pytest.raises(error) as raised:
        await asked(session, Family.NEW_API, replies, key)
    assert type(raised.value) is error
    assert_tells_nothing(raised.value)


async def test_billing_is_asked_at_once(session: ClientSession) -> None:
    """Requests that do not need each other run at the same time."""
    together = asyncio.Barrier(2)

    def waiting(reply: Reply) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            await together.wait()
            return await reply(request)

        return answer

    replies = {
        path: waiting(reply)
        for path, reply in billing(10, 100, NOW + 9).items()
        if isinstance(reply, Reply)
    }
    state, _ = await asked(session, Family.NEW_API, replies, key)
    assert state.scope is Scope.KEY


# ------------------------------------------------------------------------------------
# A key of an account's list.


async def key_of_the_list(client: Client, site: Site) -> KeyState:
    """Ask for the account's keys, and for the configured one among them."""
    (configured,) = (each for each in await client.keys(site) if each.configured)
    return await client.key(site, configured)


def in_list(**more: Any) -> dict[str, Handler]:
    """Return the reply of an account with this key alone."""
    page = {"items": [listed(**more)], "total": 1, "page": 1, "page_size": 100}
    return {LIST: yes(page)}


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply.json({"hard_limit_usd": 1}), KeyStatus.ACTIVE),
        (Reply(), KeyStatus.ACTIVE),
        (NO_ENDPOINT, KeyStatus.ACTIVE),
        (Reply(500, b"", None), KeyStatus.ACTIVE),
        (Reply(429, b"", None), KeyStatus.ACTIVE),
        (refusal("", 403, code="access_denied"), KeyStatus.IP_RESTRICTED),
        (refusal("用户已被封禁", 403), KeyStatus.OWNER_DISABLED),
        (refusal("该令牌额度已用尽"), KeyStatus.EXHAUSTED),
        # The account has it, so it is there: it was refused for something else.
        (refusal("无效的令牌"), KeyStatus.REFUSED),
        (refusal("Invalid token"), KeyStatus.REFUSED),
    ],
)
async def test_listed_key(
    session: ClientSession, reply: Reply, status: KeyStatus
) -> None:
    """The list has the figures; the key itself only shows whether it is let in."""
    state, gateway = await asked(
        session, Family.NEW_API, in_list() | {SUBSCRIPTION: reply}, key_of_the_list
    )
    assert state == KeyState(status, Scope.KEY, False, 4_500_000, 500_000, name="main")
    assert gateway.paths[1:] == [SUBSCRIPTION]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"status": 2}, KeyStatus.DISABLED),
        ({"expired_time": NOW - 1}, KeyStatus.EXPIRED),
        ({"remain_quota": 0}, KeyStatus.EXHAUSTED),
    ],
)
async def test_listed_key_that_is_spent(
    session: ClientSession, row: dict[str, Any], status: KeyStatus
) -> None:
    """What the list knows of a key is better than a bare no."""
    state, _ = await asked(
        session,
        Family.NEW_API,
        in_list(**row) | {SUBSCRIPTION: refusal("Invalid token")},
        key_of_the_list,
    )
    assert state.status is status


async def test_listed_key_that_the_site_accepts(session: ClientSession) -> None:
    """A key that the site accepts has not expired, whatever the list's clock says."""
    state, _ = await asked(
        session,
        Family.NEW_API,
        in_list(expired_time=NOW - 1) | billing(10, 100),
        key_of_the_list,
    )
    assert (state.status, state.expires_at) == (KeyStatus.ACTIVE, NOW - 1)


@pytest.mark.parametrize(
    "reply", [Reply.html(403), Reply.json([]), Reply.redirect("https://example.org")]
)
async def test_listed_key_behind_a_wall(session: ClientSession, reply: Reply) -> None:
    """Figures that the list has told stand, whatever stands before billing."""
    state, _ = await asked(
        session, Family.NEW_API, in_list() | {SUBSCRIPTION: reply}, key_of_the_list
    )
    assert state == ACTIVE


async def keys(client: Client, site: Site) -> tuple[AccountKey, ...]:
    """Ask for the account's keys."""
    return await client.keys(site)


async def test_two_keys_with_the_same_ends(session: ClientSession) -> None:
    """Where a mask fits two keys, neither is taken for the configured one."""
    page = {"items": [listed(2), listed(1)], "total": 2, "page_size": 100}
    found, _ = await asked(session, Family.NEW_API, {LIST: yes(page)}, keys)
    assert [each.id for each in found] == [2, 1]
    assert not any(each.configured for each in found)


async def test_key_that_moves_to_the_next_page(session: ClientSession) -> None:
    """A key that a new one has pushed to the next page is one key."""
    first = {"items": [listed(3), listed(2)], "total": 3, "page_size": 2}
    second = {"items": [listed(2), listed(1)], "total": 3, "page_size": 2}
    found, gateway = await asked(
        session,
        Family.NEW_API,
        {f"{LIST}?p=0&size=100": yes(first), f"{LIST}?p=2&size=100": yes(second)},
        keys,
    )
    assert [each.id for each in found] == [3, 2, 1]
    assert len(gateway.asked) == 2


@pytest.mark.parametrize(
    "reply", [no("size 参数不能超过 100"), no("", 401), no("", 403)]
)
async def test_list_that_is_refused(session: ClientSession, reply: Reply) -> None:
    """The account tells whether its token is good; its list is no question of that."""
    with pytest.raises(ServerTroubleError) as raised:
        await asked(session, Family.NEW_API, {LIST: reply}, keys)
    assert_tells_nothing(raised.value)


@pytest.mark.parametrize(
    "item", [None, "key", [], {}, listed(remain_quota="1"), listed(key=17, id=None)]
)
async def test_list_that_is_wrong(session: ClientSession, item: Any) -> None:
    """One wrong key makes the list unusable: nothing tells what else is wrong."""
    page = {"items": [item], "total": 1, "page_size": 100}
    for data in (page, [item]):
        with pytest.raises(UnexpectedReplyError):
            await asked(session, Family.NEW_API, {LIST: yes(data)}, keys)


# ------------------------------------------------------------------------------------
# The account.


async def account(client: Client, _site: Site) -> Any:
    """Ask for the account."""
    return await client.account()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (no("Unauthorized, invalid access token"), Refusal.INVALID),
        (no("", 401, code="AUTH_UNAUTHORIZED"), Refusal.INVALID),
        (no("", 401, code="AUTH_TOKEN_EXPIRED"), Refusal.INVALID),
        (no("", 401, code="AUTH_USER_DISABLED"), Refusal.OWNER_DISABLED),
        (no("User has been banned"), Refusal.OWNER_DISABLED),
        (no("用户已被封禁"), Refusal.OWNER_DISABLED),
        (no("New-Api-User header not provided", 401), Refusal.USER_ID_MISSING),
        (no("未提供 Veloera-User", 401), Refusal.USER_ID_MISSING),
        (no("New-Api-User 与登录用户不匹配", 401), Refusal.USER_ID_MISMATCH),
        (no("New-Api-User 格式错误", 401), Refusal.USER_ID_MISMATCH),
        (yes(ACCOUNT | {"id": 3}), Refusal.USER_ID_MISMATCH),
        # Something stands before the site: that is not for another token to change.
        (no("", 403), Refusal.UNEXPLAINED),
        (no("", 403, code="AUTH_INSUFFICIENT_PRIVILEGE"), Refusal.UNEXPLAINED),
        (no("User has been banned", 403), Refusal.OWNER_DISABLED),
    ],
)
async def test_account_refused(
    session: ClientSession, reply: Reply, reason: Refusal
) -> None:
    """A refusal is about the token, the user ID, or the account itself."""
    with pytest.raises(RefusedError) as raised:
        await asked(session, Family.NEW_API, {SELF: reply}, account)
    assert raised.value.reason is reason
    assert_tells_nothing(raised.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply.html(), NotAGatewayError),
        (Reply.html(403), BlockedError),
        (NO_ENDPOINT, EndpointMissingError),
        (Reply(500, b"", None), ServerTroubleError),
        (Reply(), ServerTroubleError),
        (yes(None), UnexpectedReplyError),
        (yes([]), UnexpectedReplyError),
        (yes(ACCOUNT | {"quota": None}), UnexpectedReplyError),
        (Reply(429, b"", None), RateLimitedError),
    ],
)
async def test_account_that_fails(
    session: ClientSession, reply: Reply, error: type[GatewayError]
) -> None:
    """Trouble of the site is not a wrong token."""
    with pytest.raises(error) as raised:
        await asked(session, Family.NEW_API, {SELF: reply}, account)
    assert isinstance(raised.value, error)
    assert not isinstance(raised.value, RefusedError)


async def test_figures_of_another_account(session: ClientSession) -> None:
    """A cache once mixed up accounts: theirs are not taken for ours (1.5)."""
    replies: dict[str, Handler] = {
        STATUS: SITES[Family.ONE_API],
        SELF: yes(ACCOUNT | {"id": 3}),
        LIST: yes([listed(user_id=3)]),
    }
    async with scripted(replies, now=NOW) as gateway:
        client = Client(
            session,
            gateway.url,
            Credentials.from_text(access_token=TOKEN),
            account_id=2,
        )
        site = await client.site()
        with pytest.raises(RefusedError) as raised:
            await client.account()
        assert raised.value.reason is Refusal.USER_ID_MISMATCH
        with pytest.raises(UnexpectedReplyError):
            await client.keys(site)
        gateway.replies |= {SELF: yes(ACCOUNT), LIST: yes([listed(user_id=2)])}
        assert (await client.account()).id == 2
        assert len(await client.keys(site)) == 1


async def test_account_headers(session: ClientSession) -> None:
    """The account is asked with the token and the user ID of all known forks."""
    _, gateway = await asked(session, Family.VELOERA, {SELF: yes(ACCOUNT)}, account)
    (request,) = gateway.asked
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    for header in (
        "New-Api-User",
        "Veloera-User",
        "X-Api-User",
        "voapi-user",
        "User-id",
        "Rix-Api-User",
        "neo-api-user",
    ):
        assert request.headers[header] == "2"


# ------------------------------------------------------------------------------------
# The models.


async def account_models(client: Client, site: Site) -> tuple[str, ...]:
    """Ask for the account and its models."""
    return await client.account_models(site, (await client.account()).group)


@pytest.mark.parametrize(
    ("family", "path"),
    [
        (Family.NEW_API, "/api/user/models"),
        (Family.VELOERA, "/api/user/models"),
        (Family.ONE_API, "/api/user/available_models"),
        (Family.UNKNOWN, "/api/user/models"),
    ],
)
async def test_models_of_account(
    session: ClientSession, family: Family, path: str
) -> None:
    """Each family shows the models of an account elsewhere (6.2)."""
    replies = {SELF: yes(ACCOUNT), path: yes(["b", "a", "b"])}
    models, gateway = await asked(session, family, replies, account_models)
    assert models == ("a", "b")
    assert gateway.paths == [SELF, path]


async def test_models_of_account_of_a_fork(session: ClientSession) -> None:
    """A fork is asked at each of the places, and not twice where there is none."""
    first, second = "/api/user/models", "/api/user/available_models"

    async def twice(client: Client, site: Site) -> tuple[str, ...]:
        await account_models(client, site)
        return await account_models(client, site)

    for reply, paths in (
        (NO_ENDPOINT, [SELF, first, second, SELF, second]),
        # Older servers take an unknown path for the id of a user (1.3).
        (no("无权进行此操作，权限不足"), [SELF, first, second] * 2),
    ):
        replies = {SELF: yes(ACCOUNT), first: reply, second: yes(None)}
        models, gateway = await asked(session, Family.UNKNOWN, replies, twice)
        assert models == ()
        assert gateway.paths == paths


@pytest.mark.parametrize(
    ("reply", "times"), [(NO_ENDPOINT, 1), (no("权限不足"), 2), (no("", 403), 2)]
)
async def test_site_without_models_of_accounts(
    session: ClientSession, reply: Reply, times: int
) -> None:
    """A site that says that it does not tell is not asked again."""
    replies = {STATUS: SITES[Family.NEW_API], SELF: yes(ACCOUNT), USER_MODELS: reply}
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        for _ in range(2):
            with pytest.raises(EndpointMissingError):
                await account_models(client, site)
    assert gateway.paths.count(USER_MODELS) == times


@pytest.mark.parametrize(
    "reply", [no("unauthorized", 401), refusal("Invalid token"), refusal("no", 403)]
)
async def test_models_of_account_that_are_refused(
    session: ClientSession, reply: Reply
) -> None:
    """Any other refusal says nothing about what the site has."""
    replies = {SELF: yes(ACCOUNT), USER_MODELS: reply}
    with pytest.raises(RefusedError):
        await asked(session, Family.NEW_API, replies, account_models)


GROUPS: Final = {
    "b": {"groups": ["default", "vip"]},
    "a": {"groups": ["default"]},
    "of others": {"groups": ["vip"]},
    "of nobody": {"groups": None},
    "unheard of": {},
    "broken": None,
}


async def test_models_of_account_on_one_hub(session: ClientSession) -> None:
    """One Hub shows all models to everybody, with the groups that may use them."""
    replies = {SELF: yes(ACCOUNT), "/api/available_model": yes(GROUPS)}
    models, gateway = await asked(session, Family.ONE_HUB, replies, account_models)
    assert models == ("a", "b")
    assert "Authorization" not in gateway.asked[-1].headers


@pytest.mark.parametrize(
    "models",
    [
        None,
        ["a"],
        {"a": {"groups": 1}},
        {"a": {"groups": True}},
        {"a": {"groups": "no default"}},
        {"a": {"groups": {"default": 1}}},
    ],
)
async def test_models_that_are_no_models_of_groups(
    session: ClientSession, models: Any
) -> None:
    """Groups of a wrong type make the reply unusable, like any other field."""
    replies = {SELF: yes(ACCOUNT), "/api/available_model": yes(models)}
    with pytest.raises(UnexpectedReplyError):
        await asked(session, Family.ONE_HUB, replies, account_models)


@pytest.mark.parametrize(
    ("reply", "models"),
    [
        (Reply.json({"success": True, "data": [{"id": "b"}, {"id": "a"}]}), ("a", "b")),
        (Reply.json({"object": "list", "data": [{"id": "a"}, {"id": "a"}]}), ("a",)),
        (Reply.json({"data": []}), ()),
        (Reply(body=b'{"data": [{"id": "a\\ud800"}]}'), ("a?",)),
    ],
)
async def test_models_of_key(
    session: ClientSession, reply: Reply, models: tuple[str, ...]
) -> None:
    """The models of a key are distinct and sorted, in every shape (4.1)."""

    async def key_models(client: Client, _site: Site) -> tuple[str, ...]:
        return await client.key_models()

    found, gateway = await asked(session, Family.NEW_API, {MODELS: reply}, key_models)
    assert found == models
    assert gateway.asked[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal("Invalid token"), RefusedError),
        (no("get user group failed"), ServerTroubleError),
        (Reply.json({"object": "list", "data": None}), UnexpectedReplyError),
        (Reply.json({"data": {"a": 1}}), UnexpectedReplyError),
        (Reply.json({"data": [{"name": "a"}]}), UnexpectedReplyError),
        (Reply.html(), NotAGatewayError),
        (refusal("the group is gone", 503), ServerTroubleError),
    ],
)
async def test_models_of_key_that_fail(
    session: ClientSession, reply: Reply, error: type[GatewayError]
) -> None:
    """No models are no empty list of models."""
    async with scripted({MODELS: reply}, now=NOW) as gateway:
        with pytest.raises(error):
            await client_of(session, gateway).key_models()


# ------------------------------------------------------------------------------------
# How questions run.


@pytest.mark.parametrize("path", [STATUS, SUBSCRIPTION, USAGE, SELF, LIST, MODELS])
async def test_every_question_has_its_time(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A site that hangs is given up, whatever it was asked."""
    done = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await done.wait()
        return web.Response()

    questions: dict[str, Question[object]] = {
        STATUS: lambda client, _site: client.site(),
        SUBSCRIPTION: key,
        USAGE: key,
        SELF: account,
        LIST: keys,
        MODELS: lambda client, _site: client.key_models(),
    }
    replies: dict[str, Handler | list[Handler]] = {
        STATUS: SITES[Family.NEW_API],
        **billing(10, 100),
    }
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        gateway.replies[path] = hang
        monkeypatch.setattr(client_module, "QUESTION_TIMEOUT", 0.05)
        with pytest.raises(CannotConnectError) as raised:
            async with asyncio.timeout(10):
                await questions[path](client, site)
        done.set()
    assert_tells_nothing(raised.value)


async def test_question_does_not_swallow_being_cancelled() -> None:
    """Who asks may give up, too: that is no failure of the site."""

    async def ask() -> None:
        async with within(30):
            await asyncio.Event().wait()

    task = asyncio.create_task(ask())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_at_once() -> None:
    """Results come in the order of the requests, not of their ends."""
    first = asyncio.Event()

    async def late() -> int:
        await first.wait()
        return 1

    async def early() -> int:
        first.set()
        return 2

    assert await at_once(late(), early()) == [1, 2]
    assert await at_once() == []


async def test_at_once_fails_with_the_first_failure() -> None:
    """One failure ends the others, and is raised as it is, not in a group."""
    cancelled = False

    async def wait() -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled = True
            raise

    async def fail() -> None:
        raise EndpointMissingError("gone")

    with pytest.raises(EndpointMissingError, match="gone"):
        await at_once(wait(), fail())
    assert cancelled


async def test_at_once_does_not_hide_a_bug() -> None:
    """What is no failure of a site is not taken for one."""

    async def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as raised:
        await at_once(bug())
    assert raised.group_contains(ZeroDivisionError)


# ------------------------------------------------------------------------------------
# The package.


def test_it_knows_nothing_of_home_assistant() -> None:
    """The client could be published alone: it imports nothing of its surroundings."""
    (folder,) = package.__path__
    for file in sorted(Path(folder).glob("**/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
                level = 0
            elif isinstance(node, ast.ImportFrom):
                names, level = [node.module or ""], node.level
            else:
                continue
            for name in names:
                assert level <= 1, f"{file.name} looks outside of its folder"
                assert not name.startswith(("homeassistant", "custom_components"))


def test_errors_are_of_one_tree() -> None:
    """Whoever catches a GatewayError catches all of them."""
    from custom_components.new_api.gateway import errors  # noqa: PLC0415

    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert len(kinds) >= 11
    assert all(issubclass(kind, GatewayError) for kind in kinds)
