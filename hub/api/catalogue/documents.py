"""Errors of documents: uploads, fetching, types, and files of agents."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "document_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no document {document_id}, or you are not allowed to read this document: upload it with POST "
        "/api/documents.",
        "문서 {document_id}이(가) 없거나 읽을 권한이 없습니다. POST /api/documents로 올리십시오.",
    ),
    "document_too_large": Entry(
        413,
        "VALIDATION_ERROR",
        "The document is larger than {most} bytes: make it smaller or split it.",
        "문서가 {most}바이트를 넘습니다. 크기를 줄이거나 나누십시오.",
    ),
    "url_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "The hub is not allowed to fetch from {host}: add it to FLOORHUB_FETCH_ALLOW as an administrator, "
        "or upload the file.",
        "허브는 {host}에서 문서를 가져올 수 없습니다. 관리자가 FLOORHUB_FETCH_ALLOW에 추가하거나 파일을 올리십시오.",
    ),
    "address_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "{host} is in a private network: set FLOORHUB_FETCH_PRIVATE to allow this, or upload the file.",
        "{host}은(는) 사설 네트워크 주소라 가져올 수 없습니다. FLOORHUB_FETCH_PRIVATE를 켜거나 파일을 올리십시오.",
    ),
    "path_not_allowed": Entry(
        403,
        "FORBIDDEN",
        "The path {path} is not a file in a folder of FLOORHUB_DOCUMENT_FOLDERS. The hub reads its own machine's disk, "
        "never a client's: upload the file with POST /api/documents and name its id as `document`.",
        "경로 {path}은(는) FLOORHUB_DOCUMENT_FOLDERS에 있는 파일이 아닙니다. "
        "허브는 허브 컴퓨터의 디스크만 읽고 클라이언트의 디스크는 읽지 않습니다. "
        "POST /api/documents로 파일을 올리고 그 id를 `document`에 적으십시오.",
    ),
    "file_not_found": Entry(
        404,
        "NOT_FOUND",
        "There is no file {path} on the hub's machine: check the path, or upload the file with POST /api/documents.",
        "허브 컴퓨터에 {path} 파일이 없습니다. 경로를 확인하거나 POST /api/documents로 파일을 올리십시오.",
    ),
    "content_type_not_allowed": Entry(
        415,
        "VALIDATION_ERROR",
        "The document has the type {content_type}, which cannot be printed: use a PDF, image, text or printer file.",
        "문서 형식이 {content_type}이라 쓸 수 없습니다. PDF, 이미지, 텍스트 또는 프린터 파일이어야 합니다.",
    ),
    "content_type_mismatch": Entry(
        415,
        "VALIDATION_ERROR",
        "The document is declared as {content_type}, but has another type: send the right file, or declare its real "
        "type.",
        "문서 형식이 {content_type}(으)로 되어 있지만 내용이 다릅니다. 올바른 파일을 보내거나 실제 형식을 적으십시오.",
    ),
    "content_coding_not_allowed": Entry(
        415,
        "VALIDATION_ERROR",
        "The body is encoded ({coding}): send the document unencoded, without Content-Encoding.",
        "본문이 인코딩({coding})되어 있습니다. Content-Encoding 없이 문서를 그대로 보내십시오.",
    ),
    "partial_upload": Entry(
        400,
        "VALIDATION_ERROR",
        "The body is only a part of a document (Content-Range: {range}): send all of it, without Content-Range.",
        "본문이 문서의 일부입니다(Content-Range: {range}). Content-Range 없이 문서 전체를 보내십시오.",
    ),
    "form_not_taken_apart": Entry(
        415,
        "VALIDATION_ERROR",
        "The body is not a form with exactly one file: send multipart/form-data with one file, or only the file's "
        "bytes.",
        "파일이 하나만 있는 양식이 아닙니다. 파일 하나를 담은 multipart/form-data로 보내거나 파일 내용만 보내십시오.",
    ),
    "digest_mismatch": Entry(
        422,
        "VALIDATION_ERROR",
        "The received bytes do not match the {algorithm} digest of the request: send them again.",
        "받은 내용이 요청에 적힌 {algorithm} 다이제스트와 다릅니다. 다시 보내십시오.",
    ),
    "fetch_failed": Entry(
        502,
        "FETCH_FAILED",
        "{host} did not deliver the document ({reason}): check the URL and the server, then send the request again.",
        "{host}에서 문서를 받지 못했습니다({reason}). URL과 서버를 확인한 뒤 다시 보내십시오.",
    ),
    "upload_not_found": Entry(
        404,
        "NOT_FOUND",
        "You cannot upload to this path: the path was already used, its command has ended, or it belongs to another "
        "client. Request another path.",
        "이 경로로는 올릴 수 없습니다. 이미 사용되었거나, 명령이 끝났거나, 다른 클라이언트의 경로입니다. 새 경로를 "
        "요청하십시오.",
    ),
    "too_many_uploads": Entry(
        429,
        "RATE_LIMIT",
        "The command has used all of its {most} upload paths.",
        "이 명령에 허용된 업로드 경로 {most}개를 모두 썼습니다.",
    ),
}
