"""What a site offers an account: the daily check-in, and groups to use it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Self

from .errors import EndpointMissingError, UnexpectedReplyError
from .fields import printable, read_count, read_decimal, read_flag


class CheckInDialect(Enum):
    """Where a site tells of the daily check-in, by what `/api/status` says of it.

    Nothing is asked where it says nothing: there are sites on which to ask is to check
    in (6.9).
    """

    NEW_API = "/api/user/checkin"
    VELOERA = "/api/user/check_in_status"

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> CheckInDialect | None:
        """Return the one of a site, from the `data` of its status; None for none."""
        if data.get("check_in_enabled") is True:
            return cls.VELOERA
        return cls.NEW_API if data.get("checkin_enabled") is True else None


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Whether an account may still check in on this day of the site's own time zone.

    It is only looked at: nothing in here checks in. The rewards are raw quota, None
    where the site does not tell (gateway_api.md 6.9).
    """

    is_available: bool
    smallest_reward: int | None = None
    largest_reward: int | None = None

    @classmethod
    def from_reply(cls, data: Mapping[str, Any]) -> Self:
        """Read the `data` of a reply, of New API, Veloera or a WONG site.

        Raises EndpointMissingError where the site says that it is switched off.
        """
        if "can_check_in" in data:
            return cls(read_flag(data, "can_check_in"))
        if not read_flag(data, "enabled"):
            raise EndpointMissingError("The site offers no check-in")
        if "checked_in" in data:
            return cls(not read_flag(data, "checked_in"))
        stats = data.get("stats")
        return cls(
            is_available=not read_flag(
                stats if isinstance(stats, Mapping) else {}, "checked_in_today"
            ),
            smallest_reward=read_count(data, "min_quota"),
            largest_reward=read_count(data, "max_quota"),
        )


def read_groups(data: Mapping[str, Any]) -> Mapping[str, Decimal | None]:
    """Return the groups that an account may use, with what each multiplies prices by.

    None where that is text: the group is another one from request to request, or the
    site has words of its own for it (gateway_api.md 6.3).
    """
    ratios: dict[str, Decimal | None] = {}
    for group, about in data.items():
        match about:
            case str() | {"ratio": str()}:
                ratio = None
            case {"ratio": _}:
                ratio = read_decimal(about, "ratio")
            case _:
                raise UnexpectedReplyError("A group has no ratio")
        ratios[printable(group)] = ratio
    return ratios
