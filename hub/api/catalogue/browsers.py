"""Errors of browsers: from which pages requests may come, and how the pages may be opened."""

from collections.abc import Mapping

from hub.api.catalogue.entry import Entry

ENTRIES: Mapping[str, Entry] = {
    "cors_refused": Entry(
        403,
        "FORBIDDEN",
        "Pages of {origin} are not allowed to send this request ({method}; headers: {headers}): add the origin to "
        "FLOORHUB_CORS_ORIGINS if you trust it.",
        "{origin} 페이지에서는 이 요청({method}, 헤더: {headers})을 보낼 수 없습니다. 믿을 수 있는 출처라면 "
        "FLOORHUB_CORS_ORIGINS에 추가하십시오.",
    ),
    "csrf_failed": Entry(
        403,
        "FORBIDDEN",
        "A request that changes something and is authenticated by a cookie needs the header `X-CSRF-Token`: get the "
        "token from GET /api/auth/whoami.",
        "쿠키로 보내는 변경 요청에는 `X-CSRF-Token` 헤더가 필요합니다. GET /api/auth/whoami에서 값을 받으십시오.",
    ),
    "origin_refused": Entry(
        403,
        "FORBIDDEN",
        "The request comes from a page of another origin ({origin}): use a page of this hub. If a proxy in front of "
        "the hub ends TLS, set FLOORHUB_TRUSTED_PROXIES.",
        "다른 출처({origin})의 페이지에서 보낸 요청입니다. 이 허브의 페이지를 쓰십시오. TLS를 처리하는 프록시가 있으면 "
        "FLOORHUB_TRUSTED_PROXIES를 설정하십시오.",
    ),
    "https_needed": Entry(
        403,
        "FORBIDDEN",
        "Pages need HTTPS at {host}: open the hub over HTTPS, or open http://localhost on the hub's own machine. If a "
        "proxy ends TLS, add the proxy to FLOORHUB_TRUSTED_PROXIES. With FLOORHUB_PLAIN_SIGN_IN=true, people can sign "
        "in without TLS.",
        "{host}에서 페이지를 쓰려면 HTTPS가 필요합니다. 허브를 HTTPS로 열거나 허브 컴퓨터에서 http://localhost로 "
        "여십시오. TLS를 처리하는 프록시는 FLOORHUB_TRUSTED_PROXIES에 넣으십시오. FLOORHUB_PLAIN_SIGN_IN=true로 "
        "설정하면 TLS 없이도 로그인할 수 있습니다.",
    ),
}
