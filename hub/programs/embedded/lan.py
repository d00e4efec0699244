"""`make run LAN=1`: what serves other machines, with certificates of our own, renewed while it runs."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from broker_config.render import Tls, account_names
from hub.api.tls import Certificate, CertificateFiles
from hub.errors import SetupError
from hub.programs.embedded import machine_names
from hub.programs.embedded.authority import FOLDER, Authority, Issued, Names
from hub.programs.embedded.data_folder import own_folder, write_private
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.machine_names import Address, Interface
from hub.programs.embedded.patience import Say
from schemas.terminal import either

MQTT_PORT, HTTPS_PORT = 8883, 8443
LOOK_EVERY_S = 30.0
"""How often names and addresses of the machine are looked at; a certificate near its end is found by this, too."""
ACCOUNTS_FROM_NETWORK = "FLOORHUB_ACCOUNTS_FROM_NETWORK"
MACHINE_CERTIFICATES = "FLOORHUB_MACHINE_CERTIFICATES"
MACHINES = "machines.pem"
"""The authority of machines, beside our own one."""
HOSTS = "FLOORHUB_HOSTS"
PUBLIC_URL, PUBLIC_MQTT_URL = "FLOORHUB_PUBLIC_URL", "FLOORHUB_PUBLIC_MQTT_URL"
OWN_CERTIFICATE, OWN_KEY, CA_FILE = "FLOORHUB_TLS_CERTIFICATE", "FLOORHUB_TLS_KEY", "FLOORHUB_CA_FILE"


def read_listen(text: str) -> Address:
    """The address to listen on. Raises SetupError."""
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        raise SetupError(
            f"--listen is {text!r}: name an address of this machine, or 0.0.0.0 (every IPv4 address), or :: (every "
            "address).",
            ko=f"--listen이 {text!r}입니다. 이 컴퓨터의 주소나 0.0.0.0(모든 IPv4 주소), ::(모든 주소)을 지정하십시오.",
        ) from None
    here = {interface.address for interface in machine_names.interfaces()}
    if not (address.is_unspecified or address.is_loopback or address in here):
        listed = ", ".join(map(str, sorted(here, key=lambda one: (one.version, int(one))))) or "-"
        raise SetupError(
            f"--listen is {address}, which is no address of this machine. It has: {listed}.",
            ko=f"--listen이 {address}인데 이 컴퓨터의 주소가 아닙니다. 이 컴퓨터의 주소: {listed}.",
        )
    return address


@dataclass(frozen=True, slots=True)
class Files:
    """What TLS needs. `authority`: None when a public one vouches for the certificate."""

    certificate: Path
    key: Path
    authority: Path | None


class Lan:
    """The certificates for one address to listen on; `tick` keeps them fresh."""

    def __init__(
        self,
        root: Path,
        listen: Address,
        worker: str,
        say: Say,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes what is missing. Raises SetupError and EmbeddedError. `worker`: the name of the only hub."""
        self._root = root
        self._authority = Authority(root)
        self._listen = listen
        self._worker = worker
        self._say = say
        self._environment = environment
        self._clock = clock
        self._look_at = clock() + LOOK_EVERY_S
        self.issued: Issued | None = None
        self.files = self._own_files() or self._issue()
        self._called = ""
        """Where machines were told to call."""
        self._untold = False
        """Whether `renewed` has still to succeed for the files as they are."""
        self._shown = Certificate(CertificateFiles(self.files.certificate, self.files.key))

    @property
    def host(self) -> str:
        """Where machines call: the address that is listened on, or the one towards the network."""
        chosen = None if self._listen.is_unspecified else self._listen
        chosen = chosen or machine_names.preferred()
        if chosen is None:
            found = self._names()
            chosen = found.addresses[0] if found.addresses else None
        if chosen is None:
            return machine_names.host_names()[0]
        return f"[{chosen}]" if chosen.version == 6 else str(chosen)

    def broker_tls(self) -> Tls:
        """The broker's listener for the network."""
        return Tls(
            self.files.certificate,
            self.files.key,
            MQTT_PORT,
            None,
            str(self._listen),
            accounts=self._accounts_allowed,
            machine_authority_file=self._root / FOLDER / MACHINES if self.asks_machines else None,
        )

    def write_machine_authority(self, pem: str) -> None:
        """Have the file of `broker_tls` with the authority of machines. Raises EmbeddedError."""
        file = self._root / FOLDER / MACHINES
        try:
            own_folder(file.parent, None)
            write_private(file, pem, mode=0o644)
        except OSError as problem:
            raise EmbeddedError(
                f"{file} cannot be written: {reason(problem)}.",
                "Check that the disk has room and that the folder is yours.",
                ko=f"{file}에 쓸 수 없습니다({reason(problem)}). 디스크에 여유가 있는지, 폴더가 이 사용자의 것인지 "
                "확인하십시오.",
            ) from problem

    @property
    def asks_machines(self) -> bool:
        """Whether machines must show the broker a certificate."""
        return self._is_on(MACHINE_CERTIFICATES)

    def broker_pins(self) -> dict[str, str] | None:
        """The client ids to which our own accounts are bound, so that the network cannot use them."""
        if self._accounts_allowed:
            return None
        return {role: pinned_id(name, self._worker) for role, name in account_names().items()}

    def tls_settings(self, https_port: int) -> dict[str, str]:
        """Variables for what serves HTTPS."""
        return {
            OWN_CERTIFICATE: str(self.files.certificate),
            OWN_KEY: str(self.files.key),
            "FLOORHUB_TLS_HOST": str(self._listen),
            "FLOORHUB_TLS_PORT": str(https_port),
        }

    def public_settings(self, https_port: int, mqtt_port: int) -> dict[str, str]:
        """Variables for the hub: where other machines reach it, and whom they must trust."""
        self._called = self.host
        settings = {
            PUBLIC_URL: self.public_url(https_port),
            PUBLIC_MQTT_URL: self._given(PUBLIC_MQTT_URL) or f"mqtts://{self.host}:{mqtt_port}",
        }
        settings |= {MACHINE_CERTIFICATES: "true"} if self.asks_machines else {}
        return settings | ({CA_FILE: str(self.files.authority)} if self.files.authority is not None else {})

    def public_url(self, https_port: int) -> str:
        """Where other machines find the hub."""
        return self._given(PUBLIC_URL) or f"https://{self.host}:{https_port}"

    def tick(self, renewed: Callable[[], None]) -> None:
        """Look at names, addresses and dates when it is time; `renewed` is called after the files changed. Call it a
        few times a second. A problem is told, and looked at again later."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY_S
        try:
            if self.issued is not None:
                self._follow(self.issued)
            self._untold = self._shown.is_due() or self._untold
            if self._untold:
                renewed()
                self._untold = False
                self._tell_renewed()
        except (SetupError, EmbeddedError) as problem:
            self._say(either(problem.sentence, problem.korean))

    def _follow(self, before: Issued) -> None:
        """Make another certificate, if names, addresses or dates want one. Raises SetupError and EmbeddedError."""
        self.issued = issued = self._authority.ensure(self._names())
        if issued.left_out != before.left_out:
            self._tell_left_out(issued)

    def _tell_renewed(self) -> None:
        if self._has_moved():
            self._say(
                either(
                    f"This machine no longer has the address {self._called}, at which machines call the hub. Give it "
                    "back, or start the hub again and tell the machines the new address: "
                    "docs/how-to/move-the-hub-to-another-address.md.",
                    f"기기가 허브를 찾는 주소 {self._called}이(가) 이 컴퓨터에 더 이상 없습니다. 이 주소를 되돌리거나, "
                    "허브를 다시 시작하고 기기에 새 주소를 알리십시오(docs/how-to/move-the-hub-to-another-address.md).",
                )
            )
            return
        until = f"{self.issued.ends:%Y-%m-%d}" if self.issued is not None else ""
        self._say(
            either(
                "The hub has a new certificate"
                + (f", valid until {until}" if until else "")
                + ". Machines need no change.",
                "허브의 인증서가 바뀌었습니다"
                + (f"({until}까지 유효)" if until else "")
                + ". 기기에서 할 일은 없습니다.",
            )
        )

    def _has_moved(self) -> bool:
        """Whether the address that machines call is no longer one of this machine."""
        try:
            called = ip_address(self._called.strip("[]"))
        except ValueError:
            return False
        return not self._given(PUBLIC_URL) and called not in self._names().addresses

    @property
    def _accounts_allowed(self) -> bool:
        return self._is_on(ACCOUNTS_FROM_NETWORK)

    def _is_on(self, name: str) -> bool:
        return self._given(name).lower() in ("1", "true", "t", "yes", "y", "on")  # as the hub reads it

    def _given(self, name: str) -> str:
        return self._environment.get(name, "").strip()

    def _own_files(self) -> Files | None:
        """The certificate of the settings, if they name one. Raises SetupError."""
        certificate, key, authority = (self._given(name) for name in (OWN_CERTIFICATE, OWN_KEY, CA_FILE))
        if not certificate and not key:
            return None
        if not certificate or not key:
            raise SetupError(
                f"HTTPS needs both {OWN_CERTIFICATE} and {OWN_KEY}.",
                ko=f"HTTPS에는 {OWN_CERTIFICATE}와 {OWN_KEY}가 모두 필요합니다.",
            )
        return Files(
            Path(certificate).absolute(), Path(key).absolute(), Path(authority).absolute() if authority else None
        )

    def _issue(self) -> Files:
        issued = self.issued = self._authority.ensure(self._names())
        self._tell_left_out(issued)
        return Files(issued.certificate_file, issued.key_file, issued.authority_file)

    def _names(self) -> Names:
        hosts = [*machine_names.host_names()]
        extra = [name.strip().lower() for name in self._given(HOSTS).split(",")]
        hosts += [name for name in extra if machine_names.is_host_name(name) and name != "localhost"]
        found: tuple[Interface, ...] = machine_names.interfaces()
        if not self._listen.is_unspecified and self._listen not in {interface.address for interface in found}:
            found = (*found, machine_names.alone(self._listen))
        return Names(tuple(dict.fromkeys(hosts)), found)

    def _tell_left_out(self, issued: Issued) -> None:
        if issued.left_out:
            listed = ", ".join(issued.left_out)
            self._say(
                either(
                    f"The certificate is not for {listed}: the authority was made when this machine had other names "
                    "and networks. docs/how-to/move-the-hub-to-another-address.md says what to do.",
                    f"인증서에 {listed}이(가) 없습니다. 인증 기관을 만들 때 이 컴퓨터의 이름과 네트워크가 달랐습니다. "
                    "docs/how-to/move-the-hub-to-another-address.md를 보십시오.",
                )
            )


def pinned_id(account: str, worker: str) -> str:
    """The MQTT client id of an account's only connection, as the hub has it."""
    return f"{account}-{worker}"
