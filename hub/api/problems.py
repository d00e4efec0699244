"""Errors as `application/problem+json` (RFC 9457): a stable code, what is wrong, what to do, in Korean and English.

The codes and their sentences stand in the folder `catalogue`.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from hub.api.catalogue import CATALOGUE
from hub.api.field_catalogue import field_sentence, of_validation, place_of
from hub.api.secret_paths import shown
from hub.api.telemetry import Event
from hub.api.text import clean
from hub.errors import FieldProblem, HubError, RejectedError, UnavailableError
from hub.telemetry.log import Log

MEDIA_TYPE = "application/problem+json"
SCHEMA = "Problem"
"""What the API's description calls the shape of an error."""
STATUSES: Mapping[int, str] = {
    400: "The body cannot be read, such as `bad_json`.",
    401: "No valid key or sign-in: `unauthorized`; or sent too long ago, or before: `timestamp_expired`, `nonce_used`.",
    403: "The caller is not allowed to do this, such as `forbidden`.",
    404: "There is no such thing, or not for this caller; `code` says what is missing.",
    408: "The transfer of the body stopped: `upload_stalled`.",
    409: "It does not fit the present state; `code` says why.",
    413: "The body is too large; `detail` says the limit.",
    415: "The body is of a type that is not taken.",
    422: "Fields do not fit; `errors` lists all of them.",
    429: "A limit is reached; `Retry-After` and `reset` say until when.",
    502: "The document could not be fetched from its URL: `fetch_failed`.",
    503: "The hub cannot take it now; `Retry-After` says when to try again.",
    507: "The hub's disk is nearly full: `storage_full`.",
}
"""What an answer of each status says, in the API's description."""
_OF_MOST = (401, 403, 422, 429, 503)
_OF_A_BODY = (400, 413, 415)
_SAID = ("remaining", "reset", "made")
_SAID_BY_CODE: Mapping[str, tuple[str, ...]] = {"forbidden": ("permission", "role", "key")}
"""Params of errors that are fields of the answer, too."""
NO_SUCH_PATH = "no_such_path"
"""In a request's state: it was answered with `not_found`, since no route has its path."""
HUNG_UP = 499
"""The status that the log shows for a caller who hung up while sending."""


def fails(*statuses: int, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """How a route describes its errors: those of every route that asks for a key and takes parameters, those of a JSON
    body, and its own."""
    return fails_only(*_OF_MOST, *statuses, *(_OF_A_BODY if body else ()))


def fails_only(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for a route that has these errors and no others."""
    schema = {"schema": {"$ref": f"#/components/schemas/{SCHEMA}"}}
    return {
        status: {"description": STATUSES[status], "content": {MEDIA_TYPE: schema}} for status in sorted(set(statuses))
    }


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def prefers_korean(accept_language: str) -> bool:
    """Whether Korean stands before English in an Accept-Language header (by order; weights that differ win)."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((-float(weight or 1), place, tag.strip().lower()[:2]))
        except ValueError:
            continue
    for _, _, language in sorted(ranked):
        if language in ("ko", "en"):
            return language == "ko"
    return False


def sentence(code: str, params: Mapping[str, Any], *, korean: bool) -> str:
    """What is wrong and what to do, as the catalogue has it for a code."""
    entry = CATALOGUE.get(code, CATALOGUE["internal_error"])
    texts = {key: str(_plain(value)) for key, value in params.items()}
    shown = _Blank({key: text if len(text) <= 200 else f"{text[:200]}..." for key, text in texts.items()})
    return entry.variants.get(params.get("variant", ""), (entry.en, entry.ko))[korean].format_map(shown)


def problem(
    request: Request,
    code: str,
    params: Mapping[str, Any],
    fields: tuple[FieldProblem, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for a code of the catalogue."""
    return plain_problem(code, params, ",".join(request.headers.getlist("accept-language")), fields, headers)


def plain_problem(
    code: str,
    params: Mapping[str, Any],
    accept_language: str,
    fields: tuple[FieldProblem, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The same where there is no request yet."""
    entry = CATALOGUE.get(code, CATALOGUE["internal_error"])
    korean = prefers_korean(accept_language)
    params = {key: _plain(value) for key, value in params.items()}
    body: dict[str, Any] = {
        "type": f"urn:floorhub:problem:{code}",
        "title": entry.name,
        "status": entry.status,
        "code": code,
        "detail": sentence(code, params, korean=korean),
    }
    if fields:
        body["errors"] = [
            {"field": item.field, "code": item.code, "message": field_sentence(item, korean=korean)} for item in fields
        ]
    for name in (*_SAID, *_SAID_BY_CODE.get(code, ())):
        if name in params:
            body[name] = params[name]
    return JSONResponse(
        clean(body),  # names that a body uses may be half of a character
        status_code=entry.status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": "ko" if korean else "en", **(headers or {})},
    )


def _plain(value: Any) -> Any:
    """Times and ids as the API writes them."""
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def of_hub_error(request: Request, error: HubError) -> JSONResponse:
    """The answer for an error of ours."""
    headers: dict[str, str] = {}
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = str(error.retry_after_s)
    elif "retry_after_s" in error.params:
        headers["Retry-After"] = str(error.params["retry_after_s"])
    if error.code in ("invalid_token", "token_expired"):
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    elif (entry := CATALOGUE.get(error.code)) is not None and entry.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    fields = error.fields if isinstance(error, RejectedError) else ()
    return problem(request, error.code, error.params, fields, headers)


def of_bug(request: Request, error: Exception, log: Log) -> JSONResponse:
    """The answer for an error that nobody foresaw; the log has its stack."""
    request_id = getattr(request.state, "request_id", "?")
    log.seldom(type(error).__name__).error(
        Event.HTTP_FAILED, method=request.method, path=shown(request.url.path), request_id=request_id, exc_info=error
    )
    return problem(request, "internal_error", {"request_id": request_id})


def install(app: FastAPI, log: Log) -> None:
    """Turn every error of this application into a problem."""

    async def on_hub_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HubError)  # noqa: S101 - registered for it
        return of_hub_error(request, error)

    async def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        if any(item["type"] == "json_invalid" for item in error.errors()):
            return problem(request, "bad_json", {})
        media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if any(place_of(item) == ("body", []) for item in error.errors()) and not media_type.endswith("json"):
            # Taking it as JSON all the same would let a form on any web page post commands with a browser's login.
            return problem(request, "unsupported_media_type", {"media_type": media_type})
        return problem(request, "validation_error", {}, tuple(of_validation(item) for item in error.errors()[:50]))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        if isinstance(error.__cause__, HubError):  # The framework hides what reading a body raises.
            return of_hub_error(request, error.__cause__)
        code = {
            400: "bad_json",
            401: "unauthorized",
            403: "forbidden",
            404: "not_found",
            405: "method_not_allowed",
            413: "body_too_large",
        }.get(error.status_code, "internal_error")
        setattr(request.state, NO_SUCH_PATH, code == "not_found")
        return problem(request, code, {}, headers=error.headers)

    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        return of_bug(request, error, log)

    async def on_hung_up(_request: Request, _error: Exception) -> Response:
        return Response(status_code=HUNG_UP)  # nobody reads it; the log has the status

    app.add_exception_handler(ClientDisconnect, on_hung_up)
    app.add_exception_handler(HubError, on_hub_error)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_bug)
