"""What `--listen` takes, and how the certificate follows names, addresses and dates while everything runs."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509

from hub.errors import SetupError
from hub.programs.embedded import machine_names
from hub.programs.embedded.authority import Authority, Names
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.lan import LOOK_EVERY_S, Lan, read_listen
from hub.programs.embedded.machine_names import Interface, is_host_name

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what people write to serve the network


class Machine:
    """A machine whose names and addresses a test changes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses = ["192.168.7.10"]
        self.now = 0.0
        self.said: list[str] = []
        monkeypatch.setattr(machine_names, "interfaces", self._interfaces)
        monkeypatch.setattr(machine_names, "host_names", lambda: ("shop-pc", "shop-pc.local"))
        monkeypatch.setattr(machine_names, "preferred", lambda: ip_address(self.addresses[0]))

    def _interfaces(self) -> tuple[Interface, ...]:
        return tuple(Interface(ip_address(one), ip_network(f"{one}/24", strict=False)) for one in self.addresses)

    def lan(self, root: Path, listen: str = EVERYWHERE, **environment: str) -> Lan:
        return Lan(root, read_listen(listen), "local", self.said.append, environment, lambda: self.now)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def addresses_in(file: Path) -> set[str]:
    """For which addresses a certificate is."""
    found = x509.load_pem_x509_certificate(file.read_bytes())
    alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(map(str, alternatives.get_values_for_type(x509.IPAddress)))


@pytest.mark.parametrize("text", ["", "eth0", "1", "192.168.7.11", "8.8.8.8", "0.0.0.0; rm -rf /", "300.1.1.1"])
def test_what_is_no_address_of_this_machine_is_refused_with_those_that_are(machine: Machine, text: str) -> None:
    with pytest.raises(SetupError) as problem:
        read_listen(text)
    assert EVERYWHERE in problem.value.sentence or "192.168.7.10" in problem.value.sentence


@pytest.mark.parametrize("text", [EVERYWHERE, "::", "[::]", "127.0.0.2", "192.168.7.10", " 192.168.7.10 "])
def test_an_address_of_this_machine_or_every_one_is_taken(machine: Machine, text: str) -> None:
    assert str(read_listen(text)) in (EVERYWHERE, "::", "127.0.0.2", "192.168.7.10")


def test_another_address_gets_into_the_certificate_while_it_runs(machine: Machine, tmp_path: Path) -> None:
    lan, renewed = machine.lan(tmp_path), list[int]()
    machine.addresses = ["192.168.7.99"]
    lan.tick(lambda: renewed.append(1))
    assert (renewed, addresses_in(lan.files.certificate)) == ([], {"192.168.7.10"})

    machine.now += LOOK_EVERY_S
    lan.tick(lambda: renewed.append(1))

    assert (renewed, addresses_in(lan.files.certificate)) == ([1], {"192.168.7.99"})
    assert "new certificate" in machine.said[-1]
    lan.tick(lambda: renewed.append(1))
    assert renewed == [1]


def test_an_address_that_machines_call_and_that_has_gone_is_told(machine: Machine, tmp_path: Path) -> None:
    lan = machine.lan(tmp_path)
    assert lan.public_settings(8443, 8883)["FLOORHUB_PUBLIC_URL"] == "https://192.168.7.10:8443"
    machine.addresses = ["192.168.7.10", "192.168.7.99"]
    machine.now += LOOK_EVERY_S
    lan.tick(lambda: None)
    assert "Machines need no change" in machine.said[-1]
    machine.addresses = ["192.168.7.99"]
    machine.now += LOOK_EVERY_S
    lan.tick(lambda: None)
    assert "no longer has the address 192.168.7.10, at which machines call the hub" in machine.said[-1]


def test_an_address_in_a_foreign_network_is_told_once_and_the_rest_goes_on(machine: Machine, tmp_path: Path) -> None:
    lan, renewed = machine.lan(tmp_path), list[int]()
    machine.addresses.append("10.0.0.5")
    for _ in range(3):
        machine.now += LOOK_EVERY_S
        lan.tick(lambda: renewed.append(1))

    assert (renewed, addresses_in(lan.files.certificate)) == ([], {"192.168.7.10"})
    assert [said for said in machine.said if "10.0.0.5" in said] == machine.said
    assert len(machine.said) == 1


def test_a_damaged_authority_is_told_and_does_not_end_what_runs(machine: Machine, tmp_path: Path) -> None:
    lan = machine.lan(tmp_path)
    (tmp_path / "authority" / "authority.pem").unlink()
    machine.now += LOOK_EVERY_S
    lan.tick(lambda: None)
    assert "do not belong together" in machine.said[-1]


def test_a_certificate_of_ones_own_is_used_and_shown_again_when_it_changes(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    own = Authority(tmp_path / "own").ensure(Names(("hub.example",), machine._interfaces()))
    given = {"FLOORHUB_TLS_CERTIFICATE": str(own.certificate_file), "FLOORHUB_TLS_KEY": str(own.key_file)}
    lan, renewed = machine.lan(tmp_path, FLOORHUB_PUBLIC_URL="https://hub.example:8443", **given), list[int]()

    settings = {**lan.tls_settings(8443), **lan.public_settings(8443, 8883)}
    assert settings["FLOORHUB_TLS_CERTIFICATE"] == str(own.certificate_file)
    assert settings["FLOORHUB_PUBLIC_URL"] == "https://hub.example:8443"
    assert "FLOORHUB_CA_FILE" not in settings
    assert not (tmp_path / "authority").exists()
    other = Authority(tmp_path).ensure(Names(("hub.example",), machine._interfaces()))

    def looked_at_after(key: bytes, certificate: bytes) -> list[int]:
        own.key_file.write_bytes(key)
        own.certificate_file.write_bytes(certificate)
        machine.now += LOOK_EVERY_S
        lan.tick(lambda: renewed.append(1))
        return renewed

    old = own.key_file.read_bytes(), own.certificate_file.read_bytes()
    new = other.key_file.read_bytes(), other.certificate_file.read_bytes()
    assert looked_at_after(new[0], old[1]) == []
    assert "do not belong together" in machine.said[-1]
    assert looked_at_after(*new) == [1]
    with pytest.raises(SetupError, match="needs both"):
        machine.lan(tmp_path, FLOORHUB_TLS_KEY=str(own.key_file))


def test_a_broker_that_cannot_be_told_does_not_end_what_runs(machine: Machine, tmp_path: Path) -> None:
    lan = machine.lan(tmp_path)
    machine.addresses = ["192.168.7.99"]
    machine.now += LOOK_EVERY_S

    def full_disk() -> None:
        raise EmbeddedError("No room.", "Make some.", ko="공간이 없습니다.")

    lan.tick(full_disk)

    assert "No room." in machine.said[-1]
    machine.now += LOOK_EVERY_S
    renewed = list[int]()
    lan.tick(lambda: renewed.append(1))
    assert renewed == [1], "it is tried again"


def test_machines_are_sent_to_the_address_that_is_listened_on_or_the_one_towards_the_network(
    machine: Machine, tmp_path: Path
) -> None:
    everywhere = machine.lan(tmp_path).public_settings(8443, 8883)
    one = machine.lan(tmp_path, "127.0.0.2").public_settings(8444, 8884)

    assert everywhere["FLOORHUB_PUBLIC_URL"] == "https://192.168.7.10:8443"
    assert everywhere["FLOORHUB_PUBLIC_MQTT_URL"] == "mqtts://192.168.7.10:8883"
    assert one["FLOORHUB_PUBLIC_URL"] == "https://127.0.0.2:8444"
    assert machine.lan(tmp_path, "127.0.0.2").tls_settings(8444)["FLOORHUB_TLS_HOST"] == "127.0.0.2"


def test_the_accounts_of_the_hub_are_bound_unless_a_setting_says_otherwise(machine: Machine, tmp_path: Path) -> None:
    bound = machine.lan(tmp_path)
    free = machine.lan(tmp_path, FLOORHUB_ACCOUNTS_FROM_NETWORK="true")

    assert bound.broker_pins() == {role: f"_{role}-local" for role in ("hub", "admin", "ops", "doctor")}
    assert (bound.broker_tls().accounts, free.broker_tls().accounts, free.broker_pins()) == (False, True, None)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("shop-pc", True),
        ("shop.example", True),
        ("under_score", False),
        ("-a", False),
        ("10.0.0.5", False),
        ("", False),
    ],
)
def test_names_that_certificates_can_have(name: str, is_one: bool) -> None:
    assert is_host_name(name) is is_one


def test_the_addresses_of_this_machine_have_networks_that_they_are_in() -> None:
    for interface in machine_names.interfaces():
        assert interface.address in interface.network
        assert not interface.address.is_loopback
