"""From an empty folder on a second machine to a page, and what that machine is told when it must not connect."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from hub.programs.embedded.authority import Authority, Names
from hub.programs.embedded.machine_names import alone
from hub.programs.embedded.packages import Packages
from schemas.pairing import read_link, spell_code
from tests.support.broker_client import BrokerClient
from tests.support.fault_proxy import Loop
from tests.support.namespaces import Capture, add_address, remove_address
from tests.support.revoking import ENDINGS, taken_away
from tests.support.second_machine import (
    ENGLISH,
    EVERYWHERE,
    HTTPS,
    HUB,
    HUB_V6,
    KOREAN,
    LATER,
    MACHINE,
    MACHINE_V6,
    MQTTS,
    PROGRAMS,
    Program,
    TwoMachines,
)
from tests.support.tls_front import TlsFront
from tests.support.waiting import until

REFUSED_S, GONE_S = 1.0, 5.0
MOST_S = 60
"""From an empty folder to a printed page."""


def test_from_an_empty_folder_to_a_printed_page_over_tls_only(
    testbed: TwoMachines, up: Program, tmp_path: Path
) -> None:
    steps = []
    with closing(Capture(testbed.machine)) as wire:
        began = time.monotonic()
        made = testbed.code("press-1", "--zone", "hall-1")
        steps.append(("code", time.monotonic()))
        code, said = testbed.pair(tmp_path, made["link"], "--yes", "--server", testbed.cups.uri)
        steps.append(("machine connected, test page", time.monotonic()))
        assert code == 0, said
        assert "The test page is printed on front_desk" in said
        with testbed.agent(tmp_path) as agent:
            steps.append(("agent connected", time.monotonic()))
            sent = testbed.floorhub(
                "print", "--test-page", "--client", "press-1", "--printer", "front_desk", "--wait", "60"
            )
            assert sent.returncode == 0, sent.stdout + sent.stderr + agent.said()
            steps.append(("page of the hub", time.monotonic()))
        assert [line.queue for line in testbed.cups.page_log()] == ["Front_Desk"] * 2
        assert len(testbed.printer.effects_file.read_text().splitlines()) == 2
        passed = {HTTPS, MQTTS}
        assert wire.ports() == passed
        secret = (tmp_path / "agent.toml").read_text().partition('secret = "')[2].partition('"')[0]
        for text in (secret, made["token"], "press-1", "floorhub/v1"):
            assert text
            assert not wire.has(text), text

    before = began
    for name, at in steps:
        print(f"{name}: {at - before:.1f} s")  # noqa: T201
        before = at
    print(f"together: {before - began:.1f} s, asked: < {MOST_S} s")  # noqa: T201
    assert before - began < MOST_S
    assert testbed.hub.listening() == {(EVERYWHERE, HTTPS), (EVERYWHERE, MQTTS)}
    hub = json.loads((testbed.data / "hub.json").read_text())
    plain = {int(hub[name].rpartition(":")[2]) for name in ("url", "mqtt_url")} | {9001, 8444, 5432}
    assert {port: testbed.reaches(HUB, port) for port in plain} == dict.fromkeys(plain, False)
    assert {port: testbed.reaches(HUB, port) for port in (HTTPS, MQTTS)} == {HTTPS: True, MQTTS: True}


def test_codes_that_are_good_no_more_are_told_with_what_to_do(
    testbed: TwoMachines, up: Program, tmp_path: Path
) -> None:
    used, expired = testbed.code("press-2"), testbed.code("press-3", "--expires", "10s")
    (tmp_path / "first").mkdir()
    assert testbed.pair(tmp_path / "first", used["link"], "--no-printers")[0] == 0

    testbed.refused(tmp_path, (used["link"],), "used by another machine", "다른 기기가 이미 사용한 코드입니다")
    fingerprint = ("--fp", used["fingerprint"])
    testbed.refused(
        tmp_path, (used["hub_url"], used["code"], *fingerprint), "used by another machine", "다른 기기가 이미 사용한"
    )
    testbed.refused(
        tmp_path, (used["hub_url"], "0000-0000", *fingerprint), "The hub knows no such code", "허브에 없는 코드"
    )
    until(lambda: datetime.now(UTC) > datetime.fromisoformat(expired["expires_at"]), "the code expired")
    testbed.refused(tmp_path, (expired["link"],), "expired", "에 끝났습니다. 코드를 새로 받으십시오")


@pytest.fixture
def between(testbed: TwoMachines, up: Program, tmp_path: Path) -> Iterator[TlsFront]:
    """Somebody at the hub's own address, with a certificate for it of another authority, who hands everything on."""
    (tmp_path / "theirs").mkdir()
    names = Names((), (alone(ip_address(HUB)),))
    issued = Authority(tmp_path / "theirs").ensure(names)
    chain = tmp_path / "chain.pem"
    chain.write_text(issued.certificate_file.read_text() + issued.key_file.read_text())
    with ExitStack() as stack, testbed.hub.entered():
        lines = stack.enter_context(closing(Loop()))
        yield stack.enter_context(closing(TlsFront(lines, HTTPS, chain, HUB, again=True)))


def test_a_certificate_of_another_authority_is_refused(testbed: TwoMachines, between: TlsFront, tmp_path: Path) -> None:
    made = testbed.code("press-4")
    theirs = made["link"].replace(f":{HTTPS}", f":{between.port}")
    assert theirs != made["link"]
    testbed.refused(tmp_path, (theirs,), "is not of the hub's authority", "허브의 인증 기관이 발급한 것이 아니거나")

    another = made["link"].replace(made["fingerprint"], made["fingerprint"][::-1])
    testbed.refused(tmp_path, (another,), "shows another certificate authority", "링크에 적힌 것과 다릅니다")
    said = testbed.floorhub("pairing", "list", "-o", "json").stdout
    (open_one,) = [each for each in json.loads(said) if each["client_id"] == "press-4"]
    assert (open_one["status"], open_one["tries"]) == ("open", 0)


@pytest.mark.parametrize(
    ("shift", "english", "korean"),
    [
        ("-1d", "1 day behind the hub's", "허브보다 1일 늦습니다"),
        ("+1d", "1 day ahead of the hub's", "허브보다 1일 빠릅니다"),
    ],
)
def test_a_clock_that_is_off_by_a_day_is_told_before_tls_is(
    testbed: TwoMachines, up: Program, tmp_path: Path, shift: str, english: str, korean: str
) -> None:
    (library,) = Packages().program("faketime", "faketime").root.glob("usr/lib/*/faketime/libfaketime.so.1")
    clock = {"LD_PRELOAD": str(library), "FAKETIME": shift, "DONT_FAKE_MONOTONIC": "1"}
    made = testbed.code(f"press-{'behind' if '-' in shift else 'ahead'}")

    testbed.refused(tmp_path, (made["link"],), english, korean, **clock)
    testbed.refused(tmp_path, (made["link"],), "timedatectl set-ntp true", "timedatectl set-ntp true", **clock)
    typed = (made["hub_url"], spell_code(made["code"].replace("-", "")))
    testbed.refused(tmp_path, typed, english, korean, **clock)

    assert testbed.pair(tmp_path, made["link"], "--no-printers")[0] == 0, "the clock was all that was wrong"


def test_a_name_that_nobody_answers_for_is_told(testbed: TwoMachines, up: Program, tmp_path: Path) -> None:
    made = testbed.code("press-5")
    name = f"{socket.gethostname().partition('.')[0].lower()}.local"
    by_name = made["link"].replace(HUB, name)
    assert by_name != made["link"]
    testbed.refused(tmp_path, (by_name,), "use the hub's address instead of this name", "이름 대신 허브의 IP 주소를")


def test_agents_stay_connected_while_the_hub_gets_another_address(
    testbed: TwoMachines, up: Program, tmp_path: Path
) -> None:
    made = testbed.code("press-6")
    assert testbed.pair(tmp_path, made["link"], "--no-printers")[0] == 0
    with testbed.agent(tmp_path) as agent:
        add_address(testbed.hub, f"{LATER}/24")
        try:
            until(lambda: "has a new certificate" in up.said(), up.said)
            with testbed.machine.entered():
                authority = testbed.data / "authority" / "authority.pem"
                for port in (HTTPS, MQTTS):
                    until(partial(_is_for, LATER, port, authority), "its certificate")
            later = made["link"].replace(HUB, LATER)
            (tmp_path / "again").mkdir()
            testbed.refused(
                tmp_path / "again", (later,), "used by another machine", "이미 사용한"
            )  # over the new address
            sent = testbed.floorhub("send", "press-6", "status", "--wait", "30")
            assert sent.returncode == 0, sent.stdout + sent.stderr
        finally:
            remove_address(testbed.hub, f"{LATER}/24")
        assert agent.said().count("welcomed") == 1, "it connected once"
        assert "connection_lost" not in agent.said()


def test_the_hubs_doctor_sees_a_cable_that_is_out_and_an_address_that_has_gone(
    testbed: TwoMachines, up: Program
) -> None:
    assert testbed.floorhub("doctor").returncode == 0
    testbed.machine.ip("link", "set", "cable", "down")
    try:
        said = testbed.floorhub("doctor")
        assert (said.returncode, "has no connection" in said.stdout) == (1, True), said.stdout
    finally:
        testbed.machine.ip("link", "set", "cable", "up")
        add_address(testbed.machine, f"{MACHINE_V6}/64")  # a link that goes down loses it
    remove_address(testbed.hub, f"{HUB}/24")
    add_address(testbed.hub, f"{LATER}/24")
    try:
        said = testbed.floorhub("doctor")
        assert (said.returncode, f"no longer has the address {HUB}" in said.stdout) == (1, True), said.stdout
        assert LATER in said.stdout
    finally:
        remove_address(testbed.hub, f"{LATER}/24")
        add_address(testbed.hub, f"{HUB}/24")
        with testbed.machine.entered():
            for port in (HTTPS, MQTTS):
                until(partial(_is_for, HUB, port, testbed.data / "authority" / "authority.pem"), "its certificate")


def test_who_guesses_codes_is_throttled_and_told_so(testbed: TwoMachines, up: Program, tmp_path: Path) -> None:
    made = testbed.code("press-7")
    authority = str(testbed.data / "authority" / "authority.pem")
    with testbed.machine.entered(), httpx.Client(base_url=made["hub_url"], verify=_trusting(authority)) as guesser:
        answers = [guesser.post("/api/pair/look", json={"code": f"{number:08d}"}) for number in range(25)]
    assert {answer.status_code for answer in answers[:15]} == {404}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_codes")

    typed = (made["hub_url"], made["code"], "--fp", made["fingerprint"])
    testbed.refused(tmp_path, typed, "Too many wrong codes", "코드")
    code, said = testbed.pair(tmp_path, made["link"], "--no-printers")
    assert code == 0, said  # a token cannot be guessed, so it is not throttled
    events = json.loads(testbed.floorhub("security", "list", "-o", "json").stdout)
    assert [each for each in events if each["kind"] == "pairing_guessed" and each["address"] == MACHINE]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("way", ["tcp", "websockets"])
def test_whose_key_is_taken_away_is_refused_within_a_second_and_gone_within_five(
    testbed: TwoMachines, up: Program, ending: str, way: Literal["tcp", "websockets"]
) -> None:
    """`websockets` is the edge's `/mqtt`."""
    authority = testbed.data / "authority" / "authority.pem"
    client_id, port = f"{ending}-{way}".replace(" ", "-"), MQTTS if way == "tcp" else HTTPS

    def connect(secret: str) -> BrokerClient:
        return BrokerClient(port, client_id, client_id, secret, transport=way, host=HUB, ca_file=authority)

    url, trusted = f"https://{HUB}:{HTTPS}", _trusting(str(authority))
    with (
        testbed.machine.entered(),
        httpx.Client(base_url=url, verify=trusted, headers=testbed.administrator()) as operator,
        httpx.Client(base_url=url, verify=trusted) as network,
    ):
        took = taken_away(ending, operator, client_id, connect, network, refused_within_s=REFUSED_S)
    print(  # noqa: T201
        f"{ending}, {way}: HTTP refuses after {took.http:.2f} s, connection gone after {took.gone:.2f} s, "
        f"broker refuses after {took.mqtt:.2f} s"
    )
    assert took.gone < GONE_S


def test_with_mutual_tls_a_machine_joins_as_before_and_a_secret_alone_opens_nothing(
    testbed: TwoMachines, tmp_path: Path
) -> None:
    testbed = replace(testbed, data=testbed.data.with_name("mutual"))
    with testbed.up(HUB, FLOORHUB_MACHINE_CERTIFICATES="true"):
        made = testbed.code("press-9")
        code, said = testbed.pair(tmp_path, made["link"], "--yes", "--server", testbed.cups.uri)
        assert code == 0, said
        with testbed.agent(tmp_path) as agent:
            sent = testbed.floorhub(
                "print", "--test-page", "--client", "press-9", "--printer", "front_desk", "--wait", "60"
            )
            assert sent.returncode == 0, sent.stdout + sent.stderr + agent.said()

        copied = tmp_path / "copied"
        copied.mkdir()
        lines = (tmp_path / "agent.toml").read_text().splitlines(keepends=True)
        file = copied / "agent.toml"
        file.write_text("".join(line for line in lines if not line.startswith(("machine_key", "certificate"))))
        file.chmod(0o600)
        for lang, sentence in ((ENGLISH, "asks for a certificate of this machine"), (KOREAN, "인증서를 요구하지만")):
            argv = [str(PROGRAMS / "floorhub-agent"), "doctor", "--config", str(file)]
            doctor = testbed.run(testbed.machine, copied, argv, {"LANG": lang})
            assert (doctor.returncode, sentence in doctor.stdout) == (1, True), doctor.stdout + doctor.stderr


def test_over_ipv6_alone(testbed: TwoMachines, tmp_path: Path) -> None:
    testbed = replace(testbed, data=testbed.data.with_name("over-ipv6"))
    before = len(testbed.cups.page_log())
    remove_address(testbed.machine, f"{MACHINE}/24")
    try:
        with testbed.up(HUB_V6), closing(Capture(testbed.machine)) as wire:
            made = testbed.code("press-8")
            assert made["hub_url"].startswith(f"https://[{HUB_V6}]:")
            code, said = testbed.pair(tmp_path, made["link"], "--yes", "--server", testbed.cups.uri)
            assert code == 0, said
            assert "The test page is printed on front_desk" in said
            with testbed.agent(tmp_path) as agent:
                sent = testbed.floorhub(
                    "print", "--test-page", "--client", "press-8", "--printer", "front_desk", "--wait", "60"
                )
                assert sent.returncode == 0, sent.stdout + sent.stderr + agent.said()
            hub = read_link(made["link"]).hub_url, (tmp_path / "agent.toml").read_text()
            assert all(HUB_V6 in each for each in hub)
            assert len(testbed.cups.page_log()) == before + 2
            listening = {port for address, port in testbed.hub.listening() if address == HUB_V6}
            assert len(listening) == 2
            assert wire.ports() == listening
    finally:
        add_address(testbed.machine, f"{MACHINE}/24")


def _trusting(file: str) -> Any:
    return ssl.create_default_context(cafile=file)


def _is_for(host: str, port: int, authority: Path) -> bool:
    """Whether what answers there shows a certificate for this address."""
    context = ssl.create_default_context(cafile=str(authority))
    try:
        with socket.create_connection((host, port), 5) as plain, context.wrap_socket(plain, server_hostname=host):
            return True
    except (ssl.SSLCertVerificationError, ConnectionError):  # the address has just come back
        return False
