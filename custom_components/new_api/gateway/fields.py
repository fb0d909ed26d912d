"""Reading the fields of a reply: a field of the wrong type makes it unusable."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .errors import UnexpectedReplyError

# Servers keep quota in 64 bits at most (gateway_api.md 3.4).
LARGEST_QUOTA: Final = 2**63

# The end of the year 9999, in Unix seconds: what is later is as good as never.
LATEST_EXPIRY: Final = 253_402_300_799


def as_number(value: Any) -> Decimal | None:
    """Return a number of a reply, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def read_decimal(data: Mapping[str, Any], field: str) -> Decimal:
    """Return a number of a reply, or raise UnexpectedReplyError."""
    number = as_number(data.get(field))
    if number is None:
        raise UnexpectedReplyError(f"'{field}' is not a number")
    return number


def read_integer(data: Mapping[str, Any], field: str) -> int:
    """Return a whole number of 64 bits, or raise UnexpectedReplyError."""
    value = data.get(field)
    if isinstance(value, Decimal) and abs(value) < LARGEST_QUOTA and not value % 1:
        value = int(value)
    # Without a detour by Decimal: a month of history has a hundred thousand of them.
    if type(value) is not int or abs(value) >= LARGEST_QUOTA:
        raise UnexpectedReplyError(f"'{field}' is not a whole number")
    return value


def read_count(data: Mapping[str, Any], field: str) -> int:
    """Return how many there are of something, or raise UnexpectedReplyError."""
    count = read_integer(data, field)
    if count < 0:
        raise UnexpectedReplyError(f"'{field}' is less than nothing")
    return count


def read_flag(data: Mapping[str, Any], field: str) -> bool:
    """Return true or false, or raise UnexpectedReplyError."""
    value = data.get(field)
    if not isinstance(value, bool):
        raise UnexpectedReplyError(f"'{field}' is not true or false")
    return value


def read_text(data: Mapping[str, Any], field: str) -> str | None:
    """Return text without blanks around it, None where there is none.

    Raises UnexpectedReplyError for what is neither text nor null.
    """
    value = data.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnexpectedReplyError(f"'{field}' is not text")
    return printable(value.strip()) or None


def read_name(data: Mapping[str, Any], field: str) -> str:
    """Return text that may be empty, but not missing: it is the name of something."""
    if data.get(field) is None:
        raise UnexpectedReplyError(f"'{field}' is not text")
    return read_text(data, field) or ""


def read_expiry(data: Mapping[str, Any], field: str) -> int | None:
    """Return when something ends, in Unix seconds.

    None for never, which is 0 in some replies and -1 in others (trap 27).
    """
    value = read_integer(data, field)
    return value if 0 < value <= LATEST_EXPIRY else None


def read_rows(data: Any) -> list[Mapping[str, Any]]:
    """Return a list of objects; null stands for an empty one, as Go writes it.

    Raises UnexpectedReplyError for anything else.
    """
    return [] if data is None else read_listed(data)


def read_listed(data: Any) -> list[Mapping[str, Any]]:
    """Return a list of objects, or raise UnexpectedReplyError."""
    if not isinstance(data, list) or not all(
        isinstance(each, Mapping) for each in data
    ):
        raise UnexpectedReplyError("The reply is no list of objects")
    return data


def check_owner(row: Mapping[str, Any], account_id: int | None) -> None:
    """Raise UnexpectedReplyError where a row is about another account (1.5)."""
    if account_id not in (None, row.get("user_id")):
        raise UnexpectedReplyError("The reply is about another account")


def printable(text: str) -> str:
    """Return text without halves of characters, which JSON can have and UTF-8 not."""
    return text.encode(errors="replace").decode()
