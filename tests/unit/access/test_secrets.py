"""Secrets that people and programs pass on."""

from hub.keys import new_client_secret


def test_a_client_secret_is_never_read_as_an_option() -> None:
    """One of 64 texts in base64 begins with a hyphen, and `client.js ID SECRET` then fails on its arguments."""
    assert not [secret for _ in range(3000) if (secret := new_client_secret()).startswith("-")]
