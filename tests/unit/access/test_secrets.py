"""Secrets that people and programs pass on."""

import zlib

import pytest

from hub.keys import is_api_key, is_mistyped, new_administrator_key, new_api_key, new_client_secret
from hub.tokens import API_KEY, CLIENT_SECRET, LINK, REFRESH, is_token, new_token

PREFIXES = (API_KEY, CLIENT_SECRET, REFRESH, LINK)


def test_a_client_secret_is_never_read_as_an_option() -> None:
    """One of 64 texts in base64 begins with a hyphen, and `client.js ID SECRET` then fails on its arguments."""
    assert not [secret for _ in range(3000) if (secret := new_client_secret()).startswith("-")]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_token_has_a_prefix_256_bits_and_the_crc_32_of_both(prefix: str) -> None:
    made = [new_token(prefix) for _ in range(200)]

    assert len(set(made)) == 200
    for token in made:
        body, checksum = token[:-6], token[-6:]
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        value = sum(digits.index(digit) * 62**place for place, digit in enumerate(reversed(checksum)))
        assert value == zlib.crc32(body.encode())
        assert (len(token), is_token(token, prefix), is_mistyped(token)) == (len(prefix) + 49, True, False)
    # Every digit of the random part varies, the first one as far as 256 bits go.
    places = list(zip(*(token[len(prefix) : -6] for token in made), strict=True))
    assert all(len(set(place)) > 20 for place in places[1:])
    assert len(set(places[0])) > 5


@pytest.mark.parametrize("place", range(len(API_KEY), len(API_KEY) + 49))
def test_a_token_with_another_character_is_mistyped(place: int) -> None:
    token = new_token(API_KEY)
    wrong = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]

    assert not is_token(wrong, API_KEY)
    assert is_mistyped(wrong)


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda text: f"{text}a", lambda text: text[:-1]])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_token_in_another_form_is_mistyped(prefix: str, change: object) -> None:
    wrong = prefix + change(new_token(prefix).removeprefix(prefix))  # type: ignore[operator]

    assert not is_token(wrong, prefix)
    assert is_mistyped(wrong)


def test_characters_outside_base62_are_no_token() -> None:
    for wrong in ("é" * 49, "-" * 49, "\u0661" * 49, " " * 49, ""):
        assert not is_token(API_KEY + wrong, API_KEY)
        assert is_mistyped(API_KEY + wrong)


def test_one_kind_of_token_is_not_another() -> None:
    assert not is_token(new_token(CLIENT_SECRET), API_KEY)
    assert is_api_key(new_api_key().text)
    assert not is_api_key(new_client_secret())


def test_a_key_of_before_is_a_key_still() -> None:
    old = new_administrator_key()

    assert old.text.startswith("fh_")
    assert is_api_key(old.text)
    assert not is_mistyped(old.text)
    assert not is_mistyped("nNPZ3PpMGE9DwNwxsXJx6ZJ1WQ4b0Yv4c3nSCmMYf-8")  # a client's secret of before


def test_a_prefix_tells_keys_apart_and_gives_little_away() -> None:
    key = new_api_key()

    assert key.text.startswith(key.prefix)
    assert len(key.prefix) == len(API_KEY) + 8
