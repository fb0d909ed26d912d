"""Replies that are well formed, and mean something else."""

from decimal import Decimal
from typing import Any, Final

from homeassistant.util import dt as dt_util
from tests.fault_matrix.columns import ACCOUNT, Figure
from tests.fault_matrix.replies import DASHBOARD_REFUSAL, in_data, overdrawn, said
from tests.fault_matrix.truth import Between, Value
from tests.home import HOURLY, Site
from tests.simulator import Answer, Fault, Misdate, Rewrite

from .row import IN_ACCOUNT, SHADOWED, Level, Make, Row, same


def _envelope(**changes: Any) -> Make:
    return same(Rewrite(lambda reply: reply | changes))


def _status_only(**changes: Any) -> Make:
    """Change what a site says of itself."""
    fault = in_data(lambda data: data | changes)
    return lambda _site, path: fault if path == "/api/status" else None


def _debts(_site: Site, path: str) -> Fault | None:
    # What was spent is never a debt.
    is_spending = path.startswith(("/api/data/", "/api/log/"))
    return None if is_spending else in_data(overdrawn)


def _debt(figure: Figure, value: Value) -> Value | None:
    device, name = figure
    if name == "Status":
        return "exhausted"
    if name == "Low balance" or (name == "Not usable" and device != ACCOUNT):
        return "on"
    if name == "Days left":
        return Decimal(0)
    if name == "Runs out":
        now = Decimal(dt_util.utcnow().timestamp())
        return Between(now - 3_600, now)
    if name != "Remaining quota" or not isinstance(value, Decimal):
        return None
    return -value


def _of_a_stranger(site: Site, path: str) -> Fault | None:
    """Mix up replies, where they say whose they are."""
    gateway = site.gateway
    world = gateway.world
    if all(user.name != "li" for user in world.users.values()):
        li = world.add_user("li", quota=123_456, used_quota=654_321, request_count=7)
        world.add_key(li, "of li", quota=777_777, used_quota=111_111)
        gateway.subscribe("li", world.offers[0])
        gateway.spend("of li", 50_000, at=world.now - 7_200)
        for dollars in (10, 20):
            world.order("li", dollars)
    li = world.user("li")
    query = ""
    match path:
        case "/api/usage/token/":
            credential = str(world.key("of li"))
        case "/api/data/self":
            credential = li.access_token
            query = f"?start_timestamp={world.now - 86_400}&end_timestamp={world.now}"
        case _ if path in _OWNED:
            credential = li.access_token
        case _:
            return None
    headers = {"Authorization": f"Bearer {credential}", "New-Api-User": str(li.id)}
    reply = gateway.answer(path + query, headers)
    return Answer(reply.status, reply.body, reply.headers)


_OWNED: Final = (
    "/api/user/self",
    "/api/token/",
    "/api/subscription/self",
    "/api/user/topup/self",
)


MEANINGS: Final = (
    Row(
        name="success: false",
        level=Level.MEANING,
        make=_envelope(success=False, message="try again later"),
    ),
    Row(
        name="success: false, without a credential",
        level=Level.MEANING,
        make=same(said(200, DASHBOARD_REFUSAL)),
        rejects=IN_ACCOUNT,
        missing=SHADOWED,
        recovery=(HOURLY,),
    ),
    Row(
        name="success: false, database",
        level=Level.MEANING,
        make=same(
            said(200, {"success": False, "message": "database is locked"}),
        ),
    ),
    Row(name="success: null", level=Level.MEANING, make=_envelope(success=None)),
    Row(name="success: a text", level=Level.MEANING, make=_envelope(success="true")),
    Row(name="success: 1", level=Level.MEANING, make=_envelope(success=1)),
    Row(
        name="an error in a 200",
        level=Level.MEANING,
        make=same(
            said(200, {"error": {"message": "upstream failed", "type": "upstream"}})
        ),
    ),
    Row(
        name="an error beside the figures",
        level=Level.MEANING,
        make=_envelope(error={"message": "stale", "type": "new_api_error"}),
    ),
    Row(
        name="debts",
        level=Level.MEANING,
        make=_debts,
        also=_debt,
        # Who was in debt for an hour and is not any more has paid.
        follows=frozenset({(ACCOUNT, "Top-up")}),
    ),
    Row(
        name="data of another user",
        level=Level.MEANING,
        make=_of_a_stranger,
        # So many readings in a row agree that the token is another account's.
        rejects=frozenset({"self", "all"}),
    ),
    Row(
        name="an unknown display type",
        level=Level.MEANING,
        make=_status_only(quota_display_type="EUR"),
    ),
    Row(
        name="a display type that is no text",
        level=Level.MEANING,
        make=_status_only(quota_display_type=["USD"]),
    ),
    Row(
        name="yuan without a rate",
        level=Level.MEANING,
        make=_status_only(quota_display_type="CNY", usd_exchange_rate=None),
    ),
    Row(
        name="yuan at a rate of 0",
        level=Level.MEANING,
        make=_status_only(quota_display_type="CNY", usd_exchange_rate=0),
    ),
    Row(
        name="quota_per_unit 0",
        level=Level.MEANING,
        make=_status_only(quota_per_unit=0),
    ),
    Row(
        name="quota_per_unit negative",
        level=Level.MEANING,
        make=_status_only(quota_per_unit=-500_000),
    ),
    Row(
        name="quota_per_unit a text",
        level=Level.MEANING,
        make=_status_only(quota_per_unit="500000"),
    ),
    Row(
        name="quota_per_unit null",
        level=Level.MEANING,
        make=_status_only(quota_per_unit=None),
    ),
    Row(
        name="a clock a day ahead",
        level=Level.MEANING,
        make=same(Misdate(86_400)),
        is_harmless=True,
    ),
    Row(
        name="a clock a day behind",
        level=Level.MEANING,
        make=same(Misdate(-86_400)),
        is_harmless=True,
    ),
)
