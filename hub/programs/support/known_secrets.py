"""Secrets that are known, in every form in which they come: as they are, percent-encoded in either case, escaped as
JSON does, in base64 (alone or after a user's name), in hex, and cut off."""

import base64
import re
from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
_SHORTEST = 6
"""A shorter secret would take too much with it; none that Floorhub makes is as short."""
_BEGINNING = 12
"""So many characters at the beginning of a longer secret are enough to tell it."""


class KnownSecrets:
    """Replaces them in text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        plain = {secret.strip() for secret in secrets}
        plain = {secret for secret in plain if len(secret) >= _SHORTEST}
        forms = {form for secret in plain for form in _forms(secret)}
        # The longest first: one may be a part of another.
        self._forms = sorted(forms, key=len, reverse=True)
        escaped = sorted(plain, key=len, reverse=True)
        self._escaped = re.compile("|".join(map(_any_escape, escaped))) if escaped else None
        begun = sorted(secret[:_BEGINNING] for secret in plain if len(secret) > _BEGINNING)
        self._begun = [(begin, re.compile(rf"{re.escape(begin)}\S*")) for begin in begun]

    def out_of(self, text: str) -> str:
        """The text without them."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, REDACTED)
        if self._escaped is not None and ("%" in text or "\\" in text or "+" in text):
            text = self._escaped.sub(REDACTED, text)
        for begin, pattern in self._begun:
            if begin in text:
                text = pattern.sub(REDACTED, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (secret, secret.upper(), secret.lower(), raw.hex(), raw.hex().upper())
    # What is encoded with something before it, such as `user:`, begins at one of three places in a group of four.
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw)
        first = (before * 8 + 5) // 6
        stable = encoded[first : (before + len(raw)) * 8 // 6].decode()
        if len(stable) >= _SHORTEST:
            yield stable
            yield stable.replace("+", "-").replace("/", "_")


def _any_escape(secret: str) -> str:
    """A pattern for the secret with any of its characters written in another way."""
    return "".join(map(_any_form, secret))


def _any_form(char: str) -> str:
    coded = "".join(f"%(?i:{byte:02x})" for byte in char.encode("utf-8", "surrogatepass"))
    units = char.encode("utf-16-be", "surrogatepass").hex()
    unicode = "".join(rf"\\u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))
    others = [coded, unicode, rf"\\{re.escape(char)}", *([r"\+"] if char == " " else [])]
    return f"(?:{re.escape(char)}|{'|'.join(others)})"
