"""What every answer tells a browser, so that it makes nothing of it that we did not mean."""

from collections.abc import MutableSequence

Headers = MutableSequence[tuple[bytes, bytes]]
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)
_POLICY = b"content-security-policy"
_PAGE = (_POLICY, b"frame-ancestors 'none'")
_DATA = (_POLICY, b"default-src 'none'; frame-ancestors 'none'")


def complete(headers: Headers) -> None:
    """Add what an answer does not say itself. A route that wants it otherwise (a page with a policy of its own, a file
    that may be cached) sets the header, and keeps what it set. The names are in lower case, as ASGI has them."""
    said = dict(headers)
    for pair in _ALWAYS:
        if pair[0] not in said:
            headers.append(pair)
    if _POLICY not in said:
        is_page = said.get(b"content-type", b"").startswith(b"text/html")
        headers.append(_PAGE if is_page else _DATA)
