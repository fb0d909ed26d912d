"""Replies about details of an account, made up from what is documented of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from custom_components.new_api.gateway.plans import Period
from custom_components.new_api.gateway.usage import LogKind

from .drawn import CLOCK, ID, NAME, QUOTA
from .site import Reply

if TYPE_CHECKING:
    from .grammar import World

_HOUR: Final = 3600
_DAY: Final = 86_400

SPAN: Final = (CLOCK - 7 * _DAY, CLOCK)
"""What is asked about, in Unix seconds."""

KIND: Final = LogKind.REFUND

_COUNT: Final = st.integers(0, 10**9)
_HUNDREDTHS: Final = st.integers(0, 10**6).map(lambda number: number / 100)
_AT: Final = st.integers(*SPAN)
_HOURS: Final = st.integers(SPAN[0] // _HOUR, CLOCK // _HOUR).map(
    lambda hour: hour * _HOUR
)
_DAYS: Final = st.integers(1, 23).map(lambda day: f"2026-11-{day:02}")
_STATUS: Final = st.sampled_from(("pending", "success", "failed", "expired"))
_PREFERENCE: Final = st.sampled_from(
    ("subscription_first", "wallet_first", "subscription_only", "wallet_only")
)

# A full page makes the client ask for the next one.
_FEW: Final = 9

type Replies = dict[str, tuple[Reply, ...]]


class Details:
    """What the site of a world says of an account, question by question."""

    def __init__(self, draw: st.DrawFn, world: World) -> None:
        """Draw for the account of a world."""
        self._draw = draw
        self._world = world

    def _says(self, path: str, data: Any) -> Replies:
        return {path: (self._world.said({"success": True, "data": data}),)}

    def _rows(self, **fields: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
        rows = st.lists(st.fixed_dictionaries(fields), max_size=_FEW)
        drawn: list[dict[str, Any]] = self._draw(rows)
        return drawn

    def _page(self, rows: list[dict[str, Any]]) -> Any:
        """Return the only page of a list, in one of three dialects (6.4)."""
        return self._draw(
            st.sampled_from(
                (
                    rows,
                    {"items": rows, "total": len(rows), "page": 1, "page_size": 100},
                    {"data": rows, "total_count": len(rows), "page": 1, "size": 100},
                )
            )
        )

    def spent(self) -> Replies:
        """Return `/api/log/self/stat` (6.6)."""
        data = {"quota": self._draw(QUOTA)}
        if self._draw(st.booleans()):
            data |= {"rpm": self._draw(_COUNT), "tpm": self._draw(_COUNT)}
        return self._says("/api/log/self/stat", data)

    def usage_by_hour(self) -> Replies:
        """Return `/api/data/self` (6.7)."""
        rows = self._rows(
            user_id=st.just(2),
            model_name=NAME,
            created_at=_HOURS.filter(lambda at: at >= SPAN[0] - SPAN[0] % _HOUR),
            token_used=_COUNT,
            count=_COUNT,
            quota=QUOTA,
        )
        return self._says("/api/data/self", rows)

    def usage_by_day(self) -> Replies:
        """Return `/api/user/dashboard` (6.7), as One API or One Hub has it."""
        if self._draw(st.booleans()):
            rows = self._rows(
                Day=_DAYS,
                ModelName=NAME,
                RequestCount=_COUNT,
                Quota=QUOTA,
                PromptTokens=_COUNT,
                CompletionTokens=_COUNT,
            )
        else:
            rows = self._rows(
                date=_DAYS,
                model_name=NAME,
                request_count=_COUNT,
                quota=QUOTA,
                prompt_tokens=_COUNT,
                completion_tokens=_COUNT,
            )
        return self._says("/api/user/dashboard", rows or None)

    def usage_by_key(self) -> Replies:
        """Return `/api/data/flow/self` (6.7)."""
        rows = self._rows(
            token_id=st.integers(0, 3),
            token_name=NAME,
            use_group=NAME,
            model_name=NAME,
            token_used=_COUNT,
            count=_COUNT,
            quota=QUOTA,
        )
        return self._says("/api/data/flow/self", rows)

    def logged(self) -> Replies:
        """Return `/api/log/self` (6.5)."""
        rows = self._rows(
            id=_COUNT,
            user_id=st.just(2),
            created_at=st.integers(SPAN[0] - _DAY, CLOCK + _DAY),
            type=st.sampled_from((*(kind.value for kind in LogKind), 2)),
            quota=_COUNT,
        )
        return self._says("/api/log/self", self._page(rows))

    def plans(self) -> Replies:
        """Return `/api/subscription/self` and what the plans are called (6.8)."""
        rows = self._rows(
            id=ID,
            user_id=st.just(2),
            plan_id=st.integers(1, 3),
            amount_total=_COUNT | st.just(0),
            amount_used=_COUNT,
            start_time=_AT,
            end_time=st.integers(CLOCK - _DAY, CLOCK + 10**8),
            status=st.sampled_from(("active", "expired", "cancelled")),
            last_reset_time=_AT | st.just(0),
            next_reset_time=st.just(0) | st.integers(CLOCK, CLOCK + _DAY),
            allow_wallet_overflow=st.booleans(),
        )
        subscribed = [{"subscription": row} for row in rows]
        offered = self._rows(
            id=st.integers(1, 3),
            title=NAME,
            quota_reset_period=st.sampled_from((*Period, "fortnightly")),
            quota_reset_custom_seconds=_COUNT,
        )
        return self._says(
            "/api/subscription/self",
            {
                "billing_preference": self._draw(_PREFERENCE),
                "subscriptions": subscribed,
            },
        ) | self._says("/api/subscription/plans", [{"plan": each} for each in offered])

    def check_in(self) -> Replies:
        """Return what each dialect says of the daily check-in (6.9)."""
        done = self._draw(st.booleans())
        data: dict[str, Any]
        if self._world.family == "veloera":
            path, data = "/api/user/check_in_status", {"can_check_in": not done}
        elif self._draw(st.booleans()):
            path, data = "/api/user/checkin", {"enabled": True, "checked_in": done}
        else:
            path = "/api/user/checkin"
            data = {
                "enabled": True,
                "min_quota": self._draw(_COUNT),
                "max_quota": self._draw(_COUNT),
                "stats": {"checked_in_today": done, "records": []},
            }
        return self._says(path, data)

    def pending_top_ups(self) -> Replies:
        """Return `/api/user/topup/self` (6.10)."""
        rows = self._rows(user_id=st.just(2), money=_HUNDREDTHS, status=_STATUS)
        numbered = [{"id": number, **row} for number, row in enumerate(rows)]
        return self._says("/api/user/topup/self", self._page(numbered))

    def groups(self) -> Replies:
        """Return `/api/user/self/groups` (6.3)."""
        ratio = _HUNDREDTHS | st.integers(0, 9) | st.just("自动")
        about = st.fixed_dictionaries({"desc": NAME, "ratio": ratio})
        data = self._draw(st.dictionaries(NAME, about | NAME, max_size=4))
        return self._says("/api/user/self/groups", data)

    def notice(self) -> Replies:
        """Return `/api/notice` (5.2)."""
        return self._says("/api/notice", self._draw(NAME))

    def monitors(self) -> Replies:
        """Return `/api/uptime/status` (5.4)."""
        monitor: Mapping[str, st.SearchStrategy[Any]] = {
            "name": NAME,
            "group": NAME,
            "uptime": st.integers(0, 10_000).map(lambda share: share / 10_000),
            "status": st.integers(0, 3),
        }
        monitors = st.lists(st.fixed_dictionaries(dict(monitor)), max_size=3)
        rows = self._rows(categoryName=NAME, monitors=monitors | st.none())
        return self._says("/api/uptime/status", rows)
