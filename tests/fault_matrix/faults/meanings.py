"""Replies that are well formed, and mean something else."""

from decimal import Decimal
from typing import Any, Final

from tests.fault_matrix.columns import Figure
from tests.fault_matrix.replies import DASHBOARD_REFUSAL, in_data, overdrawn, said
from tests.fault_matrix.truth import Value
from tests.home import HOURLY, Site
from tests.simulator import Answer, Fault, Misdate, Rewrite

from .row import IN_ACCOUNT, SHADOWED, Level, Make, Row, same


def _envelope(**changes: Any) -> Make:
    return same(Rewrite(lambda reply: reply | changes))


def _status_only(**changes: Any) -> Make:
    """Change what a site says of itself."""
    fault = in_data(lambda data: data | changes)
    return lambda _site, path: fault if path == "/api/status" else None


def _debt(figure: Figure, value: Value) -> Value | None:
    _, name = figure
    if name == "Status":
        return "exhausted"
    if name != "Remaining quota" or not isinstance(value, Decimal):
        return None
    return -value


def _of_a_stranger(site: Site, path: str) -> Fault | None:
    """Mix up replies, where they say whose they are."""
    world = site.gateway.world
    if all(user.name != "li" for user in world.users.values()):
        li = world.add_user("li", quota=123_456, used_quota=654_321, request_count=7)
        world.add_key(li, "of li", quota=777_777, used_quota=111_111)
    li = world.user("li")
    match path:
        case "/api/user/self" | "/api/token/":
            credential = li.access_token
        case "/api/usage/token/":
            credential = str(world.key("of li"))
        case _:
            return None
    headers = {"Authorization": f"Bearer {credential}", "New-Api-User": str(li.id)}
    reply = site.gateway.answer(path, headers)
    return Answer(reply.status, reply.body, reply.headers)


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
        make=same(in_data(overdrawn)),
        also=_debt,
    ),
    Row(name="data of another user", level=Level.MEANING, make=_of_a_stranger),
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
