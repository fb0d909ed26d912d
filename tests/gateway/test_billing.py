"""Whose figures billing shows, and what of them is certain."""

from decimal import Decimal
from itertools import pairwise

from aiohttp import ClientSession
from hypothesis import given, strategies as st
import pytest

from custom_components.new_api.gateway.billing import Billing, BillingReader
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import UnexpectedReplyError
from custom_components.new_api.gateway.models import (
    Family,
    KeyState,
    KeyStatus,
    Scope,
    Site,
)
from custom_components.new_api.gateway.money import Unit
from tests.gateway import expectations as expected
from tests.gateway.dated import replaying_then
from tests.gateway.known import known
from tests.recordings import SITES, load
from tests.recordings.replay import Phase, replaying

PER_UNIT = 500_000


def site(family: Family, unit: Unit | None = None) -> Site:
    """Return a site of a family; it shows US dollars if nothing else is said."""
    return Site(
        family=family,
        version=None,
        name=None,
        quota_per_unit=Decimal(PER_UNIT),
        unit=unit or Unit.usd(Decimal(PER_UNIT)),
    )


def billing(limit: float, used: float, expires_at: int | None = None) -> Billing:
    """Return what both endpoints say, in dollars."""
    return Billing(Decimal(str(limit)), Decimal(str(used)), expires_at)


def read(family: Family, *readings: tuple[float, float]) -> KeyState:
    """Return what one reader says after the last of several readings of a key."""
    reader = BillingReader()
    for limit, used in readings:
        state = reader.read(site(family), billing(limit, used))
    return state


def figures(state: KeyState) -> tuple[str, float | None, float | None]:
    """Return the scope, what remains and what was used, in dollars."""
    return (
        state.scope.value,
        state.remaining_quota and state.remaining_quota / PER_UNIT,
        state.used_quota and state.used_quota / PER_UNIT,
    )


# The replies of a key that says nothing else: a limit and what was used, in dollars.
# What follows for certain, by what may be meant (9.4): the scope, and what remains.
SINGLE = [
    # New API's subtraction is right whoever it belongs to; nothing left is no key's.
    (Family.NEW_API, (292.31, 202.30), ("unknown", 90.01)),
    (Family.NEW_API, (292.31, 0), ("unknown", 292.31)),
    (Family.NEW_API, (202.30, 202.30), ("account", 0)),
    (Family.NEW_API, (9.753088, 10), ("account", -0.246912)),
    (Family.VELOERA, (292.31, 202.30), ("unknown", 90.01)),
    (Family.VELOERA, (9.753088, 10), ("account", -0.246912)),
    (Family.ONE_HUB, (292.31, 202.30), ("unknown", 90.01)),
    (Family.ONE_HUB, (9.753088, 10), ("account", -0.246912)),
    # One API's limit may be what is left.
    (Family.ONE_API, (292.31, 202.30), ("unknown", None)),
    (Family.ONE_API, (292.31, 0), ("unknown", 292.31)),
    (Family.ONE_API, (90.01, 202.30), ("account", 90.01)),
    # A last request may overdraw a key that the site still remembers as good.
    (Family.ONE_API, (200, 200), ("unknown", None)),
    (Family.ONE_API, (200, 300), ("unknown", None)),
    (Family.ONE_API, (200, 300.01), ("account", 200)),
    (Family.ONE_API, (-0.246912, 10), ("account", -0.246912)),
    # Of a fork nobody knows which of them it is.
    (Family.UNKNOWN, (292.31, 202.30), ("unknown", None)),
    (Family.UNKNOWN, (292.31, 0), ("unknown", 292.31)),
    (Family.UNKNOWN, (90.01, 202.30), ("account", None)),
]


@pytest.mark.parametrize(("family", "reading", "known"), SINGLE)
def test_one_reading(
    family: Family, reading: tuple[float, float], known: tuple[str, float | None]
) -> None:
    """One reading proves little, and no more than that is said."""
    state = read(family, reading)
    scope, remaining = known
    assert figures(state) == (scope, remaining, reading[1])
    assert (state.status, state.unlimited) == (KeyStatus.ACTIVE, None)


# Several readings on One API, and what is certain after the last. The use has to grow
# twice under the same limit: caches, and two questions at once, may let a balance fall
# before the use is seen to grow (3.6).
GROWING = [(200, 10), (200, 11), (200, 12)]
LOST = ("unknown", None)
SEVERAL: list[tuple[str, list[tuple[float, float]], tuple[str, float | None]]] = [
    ("nothing was spent", [(200, 10), (200, 10)], ("unknown", None)),
    ("a limit that falls is a balance", [(200, 10), (199, 11)], ("account", 199)),
    ("the owner tops up", [(200, 10), (199, 11), (299, 11)], ("account", 299)),
    ("a limit that stays once may lag", [(200, 10), (200, 11)], ("unknown", None)),
    ("one that stays twice is a key's", [*GROWING], ("key", 188)),
    ("once proven", [*GROWING, (200, 12)], ("key", 188)),
    ("with pauses", [(200, 10), (200, 11), (200, 11), (200, 12)], ("key", 188)),
    ("the owner adds to the key", [*GROWING, (300, 12)], ("key", 288)),
    ("spent and topped up at once", [(200, 10), (290, 20)], ("unknown", None)),
    ("the proof is gone", [*GROWING, (290, 20)], ("unknown", None)),
    ("and comes again", [*GROWING, (290, 20), (290, 21), (290, 22)], ("key", 268)),
    ("one growth is none after a change", [*GROWING[:2], (300, 11), (300, 12)], LOST),
    ("refunded", [(200, 10), (200, 9), (200, 8)], ("unknown", None)),
    ("refunded to a proven key", [*GROWING, (200, 11)], ("key", 189)),
    ("refunded to the account", [(200, 10), (201, 9)], ("unknown", None)),
    ("more used than the limit", [*GROWING, (8, 13)], ("account", 8)),
    ("then the account spends", [(8, 13), (7, 14), (107, 14)], ("account", 107)),
    # It may have been a key that was overdrawn, and has a higher limit now.
    ("raised after that", [(8, 13), (108, 13)], LOST),
    ("raised and used", [(8, 13), (108, 13), (108, 14), (108, 15)], ("key", 93)),
    ("topped up and used", [(8, 13), (108, 13), (107, 14)], ("account", 107)),
]


@pytest.mark.parametrize(
    ("readings", "known"),
    [pytest.param(readings, known, id=what) for what, readings, known in SEVERAL],
)
def test_several_readings(
    readings: list[tuple[float, float]], known: tuple[str, float | None]
) -> None:
    """What changes between readings shows whose figures they are, on One API."""
    assert figures(read(Family.ONE_API, *readings)) == (*known, readings[-1][1])


def test_proof_is_of_one_key() -> None:
    """What one reader has learned, another does not know."""
    assert read(Family.ONE_API, *GROWING).scope is Scope.KEY
    assert read(Family.ONE_API, GROWING[-1]).scope is Scope.UNKNOWN


@pytest.mark.parametrize("family", [Family.NEW_API, Family.VELOERA, Family.ONE_HUB])
def test_changes_prove_nothing_elsewhere(family: Family) -> None:
    """Where an account's limit stays too, as on all but One API, it is no proof."""
    assert figures(read(family, *GROWING)) == ("unknown", 188, 12)


def test_limit_of_a_fork_that_stays() -> None:
    """It is a key's limit or an account's total: the subtraction is right for both."""
    state = read(Family.UNKNOWN, *GROWING)
    assert figures(state) == ("unknown", 188, 12)
    assert state.unlimited is None


@pytest.mark.parametrize(
    "lagging",
    [
        [(200, 10), (199, 10), (199, 11)],
        [(200, 10), (199, 10), (199, 11), (198, 11), (198, 12), (197, 12), (197, 13)],
        [(200, 10), (200, 10), (199, 10), (198, 10), (198, 12), (198, 12)],
    ],
)
def test_account_that_lags(lagging: list[tuple[float, float]]) -> None:
    """With Redis a balance falls before what was used is written down (3.6).

    A reading in between sees only the balance fall, and the next only the use grow.
    What remains is the balance, and never what a key's limit would leave.
    """
    reader = BillingReader()
    for limit, used in lagging:
        state = reader.read(site(Family.ONE_API), billing(limit, used))
        assert state.scope is not Scope.KEY
        assert state.remaining_quota in (None, limit * PER_UNIT)


def accounts() -> st.SearchStrategy[list[tuple[int, int]]]:
    """Return readings of one that only spends: what is left, and what was used."""
    return st.builds(
        lambda left, steps: [
            (left - sum(steps[:done]), sum(steps[:done]))
            for done in range(len(steps) + 1)
        ],
        st.integers(0, 10**6),
        st.lists(st.integers(0, 10**4), max_size=8),
    )


@given(accounts(), st.integers(0, 10**6))
def test_spending_account(readings: list[tuple[int, int]], before: int) -> None:
    """However an account of One API spends, nothing untrue is said of it."""
    reader = BillingReader()
    for left, used in readings:
        spent = used + before
        state = reader.read(
            site(Family.ONE_API, Unit.tokens()),
            Billing(Decimal(left), Decimal(spent), None),
        )
        assert state.scope is not Scope.KEY
        assert state.used_quota == spent
        assert state.remaining_quota in (None, left)


@given(accounts(), st.integers(0, 10**6))
def test_spending_key(readings: list[tuple[int, int]], before: int) -> None:
    """However a limited key of One API spends, nothing untrue is said of it."""
    reader = BillingReader()
    for left, used in readings:
        if left <= 0:
            # The site refuses it then.
            break
        spent = used + before
        state = reader.read(
            site(Family.ONE_API, Unit.tokens()),
            Billing(Decimal(left + spent), Decimal(spent), None),
        )
        assert state.scope is not Scope.ACCOUNT
        assert state.used_quota == spent
        assert state.remaining_quota in (None, left)
    if len({used for _, used in readings}) > 2 and readings[-1][0] > 0:
        assert state.scope is Scope.KEY
        assert state.remaining_quota == readings[-1][0]


@pytest.mark.parametrize(
    ("family", "is_key"),
    [
        (Family.NEW_API, True),
        (Family.VELOERA, True),
        (Family.ONE_API, True),
        # Done Hub can show the account's figures to a key that expires (8).
        (Family.ONE_HUB, False),
        (Family.UNKNOWN, False),
    ],
)
def test_expiry_proves_a_key(family: Family, is_key: bool) -> None:
    """Only a key has an expiry, where it is known that accounts show none."""
    state = BillingReader().read(site(family), billing(200, 10, 1795680838))
    assert state.expires_at == 1795680838
    assert state.scope is (Scope.KEY if is_key else Scope.UNKNOWN)
    assert state.unlimited is (False if is_key else None)
    if is_key:
        assert state.remaining_quota == 190 * PER_UNIT


@pytest.mark.parametrize("family", list(Family))
def test_sentinel(family: Family) -> None:
    """100000000 is no balance, but for One Hub, which has no such sentinel (8)."""
    state = BillingReader().read(site(family), billing(100_000_000, 15))
    assert state.used_quota == 15 * PER_UNIT
    if family is Family.ONE_HUB:
        assert (state.scope, state.unlimited) == (Scope.UNKNOWN, None)
        assert state.remaining_quota == (100_000_000 - 15) * PER_UNIT
    else:
        assert (state.scope, state.unlimited) == (Scope.KEY, True)
        assert state.remaining_quota is None


@pytest.mark.parametrize("family", [Family.NEW_API, Family.ONE_API, Family.UNKNOWN])
def test_sentinel_among_raw_figures(family: Family) -> None:
    """Where raw quota is shown, 100000000 may be 200 honest dollars (9.5)."""
    state = BillingReader().read(
        site(family, Unit.tokens()), billing(100_000_000, 7_500_000)
    )
    assert (state.scope, state.unlimited) == (Scope.UNKNOWN, None)
    assert (state.remaining_quota, state.used_quota) == (None, 7_500_000)


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize(
    ("limit", "used"), [(None, None), (None, Decimal(1)), (Decimal(1), None)]
)
def test_silent_billing(
    family: Family, limit: Decimal | None, used: Decimal | None
) -> None:
    """Half an answer is no remaining quota (1.8)."""
    state = BillingReader().read(site(family), Billing(limit, used, None))
    assert (state.status, state.scope) == (KeyStatus.ACTIVE, Scope.UNKNOWN)
    assert (state.remaining_quota, state.unlimited) == (None, None)
    assert state.used_quota == (used and PER_UNIT)


def test_no_usable_divisor() -> None:
    """Without a divisor billing's numbers mean nothing, but the sentinel does."""
    free = site(Family.ONE_API, Unit.usd(None))
    assert BillingReader().read(free, billing(200, 10)) == KeyState(KeyStatus.ACTIVE)
    unlimited = BillingReader().read(free, billing(100_000_000, 10))
    assert (unlimited.scope, unlimited.unlimited) == (Scope.KEY, True)
    assert unlimited.used_quota is None


def test_replies() -> None:
    """Numbers are taken as they stand there; hundredths are used up (4.4)."""
    read = Billing.from_replies(
        {"hard_limit_usd": Decimal("292.31"), "access_until": 0},
        {"total_usage": Decimal("145656.00000000003")},
    )
    assert read == Billing(Decimal("292.31"), Decimal("1456.5600000000003"), None)
    assert Billing.from_replies(None, None) == Billing(None, None, None)
    # A fork may leave out what OpenAI has, too.
    assert Billing.from_replies({"hard_limit_usd": 3}, None) == Billing(
        Decimal(3), None, None
    )
    assert Billing.from_replies(
        {"hard_limit_usd": 3, "access_until": 1795680838}, None
    ) == Billing(Decimal(3), None, 1795680838)


@pytest.mark.parametrize("wrong", [None, "1", True, [], {}])
@pytest.mark.parametrize("field", ["hard_limit_usd", "access_until", "total_usage"])
def test_wrong_replies(field: str, wrong: object) -> None:
    """A number of the wrong type makes the reply unusable."""
    subscription = {"hard_limit_usd": Decimal(1), "access_until": 0}
    usage = {"total_usage": Decimal(1)}
    for reply in (subscription, usage):
        if field in reply:
            with pytest.raises(UnexpectedReplyError):
                Billing.from_replies(
                    {**subscription, field: wrong}, {**usage, field: wrong}
                )


# ------------------------------------------------------------------------------------
# The recorded `spending` sites: two chats with `main`, one with `unlimited`, and one
# that `exhausted` could not pay. What a chat cost, in raw quota, is what the account
# was charged for three.
COST = {
    "new_api_main": 3750,
    "new_api_rc21": 3750,
    "new_api_0_9": 3750,
    "one_api": 7500,
    "one_hub": 6250,
}


def spent(server: str, key: str) -> int:
    """Return what the key's use grew by, as the server counts it."""
    if key == "unlimited" and server in ("one_api", "one_hub"):
        # Neither counts what an unlimited key uses (3.4).
        return 0
    return COST[server] * {"main": 2, "unlimited": 1, "exhausted": 0}[key]


def after(server: str, key: str) -> expected.Key:
    """Return what can be known of a key after the chats, having read it before."""
    recording = load(server, "spending")
    usd = load(server, "usd")
    before = expected.key_alone(usd, key)
    account = recording.truth.users["alice"]
    if (server, key) == ("one_hub", "unlimited"):
        # It shows the account's figures, which three chats were taken from.
        return expected.Key(
            "active",
            "unknown",
            None,
            account["quota"] - 3 * COST[server],
            account["used_quota"] + 3 * COST[server],
        )
    return expected.Key(
        before.status,
        before.scope,
        before.unlimited,
        before.remaining_quota and before.remaining_quota - spent(server, key),
        before.used_quota and before.used_quota + spent(server, key),
    )


@pytest.mark.parametrize("server", SITES)
def test_cost_is_what_the_account_paid(server: str) -> None:
    """The account's own figures say what the chats cost."""
    recording = load(server, "spending")
    used = [
        recording.find(f"{phase}: account /api/user/self").json()["data"]["used_quota"]
        for phase in ("before", "after")
    ]
    assert [later - earlier for earlier, later in pairwise(used)] == [3 * COST[server]]


@pytest.mark.parametrize("key", ["main", "unlimited", "exhausted"])
@pytest.mark.parametrize("server", SITES)
async def test_spending(session: ClientSession, server: str, key: str) -> None:
    """A client that reads before and after the chats knows what there is to know."""
    usd = load(server, "usd")
    async with replaying(usd) as replay:
        site = await Client(session, replay.url, Credentials()).site()
    recording = load(server, "spending")
    async with replaying_then(recording) as replay:
        client = Client(
            session,
            replay.url,
            Credentials.from_text(key=expected.secret(recording, key)),
            clock=lambda: recording.recorded_at,
        )
        phases: list[tuple[Phase, expected.Key]] = [
            ("before", expected.key_alone(usd, key)),
            ("after", after(server, key)),
            ("after", after(server, key)),
        ]
        for phase, right in phases:
            replay.phase = phase
            assert known(await client.key(site)) == right
        assert replay.unrecorded == []
        assert {method for method, _, _ in replay.requests} == {"GET"}
