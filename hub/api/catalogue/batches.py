"""Errors of batches and schedules: their targets, their size, their state."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "no_targets": Entry(
        422,
        "VALIDATION_ERROR",
        "No client that you are allowed to see matches the target: check groups, zones and tags with GET /api/clients, "
        "or ask an administrator for a grant. Nothing was stored.",
        "대상에 맞는 클라이언트 가운데 볼 수 있는 것이 없습니다. GET /api/clients로 그룹, 구역, 태그를 확인하거나 "
        "관리자에게 접근 허용을 요청하십시오. 저장된 것은 없습니다.",
    ),
    "too_many_targets": Entry(
        422,
        "VALIDATION_ERROR",
        "The target matches more than {most} clients: split it, for example by zone.",
        "대상이 클라이언트 {most}대를 넘습니다. 구역 등으로 나누어 보내십시오.",
    ),
    "batch_too_large": Entry(
        422,
        "VALIDATION_ERROR",
        "The payloads of all commands together have {size} bytes, but at most {most} are allowed: upload large data "
        "as a document.",
        "모든 명령의 payload가 합해 {size}바이트입니다. 최대 {most}바이트이므로 큰 내용은 문서로 올리십시오.",
    ),
    "batch_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no batch {batch_id}.",
        "배치 {batch_id}이(가) 없습니다.",
    ),
    "batch_ended": Entry(
        409,
        "CONFLICT",
        "Batch {batch_id} is {status}, so this is not possible any more.",
        "배치 {batch_id}은(는) {status} 상태라 더 이상 요청할 수 없습니다.",
    ),
    "schedule_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no schedule {schedule_id}: see GET /api/schedules or `floorhub schedule list`.",
        "예약 {schedule_id}이(가) 없습니다. GET /api/schedules 또는 `floorhub schedule list`로 확인하십시오.",
    ),
    "schedule_exists": Entry(
        409,
        "CONFLICT",
        "The schedule {name} already exists: change it, or choose another name.",
        "예약 {name}이(가) 이미 있습니다. 그 예약을 바꾸거나 다른 이름을 고르십시오.",
    ),
}
