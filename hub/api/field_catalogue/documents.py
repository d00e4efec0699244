"""Fields of documents and printing, and URLs that the hub fetches."""

from collections.abc import Mapping

from hub.api.field_catalogue.sentence import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "file_name": Sentence(
        "must be a file name without folders, such as label.pdf", "label.pdf처럼 폴더 없는 파일 이름이어야 합니다."
    ),
    "media_size": Sentence(
        "must be a size such as a4 or iso_a4_210x297mm", "a4 또는 iso_a4_210x297mm 같은 용지 크기여야 합니다."
    ),
    "tray": Sentence(
        "must be the name that the printer uses for the tray, such as tray-1",
        "tray-1처럼 프린터가 쓰는 용지함 이름이어야 합니다.",
    ),
    "page_ranges": Sentence(
        "must be pages and ranges of pages in ascending order, such as 1-3,5,8-",
        "1-3,5,8-처럼 오름차순의 쪽 번호와 범위여야 합니다.",
    ),
    "media_type": Sentence(
        "must be a media type such as application/pdf", "application/pdf 같은 미디어 타입이어야 합니다."
    ),
    "document_reference": Sentence(
        "must be the id of a document, or an object with either url or path",
        "문서의 id이거나 url, path 중 하나가 있는 객체여야 합니다.",
    ),
    "document_by_id": Sentence(
        "must be the id of a document that was uploaded with POST /api/documents: this request accepts no url or path",
        "POST /api/documents로 올린 문서의 id여야 합니다. 이 요청에는 url이나 path를 쓸 수 없습니다.",
    ),
    "other_document_type": Sentence(
        "does not match the document, which is {content_type}: leave this field out, or upload the right document",
        "문서의 형식 {content_type}와(과) 맞지 않습니다. 이 필드를 빼거나 올바른 문서를 올리십시오.",
    ),
    "empty_document": Sentence("is empty: send the document's bytes", "비어 있습니다. 문서의 내용을 보내십시오."),
    "payload_too_large": Sentence(
        "is too large: upload large data as a document", "너무 큽니다. 큰 내용은 문서로 올리십시오."
    ),
    "document_not_found": Sentence(
        "names a document that does not exist: upload it first", "없는 문서입니다. 먼저 올리십시오."
    ),
    "url_too_long": Sentence("must have {limit} or fewer characters", "{limit}자 이하여야 합니다."),
    "url_characters": Sentence(
        "must be printable ASCII: write other characters as %XX, and a host's name in its xn-- form",
        "인쇄 가능한 ASCII여야 합니다. 다른 문자는 %XX로, 호스트 이름은 xn-- 형식으로 쓰십시오.",
    ),
    "url": Sentence(
        "must be a URL with a host, such as https://host/label.pdf", "https://host/label.pdf 같은 URL이어야 합니다."
    ),
    "url_scheme": Sentence(
        "must begin with http:// or https://. Upload a file that is on your own disk; use path for a file on the hub",
        "http:// 또는 https://로 시작해야 합니다. 내 디스크의 파일은 먼저 올리고, 허브의 파일은 path로 지정하십시오.",
    ),
    "url_user": Sentence("must not contain a user or password", "사용자 이름이나 비밀번호를 포함할 수 없습니다."),
    "url_zone": Sentence("must not contain the zone of an IPv6 address", "IPv6 주소의 zone을 포함할 수 없습니다."),
    "url_address": Sentence(
        "must have its IPv4 address as four decimal numbers, such as 192.0.2.1",
        "IPv4 주소를 192.0.2.1처럼 10진수 네 개로 써야 합니다.",
    ),
}
