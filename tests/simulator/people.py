"""Who has an account at a simulated gateway, and which keys."""

from collections.abc import Callable
from dataclasses import dataclass, field
import random
import string
import time
from typing import Any, Final

from .records import Key, Status, User

type Clock = Callable[[], float]

_KEY_ALPHABET: Final = string.ascii_letters + string.digits
_TOKEN_ALPHABET: Final = _KEY_ALPHABET + "+/"


def system_clock() -> float:
    """Tell the time, looked up anew each time so that a frozen clock is seen."""
    return time.time()


@dataclass(slots=True, kw_only=True)
class People:
    """Users and keys; what their owners and an administrator do with them."""

    clock: Clock = system_clock
    users: dict[int, User] = field(default_factory=dict)
    keys: dict[int, Key] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    """Where made-up secrets come from."""
    _last_key_id: int = 0

    @property
    def now(self) -> int:
        """Return the time in whole Unix seconds."""
        return int(self.clock())

    def user(self, name: str) -> User:
        """Return the user of this name."""
        return next(each for each in self.users.values() if each.name == name)

    def key(self, name: str) -> Key:
        """Return the first key of this name."""
        return next(each for each in self.keys.values() if each.name == name)

    def keys_of(self, user: User) -> list[Key]:
        """Return a user's keys, newest first."""
        return sorted(
            (each for each in self.keys.values() if each.user_id == user.id),
            key=lambda each: -each.id,
        )

    def key_of_secret(self, secret: str) -> Key | None:
        """Return the key with this secret."""
        return next((k for k in self.keys.values() if k.secret == secret), None)

    def user_of_token(self, access_token: str) -> User | None:
        """Return the user with this system access token."""
        return next(
            (u for u in self.users.values() if access_token == u.access_token), None
        )

    def add_user(self, name: str, *, quota: int, **more: Any) -> User:
        """Register a user."""
        user = User(
            id=max(self.users, default=1) + 1,
            name=name,
            access_token=self._make_secret(_TOKEN_ALPHABET, 32),
            quota=quota,
            display_name=more.pop("display_name", name.title()),
            created_at=more.pop("created_at", self.now),
            **more,
        )
        self.users[user.id] = user
        return user

    def add_key(self, user: User, name: str, *, quota: int = 0, **more: Any) -> Key:
        """Make a key for a user."""
        key = Key(
            id=self._new_key_id(),
            user_id=user.id,
            name=name,
            secret=self._make_secret(_KEY_ALPHABET, 48),
            remain_quota=quota,
            created_at=more.pop("created_at", self.now),
            accessed_at=more.pop("accessed_at", self.now),
            **more,
        )
        self.keys[key.id] = key
        return key

    def delete_key(self, name: str) -> None:
        """Delete a key, as its owner can."""
        del self.keys[self.key(name).id]

    def disable_key(self, name: str) -> None:
        """Disable a key, as its owner can."""
        self.key(name).status = Status.DISABLED

    def enable_key(self, name: str) -> None:
        """Enable a key again."""
        self.key(name).status = Status.ENABLED

    def expire_key(self, name: str) -> None:
        """Let a key's time be over."""
        self.key(name).expires_at = self.now - 1

    def disable_user(self, name: str) -> None:
        """Ban a user, as an administrator can."""
        self.user(name).status = Status.DISABLED

    def rotate_access_token(self, name: str) -> str:
        """Give a user a new system access token; the old one opens nothing more."""
        token = self._make_secret(_TOKEN_ALPHABET, 32)
        self.user(name).access_token = token
        return token

    def edit_key(self, name: str, **changes: Any) -> None:
        """Change what the owner of a key can change, as its limit or its name."""
        key = self.key(name)
        for what, value in changes.items():
            setattr(key, what, value)

    def replace_key(self, name: str) -> Key:
        """Delete a key and make one of the same name with what was left of it."""
        old = self.key(name)
        self.delete_key(name)
        return self.add_key(
            self.users[old.user_id],
            name,
            quota=0 if old.unlimited else old.remain_quota,
            unlimited=old.unlimited,
            expires_at=old.expires_at,
            group=old.group,
        )

    def rotate_key(self, name: str) -> str:
        """Give a key a new secret; return it as a person copies it."""
        key = self.key(name)
        key.secret = self._make_secret(_KEY_ALPHABET, 48)
        return str(key)

    def _new_key_id(self) -> int:
        """Return an id that no key has, or had before it was deleted."""
        self._last_key_id = max(self._last_key_id, *self.keys, 0) + 1
        return self._last_key_id

    def _make_secret(self, alphabet: str, length: int) -> str:
        return "".join(self.chance.choices(alphabet, k=length))
