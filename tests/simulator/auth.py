"""Who may ask: API keys and system access tokens, and every way to get them wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Never

from . import texts
from .call import Call
from .records import Key, Role, Status, User
from .replies import Refused, json_reply
from .texts import Text

_BEARER: Final = "Bearer "
_KEY_PREFIX: Final = "sk-"


class KeyFault(Enum):
    """Why a key is not let through."""

    MISSING = auto()
    UNKNOWN = auto()
    DISABLED = auto()
    EXPIRED = auto()
    EXHAUSTED = auto()
    """Marked as exhausted."""
    RUN_DRY = auto()
    """Found to be exhausted just now."""
    BANNED = auto()
    ADDRESS = auto()
    GROUP = auto()
    CHANNEL = auto()


_FORBIDDEN: Final = frozenset(
    {KeyFault.BANNED, KeyFault.ADDRESS, KeyFault.GROUP, KeyFault.CHANNEL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """How a gateway reads and checks API keys."""

    texts: Mapping[KeyFault, Text]
    codes: Mapping[KeyFault, str] | None
    """The `code` in refusals, "" where none is named; None where there is none."""
    error_type: str
    schemes: tuple[str, ...] = (_BEARER,)
    trims: bool = False
    """Whether blanks around the key are forgiven."""
    separator: str = "-"
    """What parts a key from a channel."""
    shortest: int = 1
    from_x_api_key: bool = False
    """Whether `x-api-key` names the key on `/v1/models`."""
    checks_address: bool = True
    marks_expired: bool = True
    bans_silently: bool = False
    """Whether the key of a banned user reads as unknown."""
    reads_disabled: bool = False
    """Whether a disabled key may still read about itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """How a gateway reads and checks system access tokens."""

    user_id_header: str | None = None
    strict: bool = False
    """Whether refusals have a real status and a code."""


@dataclass(frozen=True, slots=True)
class _Presented:
    secret: str
    channel: str


def authenticate_key(call: Call) -> None:
    """Let a key through that may spend."""
    rules = call.dialect.key_rules
    presented = _presented(_key_header(call), rules)
    key = call.world.key_of_secret(presented.secret)
    if not presented.secret:
        _refuse_key(call, KeyFault.MISSING)
    if key is None or len(presented.secret) < rules.shortest:
        _refuse_key(call, KeyFault.UNKNOWN)
    if fault := _key_fault(call, key):
        _refuse_key(call, fault, key)
    call.key = key
    call.user = call.world.users[key.user_id]
    if fault := _owner_fault(call, presented.channel):
        _refuse_key(call, fault, key)


def authenticate_key_to_read(call: Call) -> None:
    """Let a key through that wants to know about itself, even if it is used up."""
    rules = call.dialect.key_rules
    header = call.headers.get("Authorization", "")
    if not header:
        raise Refused(call.failed(texts.KEY_MISSING, 401))
    key = call.world.key_of_secret(_presented(header, rules).secret)
    if key is None:
        raise Refused(call.failed(texts.INVALID_KEY, 401))
    if key.status == Status.DISABLED and not rules.reads_disabled:
        raise Refused(call.failed(texts.KEY_UNAVAILABLE, 401))
    call.key = key
    call.user = call.world.users[key.user_id]
    if call.user.status != Status.ENABLED:
        raise Refused(call.failed(texts.BANNED, 403))


def authenticate_account(call: Call) -> None:
    """Let the holder of a system access token through."""
    rules = call.dialect.account_rules
    header = call.headers.get("Authorization", "")
    if not header:
        if not rules.strict:
            raise Refused(call.failed(texts.NOT_LOGGED_IN, 401))
        _refuse_account(call, texts.INVALID_ACCESS_TOKEN, 401, "AUTH_UNAUTHORIZED")
    user = call.world.user_of_token(_access_token(header, strict=rules.strict))
    if user is None:
        _refuse_account(call, texts.INVALID_ACCESS_TOKEN, 401, "AUTH_UNAUTHORIZED")
    if rules.user_id_header is not None:
        _check_user_id(call, user, rules.user_id_header)
    if user.status != Status.ENABLED:
        _refuse_account(call, texts.BANNED, 401, "AUTH_USER_DISABLED")
    call.user = user
    call.signed_in = True


def authenticate_admin(call: Call) -> None:
    """Let an administrator through."""
    authenticate_account(call)
    if call.user.role < Role.ADMIN:
        _refuse_account(
            call, texts.INSUFFICIENT_PRIVILEGE, 403, "AUTH_INSUFFICIENT_PRIVILEGE"
        )


def no_authentication(call: Call) -> None:
    """Let everybody through."""


type Gate = Callable[[Call], None]
"""Lets a call through and notes whose it is, or raises `Refused`."""


def _key_header(call: Call) -> str:
    if call.dialect.key_rules.from_x_api_key and "/v1/models" in call.path:
        return call.headers.get("x-api-key") or call.headers.get("Authorization", "")
    return call.headers.get("Authorization", "")


def _presented(header: str, rules: KeyRules) -> _Presented:
    for scheme in rules.schemes:
        if header.startswith(scheme):
            header = header.removeprefix(scheme)
            break
    if rules.trims:
        header = header.strip()
    secret, _, channel = header.removeprefix(_KEY_PREFIX).partition(rules.separator)
    return _Presented(secret, channel)


def _key_fault(call: Call, key: Key) -> KeyFault | None:
    """Check the key itself; what is found to be over is marked so."""
    match key.status:
        case Status.DISABLED:
            return KeyFault.DISABLED
        case Status.EXPIRED:
            return KeyFault.EXPIRED
        case Status.EXHAUSTED:
            return KeyFault.EXHAUSTED
    if key.has_expired(call.now):
        if call.dialect.key_rules.marks_expired:
            key.status = Status.EXPIRED
        return KeyFault.EXPIRED
    if key.is_exhausted:
        key.status = Status.EXHAUSTED
        return KeyFault.RUN_DRY
    return None


def _owner_fault(call: Call, channel: str) -> KeyFault | None:
    """Check where the key may be used and by whom."""
    rules, key = call.dialect.key_rules, call.key
    if rules.checks_address and not key.admits(call.address):
        return KeyFault.ADDRESS
    if call.user.status != Status.ENABLED:
        return KeyFault.UNKNOWN if rules.bans_silently else KeyFault.BANNED
    if key.group and key.group not in call.world.groups:
        return KeyFault.GROUP
    if channel and call.user.role < Role.ADMIN:
        return KeyFault.CHANNEL
    return None


def _refuse_key(call: Call, fault: KeyFault, key: Key | None = None) -> Never:
    rules = call.dialect.key_rules
    text = rules.texts[fault]
    if key is not None:
        text = text.with_values(**_words_about(call, key))
    error = {
        "message": f"{call.say(text)} (request id: {call.request_id})",
        "type": rules.error_type,
    }
    if rules.codes is not None:
        error["code"] = rules.codes.get(fault, "")
    raise Refused(json_reply({"error": error}, 403 if fault in _FORBIDDEN else 401))


def _words_about(call: Call, key: Key) -> dict[str, object]:
    return {
        "name": key.name,
        "id": key.id,
        "masked": f"sk-{key.secret[:3]}***{key.secret[-3:]}",
        "remain": key.remain_quota,
        "subnet": key.subnet,
        "group": key.group,
        "address": call.address,
    }


def _access_token(header: str, *, strict: bool) -> str:
    if not strict:
        return header.replace(_BEARER, "", 1)
    match header.split():
        case [token]:
            return token
        case [scheme, token] if scheme.lower() == "bearer":
            return token
    return ""


def _check_user_id(call: Call, user: User, header: str) -> None:
    sent = call.headers.get(header, "")
    if not sent:
        text = texts.NO_USER_ID
    elif not _is_integer(sent):
        text = texts.MALFORMED_USER_ID
    elif int(sent) != user.id:
        text = texts.OTHER_USER_ID
    else:
        return
    raise Refused(call.failed(text.with_values(header=header), 401))


def _is_integer(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").removeprefix("+").isdigit()


def _refuse_account(call: Call, text: Text, status: int, code: str) -> Never:
    if call.dialect.account_rules.strict:
        raise Refused(call.failed(text, status, code))
    raise Refused(call.failed(text))
