"""Which other sites' pages may call the API from a browser (CORS); by the library's rules, with errors of ours."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from hub.api import problems

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = (
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-API-Key",
    "X-Request-Nonce",
    "X-Request-Timestamp",
    "traceparent",
)
SHOWN = (
    "Content-Disposition",
    "Location",
    "RateLimit",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
)
REMEMBERED_S = 600


class AllowedOrigins(CORSMiddleware):
    """Cookies are never allowed: another site's page shows a key, or it is a stranger."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            allow_credentials=False,
            expose_headers=SHOWN,
            max_age=REMEMBERED_S,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The library's answer; its bare text for what is refused becomes a problem."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        asked = {
            "origin": request_headers["origin"],
            "method": request_headers["access-control-request-method"],
            "headers": request_headers.get("access-control-request-headers", ""),
        }
        kept = {
            name: answer.headers[name] for name in ("vary", "access-control-allow-origin") if name in answer.headers
        }
        return problems.plain_problem("cors_refused", asked, request_headers.get("accept-language", ""), headers=kept)
