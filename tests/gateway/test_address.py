"""What people type and paste as the address of a site."""

from hypothesis import given, strategies as st
import pytest
from yarl import URL

from custom_components.new_api.gateway.address import is_exposed, parse_address
from custom_components.new_api.gateway.errors import InvalidAddressError

FORGIVEN = [
    # Plain, and with what gets into it on the way.
    ("https://api.juheai.top", "https://api.juheai.top"),
    ("api.juheai.top", "https://api.juheai.top"),
    ("  https://api.juheai.top \n", "https://api.juheai.top"),
    ("\u3000https://api.juheai.top\u3000", "https://api.juheai.top"),
    ('"https://api.juheai.top"', "https://api.juheai.top"),
    ("'api.juheai.top'", "https://api.juheai.top"),
    ("`https://api.juheai.top`", "https://api.juheai.top"),
    ("“https://api.juheai.top”", "https://api.juheai.top"),
    ("《https://api.juheai.top》", "https://api.juheai.top"),
    ("<https://api.juheai.top>", "https://api.juheai.top"),
    ("HTTPS://API.JuheAI.Top", "https://api.juheai.top"),
    ("https://api.juheai.top/", "https://api.juheai.top"),
    ("https://api.juheai.top///", "https://api.juheai.top"),
    ("https:///api.juheai.top", "https://api.juheai.top"),
    ("https:api.juheai.top", "https://api.juheai.top"),
    ("https//api.juheai.top/v1", "https://api.juheai.top"),
    ("http://api.juheai.top", "http://api.juheai.top"),
    # With full-width characters of a Chinese keyboard.
    ("https：//api.juheai.top", "https://api.juheai.top"),
    ("https：／／api．juheai．top／v1", "https://api.juheai.top"),
    ("api。juheai。top", "https://api.juheai.top"),
    ("\uff48\uff54\uff54\uff50\uff53：／／api.juheai.top", "https://api.juheai.top"),
    ("192.168.1.5：\uff13\uff10\uff10\uff10", "http://192.168.1.5:3000"),
    ("api.juheai.top：8443／console", "https://api.juheai.top:8443"),
    ("https://api.juheai.top？tab=1＃key", "https://api.juheai.top"),
    # Pasted from the documentation or from the address bar.
    ("https://api.juheai.top/v1", "https://api.juheai.top"),
    ("https://api.juheai.top/v1/", "https://api.juheai.top"),
    ("https://api.juheai.top/v1/models", "https://api.juheai.top"),
    ("api.juheai.top/v1/chat/completions", "https://api.juheai.top"),
    ("https://api.juheai.top//v1//models/", "https://api.juheai.top"),
    ("https://api.juheai.top/v1beta/models", "https://api.juheai.top"),
    ("https://api.juheai.top/api/status", "https://api.juheai.top"),
    ("https://api.juheai.top/api/user/self", "https://api.juheai.top"),
    ("https://api.juheai.top/api/usage/token/", "https://api.juheai.top"),
    ("https://api.juheai.top/api/token/?p=0&size=100", "https://api.juheai.top"),
    ("https://api.juheai.top/dashboard/billing/usage", "https://api.juheai.top"),
    ("https://api.juheai.top/console", "https://api.juheai.top"),
    ("https://api.juheai.top/console/token?page=2", "https://api.juheai.top"),
    ("https://api.juheai.top/panel/token", "https://api.juheai.top"),
    ("https://api.juheai.top/login?expired=true", "https://api.juheai.top"),
    ("https://api.juheai.top/register", "https://api.juheai.top"),
    ("https://api.juheai.top/pricing", "https://api.juheai.top"),
    ("https://api.juheai.top/token/", "https://api.juheai.top"),
    ("https://api.juheai.top/topup", "https://api.juheai.top"),
    ("https://api.juheai.top/about", "https://api.juheai.top"),
    ("https://api.juheai.top/#/token", "https://api.juheai.top"),
    ("https://api.juheai.top?aff=A2xy", "https://api.juheai.top"),
    # Below a path, which stays.
    ("https://example.org/ai", "https://example.org/ai"),
    ("https://example.org/ai/", "https://example.org/ai"),
    ("https://example.org/ai/v1", "https://example.org/ai"),
    ("https://example.org/ai/v1/models", "https://example.org/ai"),
    ("example.org/ai//gateway/console/log", "https://example.org/ai/gateway"),
    ("https://example.org/v10", "https://example.org/v10"),
    ("https://example.org/console-of-mine", "https://example.org/console-of-mine"),
    ("https://example.org/apis", "https://example.org/apis"),
    ("https://example.org/a/../b/v1", "https://example.org/b"),
    # Ports.
    ("example.org:3000", "https://example.org:3000"),
    ("http://example.org:443", "http://example.org:443"),
    ("8.8.8.8:3000", "https://8.8.8.8:3000"),
    # At home, where certificates are rare.
    ("localhost", "http://localhost"),
    ("localhost:3000/v1", "http://localhost:3000"),
    ("gateway:3000", "http://gateway:3000"),
    ("gateway.local", "http://gateway.local"),
    ("gateway.lan:8080", "http://gateway.lan:8080"),
    ("host.docker.internal:3000", "http://host.docker.internal:3000"),
    ("gateway.home.arpa", "http://gateway.home.arpa"),
    ("gateway.home./v1", "http://gateway.home."),
    ("api.localhost:3000", "http://api.localhost:3000"),
    ("100.101.102.103:3000", "http://100.101.102.103:3000"),
    ("134744072", "https://134744072"),
    ("192.168.1.5:3000/v1/models", "http://192.168.1.5:3000"),
    ("10.0.0.7", "http://10.0.0.7"),
    ("172.16.0.1:3000", "http://172.16.0.1:3000"),
    ("127.0.0.1:3000", "http://127.0.0.1:3000"),
    ("[::1]:3000", "http://[::1]:3000"),
    ("[fd00::5]/console", "http://[fd00::5]"),
    ("[2606:4700::1111]:3000", "https://[2606:4700::1111]:3000"),
    ("https://192.168.1.5:3000", "https://192.168.1.5:3000"),
    ("https://localhost", "https://localhost"),
    # In other alphabets.
    ("例子.com", "https://xn--fsqu00a.com"),
    ("https://例子.com/网关/v1", "https://xn--fsqu00a.com/%E7%BD%91%E5%85%B3"),
]


@pytest.mark.parametrize(("text", "base"), FORGIVEN)
def test_forgiven(text: str, base: str) -> None:
    """What can only mean one thing is taken for it, and stays what it is."""
    parsed = parse_address(text)
    assert str(parsed) == base
    assert parse_address(base) == parsed


AT_HOME = [
    "localhost",
    "LOCALHOST.",
    "gateway",
    "gateway.",
    "gateway.local",
    "gateway.local.",
    "Gateway.LAN",
    "host.docker.internal",
    "gateway.home",
    "gateway.home.arpa",
    "api.localhost",
    "my_gateway",
    "0.0.0.0",  # noqa: S104 - as some servers print where they listen
    "127.0.0.1",
    "127.255.255.254",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.5",
    "192.168.1.5.",
    "169.254.10.20",
    "100.64.0.1",
    "100.127.255.254",
    "[::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00::5]",
    "[fc00::5]",
    "[::ffff:192.168.1.5]",
    "[::ffff:127.0.0.1]",
]

PUBLIC = [
    "api.juheai.top",
    "api.juheai.top.",
    "example.org",
    "local.example.org",
    "gateway.local.example.org",
    "thelocal.org",
    "home.arpa.example.org",
    "localhost.example.org",
    "lan.com",
    "xn--fsqu00a.com",
    "8.8.8.8",
    "8.8.8.8.",
    "172.15.255.255",
    "172.32.0.1",
    "192.169.0.1",
    "169.253.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "11.0.0.1",
    "[2606:4700::1111]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::808:808]",
    "[2002:808:808::1]",
    # 8.8.8.8 and 8.0.0.8, as the resolvers of many systems read them.
    "134744072",
    "0x08080808",
    "8.8",
    "010.0.0.8",
]


@pytest.mark.parametrize("host", AT_HOME)
def test_not_exposed_at_home(host: str) -> None:
    """What does not leave the house is not exposed, however it is sent."""
    assert not is_exposed(URL(f"http://{host}:3000/ai"))
    assert not is_exposed(URL(f"https://{host}:3000/ai"))


@pytest.mark.parametrize("host", PUBLIC)
def test_exposed_in_public(host: str) -> None:
    """What goes to a public host is exposed, unless it is encrypted."""
    assert is_exposed(URL(f"http://{host}:3000/ai"))
    assert not is_exposed(URL(f"https://{host}:3000/ai"))


@pytest.mark.parametrize("host", [*AT_HOME, *PUBLIC])
def test_nothing_is_exposed_that_was_not_meant_so(host: str) -> None:
    """An address without a scheme is never sent to a public host unencrypted."""
    try:
        base = parse_address(host)
    except InvalidAddressError:
        return
    assert not is_exposed(base)


REFUSED = [
    "",
    " ",
    "\u3000",
    '""',
    "<>",
    "https://",
    "http:///",
    "/v1",
    "?",
    "#",
    "ftp://example.org",
    "file:///etc/passwd",
    "ws://example.org",
    "javascript:alert(1)",
    "mailto:somebody@example.org",
    "http://exa mple.org",
    "my gateway",
    "https:\\\\example.org",
    "http://[::1",
    "::1",
    "example.org:port",
    "example.org:99999",
    "example.org:-1",
    # Credentials do not belong into an address that is shown and logged.
    "https://alice:hunter2@example.org",
    "https://alice@example.org",
    "alice:hunter2@example.org/v1",
    "https://:@example.org",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    """What is no address of a site is refused, and not quoted."""
    with pytest.raises(InvalidAddressError) as raised:
        parse_address(text)
    for shown in (str(raised.value), repr(raised.value)):
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    "text", ["https://example.org:443/v1", "http://example.org:80"]
)
def test_default_port(text: str) -> None:
    """A port that goes without saying makes no other site of it."""
    assert parse_address(text) == parse_address(text.rpartition(":")[0])


@pytest.mark.parametrize(
    "text",
    [
        "https:/192.168.1.5:3000",
        "http//192.168.1.5:3000",
        "https://https://example.org",
        "http://http//example.org",
    ],
)
def test_scheme_is_no_host(text: str) -> None:
    """A scheme in the wrong place is no name of a host that anybody has."""
    try:
        base = parse_address(text)
    except InvalidAddressError:
        return
    assert base.host not in ("http", "https")


@pytest.mark.parametrize("text", ["...", "-", "https://example.org,", "a..org", ";.;"])
def test_no_host(text: str) -> None:
    """Punctuation is no host."""
    with pytest.raises(InvalidAddressError):
        parse_address(text)


@pytest.mark.parametrize("text", ["xn--", "https://xn--a.example.org"])
def test_host_can_be_read(text: str) -> None:
    """What is taken for an address can be shown: `URL.host` does not raise."""
    try:
        base = parse_address(text)
    except InvalidAddressError:
        return
    assert base.host


@given(st.text() | st.text(alphabet="htps:/.[]@?#%-_a1 。：／"))
def test_any_text(text: str) -> None:
    """Any text is an address without a slash at its end, or refused."""
    try:
        base = parse_address(text)
    except InvalidAddressError:
        return
    assert base.scheme in ("http", "https")
    assert base.raw_host
    assert base.user is base.password is None
    assert base.query_string == base.fragment == ""
    assert not base.path.removeprefix("/").endswith("/")
    assert parse_address(str(base)) == base
