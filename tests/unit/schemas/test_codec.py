"""Bytes to message: what is refused, with which code, and that nothing else comes out."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec, messages, signing
from schemas.codec import MAX_PAYLOAD, ContractError, Frame
from schemas.signing import Signer
from schemas.topics import Channel

REPORT = {
    "report_id": "0193b3c0-0000-7000-8000-000000000001",
    "command_id": "0193b3c0-0000-7000-8000-000000000002",
    "attempt": 1,
    "status": "started",
    "at": "2026-11-21T09:30:00Z",
}


def reports(*entries: object) -> bytes:
    return json.dumps({"kind": "reports", "v": 1, "client_id": "a", "session": "s", "reports": entries}).encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"a":' * 100_000, "too_large"),
        (b'{"a":' * 10_000, "not_json"),
        (b"[]", "invalid"),
        (b'{"v":1}', "invalid"),
        (b'{"v":1,"kind":"walk"}', "unsupported_kind"),
        (b'{"v":2,"kind":"run"}', "unsupported_version"),
        (b'{"v":1,"kind":"cancel","client_id":"A","cancel_id":"x","command_id":"y"}', "invalid"),
    ],
)
def test_what_is_no_message_is_refused_with_a_code(body: bytes, code: str) -> None:
    with pytest.raises(ContractError) as caught:
        codec.decode(Channel.COMMANDS, body)

    assert caught.value.code == code
    assert caught.value.message


@given(st.binary(max_size=400), st.sampled_from(list(Channel)))
def test_any_bytes_raise_contract_errors_only(body: bytes, channel: Channel) -> None:
    for call in (
        lambda: codec.decode(channel, body),
        lambda: codec.decode_reports(body),
        lambda: codec.split_frame(body),
        lambda: codec.decode_keys(body),
    ):
        assert _contract_errors_only(call)


def test_a_message_over_the_cap_is_refused_on_both_sides() -> None:
    run = codec.decode(
        Channel.COMMANDS,
        json.dumps(
            {
                "kind": "run",
                "v": 1,
                "client_id": "a",
                "command_id": REPORT["command_id"],
                "attempt": 1,
                "lane": "client",
                "action": "x",
                "payload": {"text": "y" * (MAX_PAYLOAD - 2_000)},
                "priority": 5,
                "issued_at": REPORT["at"],
                "expires_at": REPORT["at"],
                "timeout_s": 1,
            }
        ).encode(),
    )
    larger = messages.Run(
        **{name: getattr(run, name) for name in run.__struct_fields__} | {"payload": {"t": "y" * MAX_PAYLOAD}}
    )

    with pytest.raises(ContractError) as caught:
        codec.encode(larger)
    assert caught.value.code == "too_large"
    with pytest.raises(ContractError) as caught:
        codec.split_frame(b"{" + b" " * MAX_PAYLOAD)
    assert caught.value.code == "too_large"


@pytest.mark.fault("F30")
def test_a_status_of_a_newer_agent_becomes_unsupported() -> None:
    read = codec.decode_reports(reports({**REPORT, "status": "levitating"}))

    assert [report.status.value for report in read.reports] == ["unsupported"]


def test_one_bad_report_does_not_hold_up_the_others() -> None:
    read = codec.decode_reports(reports(REPORT, {**REPORT, "attempt": 0}, {"status": "started"}, 7))

    assert len(read.reports) == 1
    assert [(str(bad.report_id), bool(bad.reason)) for bad in read.bad] == [
        (REPORT["report_id"], True),
        ("None", True),
        ("None", True),
    ]


def test_a_signature_covers_domain_and_bytes() -> None:
    signer = Signer(bytes(32))
    payload = signer.sign(signing.COMMAND, b'{"kind":"run"}')

    assert signing.open_signed(payload, signer.public_key, signing.COMMAND) == b'{"kind":"run"}'
    assert codec.body_of(payload) == b'{"kind":"run"}'
    assert payload.splitlines()[1] == b'{"kind":"run"}'
    for changed, domain in (
        (payload, signing.RECEIPT),
        (payload + b" ", signing.COMMAND),
        (payload.replace(b"run", b"ran"), signing.COMMAND),
        (codec.body_of(payload), signing.COMMAND),
    ):
        with pytest.raises(ContractError):
            signing.open_signed(changed, signer.public_key, domain)


@pytest.mark.fault("F16")
@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_of_a_signed_payload_is_noticed(position: int, change: int) -> None:
    signer = Signer(bytes(32))
    payload = bytearray(signer.sign(signing.COMMAND, BODY))
    payload[position % len(payload)] ^= change

    original = codec.split_frame(signer.sign(signing.COMMAND, BODY))
    opened = _opened(bytes(payload), signer)

    # The last character of base64 without padding has unused bits: another one may mean the same 64 bytes, which is
    # the same message. A changed key id is for whoever looks the key up.
    assert opened is None or opened == original or opened.kid != signer.kid


BODY = b'{"kind":"run","v":1}'


def _opened(payload: bytes, signer: Signer) -> Frame | None:
    try:
        frame = codec.split_frame(payload)
        if frame is not None:
            signing.verify(signer.public_key, signing.COMMAND, frame)
    except ContractError:
        return None
    return frame


def _contract_errors_only(call: Callable[[], object]) -> bool:
    try:
        call()
    except ContractError as problem:
        return bool(problem.code)
    return True
