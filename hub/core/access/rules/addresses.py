"""From where a key may be used. Pure."""

from collections.abc import Iterable
from functools import lru_cache

from hub.api.proxies import Network, address_of, networks

MOST_ADDRESSES = 50


def normal(text: str) -> str:
    """An address or a network as it is stored. Raises ValueError."""
    (network,) = networks([text])
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def may_come_from(allowed: tuple[str, ...] | None, address: str | None) -> bool:
    """Whether a caller's address is among those that a key allows; None: it allows all. An address that is not known
    is among none."""
    if allowed is None:
        return True
    found = None if address is None else address_of(address)
    return found is not None and any(found in network for network in _networks(allowed))


def are_within(addresses: Iterable[str], others: Iterable[str]) -> bool:
    """Whether every one of these addresses is among the others."""
    wide = _networks(tuple(others))
    return all(any(_is_within(one, other) for other in wide) for one in _networks(tuple(addresses)))


def _is_within(one: Network, other: Network) -> bool:
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]


@lru_cache(maxsize=1_000)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Parsed once: requests of a key ask each time."""
    return networks(texts)
