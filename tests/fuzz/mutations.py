"""What can go wrong with a reply, from one wrong bit to another site's answer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
import json
from random import Random
from typing import Any, Final

from .site import ORIGIN, Damage, Reply
from .visit import KEY, TOKEN

type Mutation = Callable[[Random, Reply], Reply]

_LITERAL: Final = "\x00literal\x00"

NUMBERS: Final = (
    "0", "-0", "-0.0", "1", "-1", "1.0", "1e0", "2.5", "-2.5", "0.1", "500000.0",
    "5E+5", "5e-1", "1e-7", "12.340000000000002", "100000000", "1e8", "99999999.99",
    "100000000.00000001", "2147483647", "2147483648", "-2147483649", "9007199254740993",
    "562949953421312", "562949953421311.5", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "9223372036854775807.0",
    "18446744073709551616", "1e18", "1e19", "1e22", "1e100", "1e308", "-1e308", "1e309",
    "1e400", "1e-308", "1e-309", "5e-324", "1e-400", "1e999999999", "1e-999999999",
    "0." + "0" * 40 + "1", "1." + "0" * 40 + "1", "0.5" + "0" * 70, "9" * 40, "9" * 400,
    "1" + "0" * 4200, "9" * 4299, "1" + "0" * 4299, "1" + "0" * 4300, "-" + "9" * 4300,
    "1764000000", "1795420000", "253402300799", "253402300800", "-62135596801",
    "NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x10", "1_000", "\uff11",
)  # fmt: skip
"""How numbers are written in JSON, and how they never may be."""

VALUES: Final = (
    "null", "true", "false", '""', '" "', '"0"', '"1"', '"500000"', '"1e5"', '"true"',
    '"NaN"', "[]", "{}", "[null]", "[0]", '["default"]', '{"id":1}', '{"data":[]}',
    '{"items":[],"total":0}', '"\\ud800"', '"a\\udfffb"', '"\\u0000"', '"😀"',
    '"<b>{name}</b>"', '"' + "x" * 5000 + '"', "[" * 50 + "]" * 50,
    "[" * 100_000 + "]" * 100_000, '{"a":' * 3000 + "1" + "}" * 3000,
    json.dumps(KEY), json.dumps(KEY.removeprefix("sk-")), json.dumps(TOKEN),
    json.dumps(f"Zq7v**********{KEY[-4:]}"),
    json.dumps(KEY[3:7] + "*" * 10 + KEY[-4:]),
    json.dumps(f"New-Api-User {TOKEN} not provided"),
    json.dumps(f"database of {KEY}"), '"Invalid token"', '"该令牌额度已用尽"',
    '"该令牌已过期"', '"该令牌状态不可用"', '"access_denied"', '"AUTH_USER_DISABLED"',
    '"USD"', '"CNY"', '"TOKENS"', '"CUSTOM"', '"usd"',
)  # fmt: skip
"""Values that are not numbers."""

# What a client reads, and so what is worth adding, renaming or leaving out.
FIELDS: Final = (
    "success", "code", "message", "error", "data", "items", "total", "page",
    "page_size", "total_count", "size", "id", "user_id", "key", "name", "status",
    "remain_quota", "used_quota", "unlimited_quota", "expired_time", "quota",
    "request_count", "username", "group", "groups", "total_available", "total_used",
    "total_granted", "expires_at", "hard_limit_usd", "total_usage", "access_until",
    "quota_per_unit", "quota_display_type", "display_in_currency", "usd_exchange_rate",
    "custom_currency_exchange_rate", "custom_currency_symbol", "system_name", "version",
    "check_in_enabled", "self_use_mode_enabled", "PaymentUSDRate", "chat_link",
)  # fmt: skip
_READ: Final = frozenset(FIELDS)

STATUSES: Final = (
    100, 101, 199, 200, 201, 204, 206, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404,
    405, 409, 418, 429, 451, 499, 500, 502, 503, 521, 599, 600, 999,
)  # fmt: skip

HEADERS: Final = (
    ("Content-Type", (
        None, "", "text/html", "application/problem+json", "text/json", "a/b; json",
        "application/json; charset=gbk", "json", "\udcff", "APPLICATION/JSON",
    )),
    ("Date", (
        None, "", "now", "1 Jan", "\udcff", "0", "-1", ":::",
        "Mon, 23 Nov 2026 08:13:58", "Mon, 23 Nov 2026 08:13:58 GMT",
        "Mon, 23 Nov 2026 08:13:58 -0000", "Mon, 23 Nov 2026 08:13:58 +2400",
        "Mon, 23 Nov 2026 08:13:58 +99999999999999", "Mon, 23 Nov 2026 08:13:58 +",
        "Mon, 23 Nov 99999 08:13:58 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359", "Tue, 30 Feb 2027 25:61:61 GMT",
        "Sat, 27 Nov 2027 00:00:00 GMT", "Mon, 00 Jan 1900 00:00:00 GMT",
    )),
    ("Retry-After", (
        None, "", "0", "1", "-1", "30", "1200", "1.5", "9" * 30, "9" * 400, "1e3", "+5",
        "\u0663", "\u00b2", "\uff11\uff12", "inf", "nan", "soon", "\udcff",
        "Mon, 23 Nov 2026 09:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 23 Nov 2026 08:13:58 +99999999999999",
    )),
    ("X-New-Api-Version", (
        None, "", "v1", "v0.0.0", "\udcff", "版本", "é\udce9", "x" * 3000,
    )),
    ("Auth-Version", (None, "", "864b7076dbcd0a3c01b5520316720ebf")),
    ("Content-Encoding", (
        None, "", "identity", "gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip",
        "no-such",
    )),
    ("Set-Cookie", ("session=1", "a=b; Domain=.test", "\udcff")),
    ("Connection", ("close", "keep-alive", "upgrade")),
    ("Transfer-Encoding", ("identity", "chunked, chunked", "gzip")),
    ("Upgrade", ("websocket",)),
    ("X-Padding", ("x" * 8000, "x" * 9000, "")),
)  # fmt: skip

_OTHER: Final = "http://elsewhere.test"

LOCATIONS: Final = (
    "", "/", "?", "#", "./", "..", "/%zz", "/\udce9", "\udcff", "/api/status",
    "/v1/models", "/api/user/self", "/api/user/self/", "/api/token/?via=1",
    "//gateway.test/api/status", "//elsewhere.test/x", ORIGIN + "/api/user/self?via=2",
    ORIGIN + ":80/v1/models", ORIGIN + ":8080/", "https://gateway.test/",
    "HTTP://GATEWAY.TEST/", f"{_OTHER}/?key={KEY}", f"http://{KEY}@gateway.test/",
    f"http://user:{TOKEN[:8]}@elsewhere.test/", "http://", "http:///x", "http://[::1",
    "http://[::1]:x/", "http://gateway.test:99999/", "http://gateway.test:-1/",
    "http://gateway.test:0/", "ftp://gateway.test/", "javascript:1", "data:,x",
    "mailto:a@b", "file:///etc/passwd", "http://\u00fc.test/", "http://xn--.test/",
    "http://" + "a" * 300 + ".test/", "http://\udcff/", "http://a b/",
    "http://\uff11\uff12\uff17.0.0.1/", "http://gateway.test\\@x/",
)  # fmt: skip


def mutated(rng: Random, reply: Reply, others: Sequence[Reply]) -> Reply:
    """Return a reply after some accidents, mostly one."""
    for _ in range(rng.choice(_HOW_MANY)):
        if rng.random() < _SWAPPED:
            reply = rng.choice(others)
        else:
            reply = rng.choice(_MUTATIONS)(rng, reply)
    return reply


_HOW_MANY: Final = (1, 1, 1, 1, 2, 2, 3, 5)
_SWAPPED: Final = 0.06


def odd_value(rng: Random) -> str:
    """Return JSON, or what is nearly."""
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(NUMBERS)
    if kind < 0.8:
        return rng.choice(VALUES)
    if kind < 0.9:
        return str(rng.randint(-(10**6), 10**12))
    return repr(rng.uniform(-1000, 10**9))


@lru_cache(maxsize=1024)
def parsed(body: bytes) -> Any:
    """Return the JSON of a body, None where there is none; not to be changed."""
    if len(body) > _MOST_PARSED:
        return None
    try:
        return json.loads(body)
    except ValueError, RecursionError:
        return None


_MOST_PARSED: Final = 100_000


def _value(rng: Random, reply: Reply) -> Reply:
    """Replace one value in the JSON."""
    return _at_random(rng, reply, lambda _old: _literal(odd_value(rng)))


def _near(rng: Random, reply: Reply) -> Reply:
    """Write a number or text in another way, or change it a little."""

    def near(old: Any) -> Any:
        if isinstance(old, bool):
            return not old
        if isinstance(old, int | float):
            return _literal(
                rng.choice(
                    (
                        f"{old + 1}", f"{old - 1}", f"-{old}", f"{old}.0", f"{old}e0",
                        f"{old}0", f'"{old}"', f"{old}.5", f"[{old}]", f"{old / 100}",
                        f"{old * 100}", f"{old}000000000000", f"{old}e-3",
                    )
                )
            )  # fmt: skip
        if isinstance(old, str):
            return rng.choice((old.upper(), old + " ", "", old * 2, [old], old[:-1]))
        if isinstance(old, list):
            return rng.choice(
                ([*old, *old], old[:-1], old[1:], old[:1], dict(enumerate(old)))
            )
        if isinstance(old, dict):
            return rng.choice(([old], list(old.values()), list(old), {"data": old}))
        return _literal(odd_value(rng))

    return _at_random(rng, reply, near)


def _fields(rng: Random, reply: Reply) -> Reply:
    """Take away, add, rename, repeat or exchange fields of an object."""

    def changed(old: Any) -> Any:
        if not isinstance(old, dict) or not old:
            return {rng.choice(FIELDS): old}
        new, name, kind = dict(old), rng.choice(list(old)), rng.randrange(6)
        if kind == 0:
            del new[name]
        elif kind == 1:
            new[rng.choice(FIELDS)] = _literal(odd_value(rng))
        elif kind == 2:
            new[rng.choice((name.upper(), name + " ", rng.choice(FIELDS)))] = new.pop(
                name
            )
        elif kind == 3:
            new[name] = _literal(
                f"{json.dumps(old[name])},{json.dumps(name)}:{odd_value(rng)}"
            )
        elif kind == 4:
            other = rng.choice(list(old))
            new[name], new[other] = old[other], old[name]
        else:
            new[rng.choice(FIELDS)] = old[name]
        return new

    return _at_random(rng, reply, changed, whole=True)


def _at_random(
    rng: Random, reply: Reply, change: Callable[[Any], Any], *, whole: bool = False
) -> Reply:
    """Change one place of the JSON in a body, more often one that is read."""
    data = parsed(reply.body)
    if data is None:
        return _bytes(rng, reply)
    try:
        changed = _changed(rng, data, change, whole)
        body = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
    except ValueError, OverflowError, RecursionError:
        return reply
    if _LITERAL_JSON in body:
        before, _, rest = body.partition(f'"{_LITERAL_JSON}')
        coded, _, after = rest.partition('"')
        body = before + bytes.fromhex(coded).decode(errors="surrogatepass") + after
    return replace(reply, body=body.encode(errors="surrogatepass"))


_LITERAL_JSON: Final = json.dumps(_LITERAL)[1:-1]


def _changed(rng: Random, data: Any, change: Callable[[Any], Any], whole: bool) -> Any:
    inner: list[Any] = []
    if isinstance(data, dict):
        read = [name for name in data if name in _READ]
        inner = read if read and rng.random() < _MOSTLY else list(data)
    elif isinstance(data, list):
        inner = list(range(len(data)))
    stops = whole and isinstance(data, dict) and rng.random() < _STOPS
    if not inner or stops or rng.random() < _STOPS_ANYWHERE:
        return change(data)
    at = rng.choice(inner)
    new = data.copy()
    new[at] = _changed(rng, data[at], change, whole)
    return new


_MOSTLY: Final = 0.9
_STOPS: Final = 0.5
_STOPS_ANYWHERE: Final = 0.03


def _literal(text: str) -> str:
    """Return a text that stands for itself in the JSON, however wrong."""
    return _LITERAL + text.encode(errors="surrogatepass").hex()


def _bytes(rng: Random, reply: Reply) -> Reply:
    """Damage the body, or send another."""
    body = reply.body
    at = rng.randint(0, len(body))
    said = body.decode(errors="replace")
    choices = (
        body[:at],
        body[:at] + rng.randbytes(1) + body[at + 1 :],
        body[:at] + rng.randbytes(rng.randint(1, 4)) + body[at:],
        body[:at] + body[at + rng.randint(1, 9) :],
        rng.choice(_BEFORE) + body,
        body + rng.choice((*_BEHIND, body)),
        rng.choice(_INSTEAD),
        rng.choice(VALUES).encode(),
        rng.randbytes(40),
        said.encode(rng.choice(("utf-16", "utf-32", "utf-8-sig"))),
        odd_value(rng).join(said.rsplit("1", 1)).encode(),
    )
    return replace(reply, body=rng.choice(choices))


_BEFORE: Final = (b"\xef\xbb\xbf", b" \n", b"null", b"{}", b"[]", b"\x00", b")]}'\n")
_BEHIND: Final = (b"\n", b"\x00", b"}", b",")
_INSTEAD: Final = (
    b"", b"\n", b"null", b"true", b"1", b'"x"', b"[]", b"{}", b"ok", b"<html></html>",
    b"event: x\ndata: 1\n\n",
)  # fmt: skip


def _status(rng: Random, reply: Reply) -> Reply:
    """Change the status."""
    return replace(reply, status=rng.choice(STATUSES))


def _header(rng: Random, reply: Reply) -> Reply:
    """Change one header."""
    name, sayings = rng.choice(HEADERS)
    return reply.with_header(name, rng.choice(sayings))


def _limited(rng: Random, reply: Reply) -> Reply:
    """Have had enough of the client."""
    limited = replace(reply, status=rng.choice((429, 429, 503)), body=b"")
    return limited.with_header("Retry-After", rng.choice(HEADERS[2][1]))


def _redirect(rng: Random, reply: Reply) -> Reply:
    """Send the client somewhere else."""
    reply = replace(reply, status=rng.choice((301, 302, 303, 307, 308)))
    return reply.with_header("Location", rng.choice(LOCATIONS))


def _delivery(rng: Random, reply: Reply) -> Reply:
    """Deliver it whole, but in another way."""
    how = replace(
        reply.delivery,
        coding=rng.choice(("identity", "gzip", "deflate")),
        framing=rng.choice(("length", "chunked", "close")),
        parts=rng.randint(1, 4),
    )
    return replace(reply, delivery=how)


def _slow(rng: Random, reply: Reply) -> Reply:
    """Take long over it, or for ever."""
    how = replace(
        reply.delivery,
        framing=rng.choice(("length", "chunked", "close")),
        parts=rng.choice((1, 2, 5, 20)),
        pause=rng.choice((0.001, 0.5, 1.0, 4.0, 7.4, 14.9, 15.1, 60.0)),
        hangs=rng.random() < 0.5,
    )
    return replace(reply, delivery=how)


def _damage(rng: Random, reply: Reply) -> Reply:
    """Lose or change bytes on the way."""
    damages = tuple(
        Damage(
            rng.choice(("cut", "flip", "insert", "drop")),
            rng.random() ** rng.choice((1, 3)),
            rng.randrange(8)
            if rng.random() < 0.7
            else rng.choice((10, 13, 58, 32, 7)) % 8,
        )
        for _ in range(rng.randint(1, 2))
    )
    return replace(reply, delivery=replace(reply.delivery, damages=damages))


def _unreachable(rng: Random, reply: Reply) -> Reply:
    """Break the connection."""
    return replace(reply, status=0)


def _huge(rng: Random, reply: Reply) -> Reply:
    """Send more than anybody reads."""
    if rng.random() > _HOW_OFTEN_HUGE:
        return _value(rng, reply)
    size = rng.choice((2**20, 2**22 - 1, 2**22, 2**22 + 1, 2**23))
    item = rng.choice((b'"x",', b"1e1,", b"1,", b"[],", b'{"id":1},', b" ", b"\x00"))
    body = b'{"success":true,"data":[' + item * (size // len(item)) + b"0]}"
    how = replace(reply.delivery, coding=rng.choice(("identity", "gzip")))
    return replace(reply, body=body, delivery=how)


_HOW_OFTEN_HUGE: Final = 0.002

_MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_value,) * 8,
    *(_near,) * 5,
    *(_fields,) * 5,
    *(_bytes,) * 2,
    *(_header,) * 3,
    _status,
    _limited,
    _redirect,
    *(_delivery,) * 2,
    _slow,
    *(_damage,) * 2,
    _unreachable,
    _huge,
)
