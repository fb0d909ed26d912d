"""What a person gives us to ask with, and what nobody gets to see."""

from hypothesis import given, strategies as st
import pytest
from yarl import URL

from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import InvalidCredentialError
from custom_components.new_api.gateway.families import USER_ID_HEADERS

KEY = "sk-77WsdNa10EgHK1gp3VF5GpXoHTJ1HZzsOmFVynLDtoaD69qz"
BARE = KEY.removeprefix("sk-")
MASKED = f"{BARE[:4]}**********{BARE[-4:]}"
TOKEN = "hJzkgAM+Fae31sO4/lUVR9j7Bcbl="
SITE = URL("https://api.juheai.top")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (KEY, KEY),
        (BARE, BARE),
        (f"  {KEY}\n", KEY),
        (f"\u3000{KEY}\u00a0", KEY),
        (f"Bearer {KEY}", KEY),
        (f"bearer {KEY}", KEY),
        (f"BEARER   {KEY} ", KEY),
        (f'"{KEY}"', KEY),
        (f"'Bearer {KEY}'", KEY),
        (f'" {KEY} "', KEY),
        (f"{KEY}-12", f"{KEY}-12"),
        ("sk-XMbTbzBOmPYGHgL_U8Pe-NuZNUI", "sk-XMbTbzBOmPYGHgL_U8Pe-NuZNUI"),
        ("sk-x", "sk-x"),
        (TOKEN, TOKEN),
        (f"Bearer {TOKEN}", TOKEN),
        ("+/=", "+/="),
        (None, None),
        ("", None),
        ("  ", None),
        ('""', None),
        ("' '", None),
    ],
)
def test_cleaned(text: str | None, cleaned: str | None) -> None:
    """Only what surrounds a credential is taken away, in each of the three fields."""
    assert Credentials.from_text(key=text).key == cleaned
    assert Credentials.from_text(access_token=text).access_token == cleaned
    assert Credentials.from_text(user_id=text).user_id == cleaned


@pytest.mark.parametrize(
    "text",
    ["sk-a b", "sk-a\nb", "sk-a\r\nX-Header: 1", "sk-密钥", "sk-a\x00", "sk-\u200b"],
)
@pytest.mark.parametrize("field", ["key", "access_token", "user_id"])
def test_no_credential(field: str, text: str) -> None:
    """What fits into no header is refused, with the field and without the text."""
    with pytest.raises(InvalidCredentialError) as raised:
        Credentials.from_text(**{field: text})
    assert raised.value.field == field
    assert text not in str(raised.value) + repr(raised.value)


@given(st.text())
def test_any_text(text: str) -> None:
    """Any text is a clean credential, none at all, or refused."""
    try:
        key = Credentials.from_text(key=text).key
    except InvalidCredentialError:
        return
    if key is not None:
        assert key
        assert key.isascii()
        assert key.isprintable()
        assert " " not in key
        assert key in text


def test_secrets_are_not_shown() -> None:
    """Only the user ID, which is no secret, is printed."""
    credentials = Credentials.from_text(key=KEY, user_id="2", access_token=TOKEN)
    for shown in (repr(credentials), str(credentials), f"{credentials}"):
        assert BARE not in shown
        assert TOKEN not in shown
        assert "'2'" in shown


def test_headers() -> None:
    """A key is sent as the bearer, a token with the user ID of all known forks."""
    credentials = Credentials.from_text(key=KEY, user_id="2", access_token=TOKEN)
    assert credentials.key_headers() == {"Authorization": f"Bearer {KEY}"}
    assert credentials.account_headers() == {
        "Authorization": f"Bearer {TOKEN}",
        "New-Api-User": "2",
        "Veloera-User": "2",
        "X-Api-User": "2",
        "voapi-user": "2",
        "User-id": "2",
        "Rix-Api-User": "2",
        "neo-api-user": "2",
    }
    without_id = Credentials.from_text(access_token=TOKEN).account_headers()
    assert without_id == {"Authorization": f"Bearer {TOKEN}"}
    assert len({header.lower() for header in USER_ID_HEADERS}) == 7


def test_digest() -> None:
    """A digest tells a key from others, and nothing of the key."""
    digest = Credentials.from_text(key=KEY).key_digest
    assert digest is not None
    assert digest == Credentials.from_text(key=BARE).key_digest
    assert digest == Credentials.from_text(key=f"Bearer {KEY}").key_digest
    assert digest == Credentials.from_text(key=KEY, user_id="2").key_digest
    assert digest != Credentials.from_text(key=f"{KEY}x").key_digest
    assert digest.isalnum()
    assert not any(BARE[at : at + 6] in digest for at in range(len(BARE) - 5))
    assert Credentials.from_text(access_token=TOKEN).key_digest is None


@pytest.mark.parametrize(
    ("key", "listed", "same"),
    [
        # Whole, as up to v0.11.3 and on One API and One Hub.
        (KEY, BARE, True),
        (BARE, BARE, True),
        (BARE, KEY, True),
        (f"{KEY}-12", BARE, True),
        (KEY, f"{BARE}x", False),
        (KEY, BARE[:-1], False),
        (KEY, BARE.lower(), False),
        ("sk-XMbTbzBO_U8Pe-NuZNUI", "XMbTbzBO_U8Pe-NuZNUI", True),
        # Masked, as since v0.11.4.
        (KEY, MASKED, True),
        (BARE, MASKED, True),
        (f"{KEY}-12", MASKED, True),
        (KEY, f"sk-{MASKED}", True),
        (KEY, f"{BARE[:4]}**********aaaa", False),
        (KEY, f"aaaa**********{BARE[-4:]}", False),
        (KEY, f"{BARE[:4]}aaaaaaaaaa{BARE[-4:]}", False),
        # Of a key as short as what is shown, a mask shows nothing certain.
        ("sk-abcdefgh", "abcd**********efgh", False),
        ("sk-abcdefghi", "abcd**********fghi", True),
        # Nothing to compare.
        (KEY, "", False),
        (KEY, "**********", False),
        (None, BARE, False),
        (None, "", False),
    ],
)
def test_recognised_in_a_list(key: str | None, listed: str, same: bool) -> None:
    """A key is found in a list, whole or masked, with and without `sk-`."""
    assert Credentials.from_text(key=key).is_key(listed) is same


def test_two_keys_with_the_same_ends() -> None:
    """A mask cannot tell these apart, and does not try: the client must not choose."""
    other = f"{BARE[:4]}{'x' * 40}{BARE[-4:]}"
    assert Credentials.from_text(key=KEY).is_key(MASKED)
    assert Credentials.from_text(key=other).is_key(MASKED)
    assert not Credentials.from_text(key=other).is_key(BARE)
