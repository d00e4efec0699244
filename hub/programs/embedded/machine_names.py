"""What this machine is called, and at which addresses other machines reach it."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST_NAME = 253
#: Where packets to the network would leave; nothing is sent there (a range for documentation, RFC 5737 and 3849).
_FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
#: A network with more addresses than this says nothing about where the machine is.
_WIDEST = {4: 16, 6: 48}


@dataclass(frozen=True, slots=True)
class Interface:
    """An address of this machine, and the network that it belongs to."""

    address: Address
    network: Network


def host_names() -> tuple[str, ...]:
    """The name of this machine, as it is and as mDNS has it. None when the name cannot stand in a certificate."""
    name = socket.gethostname().strip().lower().removesuffix(".")
    if not is_host_name(name) or name.partition(".")[0] == "localhost":
        return ()  # every machine calls itself so
    local = f"{name.partition('.')[0]}.local"
    return tuple(dict.fromkeys((name, local)))


def is_host_name(name: str) -> bool:
    """Whether DNS and certificates can have such a name; no address is one."""
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        return False
    return not name.replace(".", "").isdecimal()


def interfaces() -> tuple[Interface, ...]:
    """All addresses that other machines could call, in a stable order: neither loopback, nor those that mean something
    on one cable only (fe80::)."""
    import psutil  # type: ignore[import-untyped]  # late: only those who serve the network need it

    found: dict[Address, Network] = {}
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            address = ip_address(entry.address.partition("%")[0])
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                found[address] = _network(address, entry.netmask)
    return tuple(Interface(address, found[address]) for address in sorted(found, key=_order))


def without_connection(address: Address) -> str | None:
    """The interface that has an address of this machine, when it has no connection: a cable that is out, a network that
    was left."""
    import psutil  # late, as above

    states = psutil.net_if_stats()
    for name, entries in psutil.net_if_addrs().items():
        if str(address) in {entry.address for entry in entries} and name in states and not states[name].isup:
            return str(name)
    return None


def alone(address: Address) -> Interface:
    """An address without its network."""
    return Interface(address, ip_network(address))


def preferred() -> Address | None:
    """The address that this machine has towards the network; None without one."""
    for family, far in _FAR_AWAY:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                address = ip_address(probe.getsockname()[0].partition("%")[0])
        except OSError:
            continue
        if not (address.is_loopback or address.is_unspecified):
            return address
    return None


def _network(address: Address, mask: str | None) -> Network:
    """The network of an address; the address alone when the network is very large, or not known."""
    try:
        length = _prefix(mask or "")
        found = ip_network((address, length), strict=False)
    except ValueError:
        return ip_network(address)
    return found if found.prefixlen >= _WIDEST[address.version] else ip_network(address)


def _prefix(mask: str) -> int:
    """The number of bits of a netmask, of IPv4 or IPv6. Raises ValueError."""
    bits = f"{int(ip_address(mask)):b}"
    if "01" in bits:
        raise ValueError(mask)
    return bits.count("1")


def _order(address: Address) -> tuple[int, int]:
    return address.version, int(address)
