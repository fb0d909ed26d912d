"""Replies with another status than 200."""

from datetime import timedelta
from typing import Final

from tests.fault_matrix.columns import COLUMNS
from tests.fault_matrix.replies import DASHBOARD_REFUSAL, JSON, page, said
from tests.home import HOURLY
from tests.simulator import Answer

from .row import IN_ACCOUNT, OF_DETAILS, SHADOWED, Level, Row, answers, same

# With the jitter that keeps the entries of a house from asking in step.
_DAY: Final = timedelta(days=1) * 1.1

# The longest window in which servers count (gateway_api.md 1.6), so likewise.
_WINDOW: Final = timedelta(minutes=20) * 1.1

_REFUSALS: Final = frozenset({"refused", "invalid"})

_OPENAI: Final = {
    "error": {
        "message": "Invalid token (request id: 20261123081500)",
        "type": "new_api_error",
        "param": "",
        "code": "",
    }
}
_ONE_API: Final = {"error": {"message": "无效的令牌", "type": "one_api_error"}}
_NO_ROUTE: Final = {
    "error": {
        "message": "Invalid URL (GET /)",
        "type": "invalid_request_error",
        "param": "",
        "code": "",
    }
}
_PANIC: Final = {
    "error": {
        "message": "Panic detected, error: runtime error: index out of range",
        "type": "new_api_panic",
    }
}


def _limited(name: str, *headers: tuple[str, str], wait: timedelta = _WINDOW) -> Row:
    return Row(
        name=name,
        level=Level.STATUS,
        make=same(Answer(429, b"", headers)),
        stops_site=True,
        recovery=(wait,),
    )


STATUSES: Final = (
    Row(name="204", level=Level.STATUS, make=same(Answer(204))),
    Row(name="206 with a part", level=Level.STATUS, make=answers(206, "{", JSON)),
    Row(name="304", level=Level.STATUS, make=same(Answer(304))),
    Row(
        name="400 as JSON",
        level=Level.STATUS,
        make=same(said(400, {"success": False, "message": "bad request"})),
    ),
    Row(name="401 with nothing", level=Level.STATUS, make=same(Answer(401))),
    Row(
        name="401 as HTML",
        level=Level.STATUS,
        make=same(page(401, "Sign in", ("WWW-Authenticate", "Basic"))),
    ),
    Row(
        name="401 as some JSON",
        level=Level.STATUS,
        make=same(said(401, {"detail": "Not authenticated"})),
    ),
    Row(
        name="401 of the dashboard",
        level=Level.STATUS,
        make=same(said(401, DASHBOARD_REFUSAL | {"code": "AUTH_UNAUTHORIZED"})),
        refusals=_REFUSALS,
        rejects=IN_ACCOUNT,
    ),
    Row(
        name="401 as in OpenAI's API",
        level=Level.STATUS,
        make=same(said(401, _OPENAI)),
        refusals=_REFUSALS,
    ),
    Row(
        name="401 of One API",
        level=Level.STATUS,
        make=same(said(401, _ONE_API)),
        refusals=_REFUSALS,
    ),
    Row(name="403 with nothing", level=Level.STATUS, make=same(Answer(403))),
    Row(name="403 as HTML", level=Level.STATUS, make=same(page(403, "Forbidden"))),
    Row(
        name="403 of the dashboard",
        level=Level.STATUS,
        make=same(
            said(
                403,
                {
                    "success": False,
                    "message": "No permission",
                    "code": "AUTH_INSUFFICIENT_PRIVILEGE",
                },
            )
        ),
        refusals=_REFUSALS,
        missing=SHADOWED | OF_DETAILS,
        # What is not for this account is asked again after a day.
        recovery=(_DAY, HOURLY),
    ),
    Row(
        name="403 as in OpenAI's API",
        level=Level.STATUS,
        make=same(
            said(403, {"error": {"message": "无权访问 x 分组", "code": "forbidden"}})
        ),
        refusals=_REFUSALS,
    ),
    Row(
        name="403 by Cloudflare's challenge",
        level=Level.STATUS,
        make=same(
            page(
                403,
                "Just a moment...",
                ("cf-mitigated", "challenge"),
                ("Server", "cloudflare"),
            )
        ),
    ),
    Row(
        name="404 as JSON",
        level=Level.STATUS,
        make=same(said(404, _NO_ROUTE)),
        missing=frozenset(column.title for column in COLUMNS),
        # It is asked again after a day, or rather with what is due next.
        recovery=(_DAY, HOURLY),
    ),
    Row(name="404 as HTML", level=Level.STATUS, make=same(page(404, "Not found"))),
    Row(name="405", level=Level.STATUS, make=same(page(405, "Not allowed"))),
    Row(name="407", level=Level.STATUS, make=same(page(407, "Proxy"))),
    Row(name="408", level=Level.STATUS, make=same(Answer(408))),
    Row(name="410", level=Level.STATUS, make=same(page(410, "Gone"))),
    Row(name="418", level=Level.STATUS, make=same(page(418, "I'm a teapot"))),
    _limited("429 with nothing"),
    _limited("429, Retry-After in seconds", ("Retry-After", "120")),
    _limited(
        "429, Retry-After as a date",
        ("Retry-After", "Tue, 24 Nov 2026 08:00:00 GMT"),
        wait=_DAY,
    ),
    _limited("429, Retry-After absurd", ("Retry-After", "99999999999"), wait=_DAY),
    _limited("429, Retry-After negative", ("Retry-After", "-5")),
    _limited("429, Retry-After garbage", ("Retry-After", "soon ²")),
    Row(name="500 with nothing", level=Level.STATUS, make=same(Answer(500))),
    Row(name="500 as JSON", level=Level.STATUS, make=same(said(500, _PANIC))),
    Row(name="502 of a proxy", level=Level.STATUS, make=same(page(502, "Bad Gateway"))),
    Row(
        name="503 of a proxy",
        level=Level.STATUS,
        make=same(page(503, "Service Unavailable", ("Retry-After", "30"))),
    ),
    Row(
        name="504 of a proxy",
        level=Level.STATUS,
        make=same(page(504, "Gateway Time-out")),
    ),
    Row(
        name="522 of Cloudflare",
        level=Level.STATUS,
        make=same(page(522, "Connection timed out")),
    ),
)
