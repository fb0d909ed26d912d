"""What tells one entry from another: the site with the account, or with the key."""

from typing import Final

from yarl import URL

from homeassistant.config_entries import ConfigEntry

_ACCOUNT: Final = "|user:"
_KEY: Final = "|key:"


def account_identity(base: URL, account_id: int) -> str:
    """Return the unique id of an entry with an account."""
    return f"{base}{_ACCOUNT}{account_id}"


def key_identity(base: URL, digest: str) -> str:
    """Return the unique id of an entry with a key alone, of which it keeps a digest."""
    return f"{base}{_KEY}{digest}"


def account_id_of(entry: ConfigEntry) -> int | None:
    """Return the id of the account that an entry is about, if it is about one."""
    _, is_account, number = (entry.unique_id or "").partition(_ACCOUNT)
    return int(number) if is_account else None
