"""Knows the secrets that the running test uses, without being told by the test."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
import json
import re
from typing import Any, Final
import zlib

from aiohttp import web
import pytest

from custom_components.new_api.gateway.credentials import Credentials
from tests import recordings
from tests.recordings import Truth
from tests.simulator import Key, User

from .search import SHOWN_AT_MOST, Secret

_SECRET_FIELDS: Final = frozenset(
    {
        "access_token",
        "aff_code",
        "allow_ips",
        "bark_url",
        "discord_id",
        "email",
        "github_id",
        "gotify_token",
        "gotify_url",
        "ip",
        "key",
        "linux_do_id",
        "notification_email",
        "oidc_id",
        "secret",
        "stripe_customer",
        "telegram_id",
        "verification_code",
        "webhook_secret",
        "webhook_url",
        "wechat_id",
    }
)
"""Fields of rows and replies that are nobody's business; some stand in `setting`."""

_E_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# `\"` and not `"` where a field stands in the text of `setting`.
_TOLD: Final = re.compile(
    rf'\\?"({"|".join(sorted(_SECRET_FIELDS))})\\?"\s*:\s*\\?"([^"\\]+)'
)
_LARGEST_REPLY: Final = 1_000_000
_GZIP: Final = b"\x1f\x8b"
_EITHER_HEADER: Final = zlib.MAX_WBITS | 32


class Register:
    """The secrets of the running test, and those that every test may meet."""

    def __init__(self) -> None:
        """Know nothing."""
        self._standing: dict[str, Secret] = {}
        self._own: dict[str, Secret] = {}
        self._in_test = False

    def __iter__(self) -> Iterator[Secret]:
        """Go through all that must not get out now."""
        return iter({**self._standing, **self._own}.values())

    def begin_test(self) -> None:
        """Forget what the last test used; what is noted between tests is for all."""
        self._own.clear()
        self._in_test = True

    def end_test(self) -> None:
        """Note for all tests again."""
        self._in_test = False

    def note(self, name: str, value: object, *, standing: bool = False) -> None:
        """Note a secret; what is too short to be told from anything else is none."""
        if not isinstance(value, str):
            return
        bare = value.strip().removeprefix("sk-")
        # What a server masked it tells everybody.
        if len(bare) < SHOWN_AT_MOST or "*" in bare:
            return
        keep = self._own if self._in_test and not standing else self._standing
        if _is_local(bare):
            return
        # Of all kinds of addresses most is the same for many.
        is_whole = bool(_E_MAIL.fullmatch(bare)) or "://" in bare or _is_address(bare)
        keep.setdefault(bare, Secret(name, bare, only_whole=is_whole))

    def note_row(
        self, what: str, row: Mapping[str, Any], *, standing: bool = False
    ) -> None:
        """Note what is secret in a row of a server's database."""
        for field in _SECRET_FIELDS & row.keys():
            self.note(f"{field} of {what}", row[field], standing=standing)
        self.note_setting(what, row.get("setting"), standing=standing)

    def note_setting(self, what: str, setting: Any, *, standing: bool = False) -> None:
        """Note what is secret in the text in which a user's settings are kept."""
        if isinstance(setting, str) and setting.startswith("{"):
            row = json.loads(setting)
            row.pop("setting", None)
            self.note_row(f"the setting of {what}", row, standing=standing)

    def note_reply(self, body: object) -> None:
        """Note what a server gives away in a reply, whether that is JSON or not."""
        if isinstance(body, str):
            body = body.encode(errors="replace")
        if not isinstance(body, bytes) or len(body) > _LARGEST_REPLY:
            return
        if body.startswith(_GZIP):
            try:
                unpacker = zlib.decompressobj(_EITHER_HEADER)
                body = unpacker.decompress(body, _LARGEST_REPLY)
            except zlib.error:
                return
        for field, value in _TOLD.findall(body.decode(errors="replace")):
            self.note(f"{field} in a reply", value)


def _is_address(text: str) -> bool:
    """Tell whether a text is the address of a machine."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_local(text: str) -> bool:
    """Tell whether it is that of this machine, which stands everywhere."""
    return _is_address(text) and ip_address(text).is_loopback


def watch(register: Register, patch: pytest.MonkeyPatch) -> None:
    """Note every secret that is made, loaded, typed or sent by a server from now on."""
    _watch_simulator(register, patch)
    _watch_recordings(register, patch)
    _watch_credentials(register, patch)
    _watch_replies(register, patch)


def _watch_simulator(register: Register, patch: pytest.MonkeyPatch) -> None:
    def set_of_key(self: Key, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "secret":
            register.note(f"the key {self.name!r}", value)

    def set_of_user(self: User, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "setting":
            register.note_setting(f"user {self.name!r}", value)
        elif name in _SECRET_FIELDS:
            register.note(f"{name} of user {self.name!r}", value)

    # New ones set their fields too, in their order: the name comes first.
    patch.setattr(Key, "__setattr__", set_of_key)
    patch.setattr(User, "__setattr__", set_of_user)


def _watch_recordings(register: Register, patch: pytest.MonkeyPatch) -> None:
    read = recordings._truth

    def noting(server: str) -> Truth:
        truth = read(server)
        for rows in (truth.users, truth.keys):
            for name, row in rows.items():
                # A recording is loaded once, and then used by any test.
                register.note_row(f"{name!r} of {server}", row, standing=True)
        return truth

    patch.setattr(recordings, "_truth", noting)


def _watch_credentials(register: Register, patch: pytest.MonkeyPatch) -> None:
    make = Credentials.__init__

    def noting(self: Credentials, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        register.note("an API key that was entered", self.key)
        register.note("an access token that was entered", self.access_token)

    patch.setattr(Credentials, "__init__", noting)


def _watch_replies(register: Register, patch: pytest.MonkeyPatch) -> None:
    make = web.Response.__init__

    def noting(self: web.Response, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        register.note_reply(self.body)

    patch.setattr(web.Response, "__init__", noting)
