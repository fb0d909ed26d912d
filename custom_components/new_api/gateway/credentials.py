"""What a person gives us to ask with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from aiohttp import hdrs

from .errors import InvalidCredentialError
from .families import USER_ID_HEADERS

_SCHEME: Final = "bearer "
_KEY_PREFIX: Final = "sk-"
_MASK: Final = "*"
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key, an access token, or both; neither is ever shown.

    `user_id` is text, since only the site knows whose token it is: what does not fit
    has to be told apart from what is missing.
    """

    key: str | None = field(default=None, repr=False)
    user_id: str | None = None
    access_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_text(
        cls,
        *,
        key: str | None = None,
        user_id: str | None = None,
        access_token: str | None = None,
    ) -> Self:
        """Clean what was typed or pasted. Raises InvalidCredentialError.

        Accepts any printable text: keys of One Hub are no 48 alphanumerics, and access
        tokens are hex or base64 (traps 23 and 44).
        """
        return cls(
            key=_cleaned("key", key),
            user_id=_cleaned("user_id", user_id),
            access_token=_cleaned("access_token", access_token),
        )

    def key_headers(self) -> Mapping[str, str]:
        """Return the headers of a question about the key."""
        return {hdrs.AUTHORIZATION: f"Bearer {self.key}"}

    def account_headers(self) -> Mapping[str, str]:
        """Return the headers of a question about the account."""
        headers: dict[str, str] = {hdrs.AUTHORIZATION: f"Bearer {self.access_token}"}
        if self.user_id is not None:
            headers |= dict.fromkeys(USER_ID_HEADERS, self.user_id)
        return headers

    @property
    def key_digest(self) -> str | None:
        """Return what tells this key from others without telling it."""
        if self.key is None:
            return None
        bare = self.key.removeprefix(_KEY_PREFIX)
        return sha256(bare.encode()).hexdigest()[:32]

    def is_key(self, listed: str) -> bool:
        """Tell whether a key in an account's list, whole or masked, is this key.

        Lists leave out `sk-`, and since v0.11.4 mask all but the first and last four
        characters. A key may carry a channel after a hyphen (gateway_api.md 2.1, 6.4).
        """
        if self.key is None:
            return False
        bare = self.key.removeprefix(_KEY_PREFIX)
        listed = listed.removeprefix(_KEY_PREFIX)
        for own in (bare, bare.partition("-")[0]):
            if own == listed:
                return True
            if (
                _MASK in listed
                and len(own) > 2 * _SHOWN
                and own[:_SHOWN] == listed[:_SHOWN]
                and own[-_SHOWN:] == listed[-_SHOWN:]
            ):
                return True
        return False


def _cleaned(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    cleaned = text.strip().strip("\"'").strip()
    if cleaned[: len(_SCHEME)].lower() == _SCHEME:
        cleaned = cleaned[len(_SCHEME) :].strip()
    if not cleaned:
        return None
    if not (cleaned.isascii() and cleaned.isprintable()) or " " in cleaned:
        raise InvalidCredentialError(name)
    return cleaned
