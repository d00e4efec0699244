"""Errors of machines that become clients: codes, enrolment tokens, the hub's addresses and its authority."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "pairing_not_found": Entry(
        404,
        "NOT_FOUND",
        "The hub knows no such code: check what was typed. The hub forgets a code one day after the code has expired.",
        "허브에 없는 코드입니다. 입력한 값을 확인하십시오. 코드는 유효 기간이 끝나고 하루가 지나면 삭제됩니다.",
        {
            "by_id": (
                "There is no code with the id {id}, or you are not allowed to see this code: `floorhub pairing list` "
                "shows the codes that you are allowed to see.",
                "id가 {id}인 코드가 없거나 볼 권한이 없습니다. `floorhub pairing list`로 확인하십시오.",
            )
        },
    ),
    "client_has_no_key": Entry(
        409,
        "CONFLICT",
        "The client {client_id} was not paired, so its machine has no key for which the hub could make a certificate: "
        "pair the client (floorhub pair {client_id} --replace).",
        "클라이언트 {client_id}은(는) 페어링되지 않아 인증서를 만들 기기 키가 없습니다. 페어링하십시오(floorhub pair "
        "{client_id} --replace).",
    ),
    "pairing_used": Entry(
        409,
        "CONFLICT",
        "The code was used by another machine, and each code can be used only once: ask for another code. If you did "
        "not connect a machine with this code, tell your administrator.",
        "다른 기기가 이미 사용한 코드입니다. 코드는 한 번만 쓸 수 있으니 새로 받으십시오. 직접 사용한 적이 없으면 "
        "관리자에게 알리십시오.",
        {
            "to_revoke": (
                "A machine was connected with the code: disable or retire the client {client_id} to disconnect the "
                "machine.",
                "이 코드로 연결된 기기가 있습니다. 연결을 끊으려면 클라이언트 {client_id}을(를) 사용 중지하거나 "
                "폐기하십시오.",
            )
        },
    ),
    "pairing_expired": Entry(
        409,
        "CONFLICT",
        "The code expired at {expires_at}: ask for another code.",
        "코드의 유효 기간이 {expires_at}에 끝났습니다. 코드를 새로 받으십시오.",
    ),
    "pairing_revoked": Entry(
        409,
        "CONFLICT",
        "The code was revoked: ask for another code.",
        "취소된 코드입니다. 코드를 새로 받으십시오.",
        {
            "refused": (
                "A person refused this machine: ask for another code, and compare the numbers again.",
                "담당자가 이 기기의 연결을 거절했습니다. 코드를 새로 받아 번호를 다시 비교하십시오.",
            ),
            "tries": (
                "Too many requests with this code were wrong, so the code is no longer valid: ask for another code.",
                "잘못된 요청이 너무 많아 더 이상 쓸 수 없는 코드입니다. 코드를 새로 받으십시오.",
            ),
            "superseded": (
                "Another code of the same client was used, so this code is no longer valid: ask for another code.",
                "같은 클라이언트의 다른 코드가 사용되어 더 이상 쓸 수 없는 코드입니다. 코드를 새로 받으십시오.",
            ),
        },
    ),
    "pairing_not_waiting": Entry(
        409,
        "CONFLICT",
        "No machine is waiting to be confirmed with this code: the code has the status `{status}`, but you can confirm "
        "only a code with the status `confirm`.",
        "이 코드로 확인을 기다리는 기기가 없습니다. 코드의 상태는 `{status}`인데, 상태가 `confirm`인 "
        "코드만 확인할 수 있습니다.",
    ),
    "pairing_number_wrong": Entry(
        403,
        "FORBIDDEN",
        "This is not the number of the machine that asks. Perhaps somebody intercepts the connection between the "
        "machine and the hub. Type the number that the machine shows; if the hub still refuses the number, revoke the "
        "code.",
        "연결을 요청한 기기의 번호가 아닙니다. 중간에서 누군가 통신을 가로챌 수 있습니다. 기기에 표시된 번호를 "
        "입력하십시오. 그래도 다르면 코드를 취소하십시오.",
    ),
    "pairing_proof_wrong": Entry(
        403,
        "FORBIDDEN",
        "The machine has not proved that it has the private key of `public_key`: `proof` must be a signature with this "
        "key over what the machine sends, for this hub.",
        "기기가 자신의 키를 증명하지 못했습니다. `proof`는 이 허브에 보내는 내용에 대한 기기의 서명이어야 합니다.",
        {
            "again": (
                "This proof was used before: sign each request anew, with the time of sending.",
                "이미 사용한 증명입니다. 요청마다 보내는 시각을 넣어 새로 서명하십시오.",
            )
        },
    ),
    "pairing_clock_wrong": Entry(
        403,
        "REQUEST_EXPIRED",
        "The machine's clock is wrong: it shows {shown}, but the hub's clock shows {now} (UTC). Set the machine's "
        "clock, then try again.",
        "기기의 시계가 맞지 않습니다. 기기는 {shown}, 허브는 {now}(UTC)입니다. 시계를 맞춘 다음 다시 시도하십시오.",
    ),
    "pairing_other_kind": Entry(
        409,
        "CONFLICT",
        "The code is for a machine of the kind `{kind}`, but this machine is of the kind `{shown}`: ask for another "
        "code.",
        "이 코드는 `{kind}` 종류의 기기에 쓰는 것인데 이 기기는 `{shown}`입니다. 코드를 새로 받으십시오.",
    ),
    "pairing_maker_may_not": Entry(
        409,
        "CONFLICT",
        "The user or integration that created the code is no longer allowed to connect machines: ask somebody else "
        "for a code.",
        "코드를 만든 사람에게 더 이상 기기를 연결할 권한이 없습니다. 다른 사람에게 코드를 받으십시오.",
    ),
    "too_many_pairings": Entry(
        409,
        "CONFLICT",
        "There are {limit} open codes: wait until some are used or expire, revoke some, or use an enrolment token for "
        "many machines.",
        "열려 있는 코드가 {limit}개입니다. 사용되거나 만료될 때까지 기다리거나 일부를 취소하십시오. 기기가 많으면 등록 "
        "토큰을 쓰십시오.",
    ),
    "too_many_codes": Entry(
        429,
        "RATE_LIMIT",
        "Too many wrong codes: try again after {retry_after_s} s.",
        "잘못된 코드가 너무 많습니다. {retry_after_s}초 후 다시 시도하십시오.",
    ),
    "enrolment_not_found": Entry(
        404,
        "NOT_FOUND",
        "The hub knows no such enrolment token: ask for another token.",
        "허브에 없는 등록 토큰입니다. 토큰을 새로 받으십시오.",
        {
            "by_id": (
                "There is no enrolment token with the id {id}, or you are not allowed to see this token: `floorhub "
                "enrolment list` shows the tokens that you are allowed to see.",
                "id가 {id}인 등록 토큰이 없거나 볼 권한이 없습니다. `floorhub enrolment list`로 확인하십시오.",
            )
        },
    ),
    "enrolment_over": Entry(
        409,
        "CONFLICT",
        "The enrolment token is no longer valid: ask for another token.",
        "더 이상 쓸 수 없는 등록 토큰입니다. 토큰을 새로 받으십시오.",
        {
            "full": (
                "The enrolment token has connected all {most} machines that it is for: ask for another token.",
                "등록 토큰으로 연결할 수 있는 기기 {most}대를 모두 연결했습니다. 토큰을 새로 받으십시오.",
            ),
            "expired": (
                "The enrolment token has expired: ask for another token.",
                "유효 기간이 끝난 등록 토큰입니다. 토큰을 새로 받으십시오.",
            ),
            "revoked": (
                "The enrolment token was revoked: ask for another token.",
                "취소된 등록 토큰입니다. 토큰을 새로 받으십시오.",
            ),
        },
    ),
    "enrolment_replaced": Entry(
        409,
        "CONFLICT",
        "This machine was enrolled as {client_id}, but another machine has taken its place. To enrol this machine as a "
        "new client, delete the file `agent.key` on this machine first.",
        "이 기기는 {client_id}(으)로 등록되었으나 지금은 다른 기기가 그 자리에 있습니다. 새 클라이언트로 등록하려면 "
        "먼저 이 기기의 키 파일(`agent.key`)을 삭제하십시오.",
    ),
    "enrolment_needs_host": Entry(
        409,
        "CONFLICT",
        "The token forms the client's id from the machine's host name (`{naming}`), but the machine sent no host name "
        "with a character from a-z or 0-9: give the machine a host name from these characters.",
        "이 토큰은 기기의 호스트 이름으로 클라이언트 id를 만드는데(`{naming}`), 기기가 보낸 호스트 이름에 a-z나 0-9가 "
        "없습니다. 기기의 호스트 이름을 a-z와 0-9로 정하십시오.",
    ),
    "broker_address_unknown": Entry(
        409,
        "CONFLICT",
        "The hub does not know how other machines reach its broker: set FLOORHUB_PUBLIC_URL and "
        "FLOORHUB_PUBLIC_MQTT_URL, or connect only agents on the hub's own machine.",
        "다른 기기가 브로커에 접속할 주소를 허브가 모릅니다. FLOORHUB_PUBLIC_URL과 FLOORHUB_PUBLIC_MQTT_URL을 "
        "설정하거나 허브 컴퓨터 안에서만 연결하십시오.",
    ),
    "authority_unreadable": Entry(
        503,
        "INTERNAL_ERROR",
        "The hub cannot read its certificate authority (FLOORHUB_CA_FILE): correct the file's name or permissions.",
        "허브가 인증 기관 인증서(FLOORHUB_CA_FILE)를 읽을 수 없습니다. 파일 이름이나 권한을 고치십시오.",
    ),
    "authority_none": Entry(
        404,
        "NOT_FOUND",
        "This hub has no certificate authority of its own, so there is nothing to install.",
        "이 허브에는 자체 인증 기관이 없으므로 설치할 것이 없습니다.",
    ),
}
