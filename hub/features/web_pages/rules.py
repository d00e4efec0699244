"""Which addresses are pages, and what goes out with each of their files."""

import base64
import hashlib
from collections.abc import Mapping

CONSOLE = "apps/console/index.html"
"""The page of the console, which shows what its address says."""
SCREEN = "apps/screen/index.html"
"""The page of a browser that is a client."""
PAGES: Mapping[str, str] = {
    "/": CONSOLE,
    "/login": CONSOLE,
    "/first-administrator": CONSOLE,
    "/set-password": CONSOLE,
    "/pair": CONSOLE,
    "/me/sessions": CONSOLE,
    "/me/password": CONSOLE,
    "/screen": SCREEN,
}
"""The file that each page's address shows; the manifests in `hub/web/apps` declare the same addresses. Every other
address is none of these pages."""
_API = "/api"
"""What stands below is called by programs: an error there is JSON, whoever asks."""
ASSETS = "/assets/"
"""Files whose names have a hash of their content."""
MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""What the build makes; a file of another kind is not served."""
IMMUTABLE = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
"""A page may be kept, but is asked for each time: a new build names other files."""
RETRY_AFTER_S = 5

STYLE = (
    "body{font-family:system-ui,'Noto Sans KR',NanumGothic,sans-serif;line-height:1.6;max-width:38rem;"
    "margin:12vh auto;padding:0 1rem;word-break:keep-all}code,pre{background:rgb(128 128 128/.15);border-radius:.3rem;"
    "padding:.1em .35em}pre{padding:.6rem .8rem}:root{color-scheme:light dark}"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def policy(**sources: str) -> dict[str, str]:
    """Headers with a Content-Security-Policy: what a page may load and do, and nothing else."""
    all_sources = {"default_src": "'none'", "base_uri": "'none'", "form_action": "'self'", "frame_ancestors": "'none'"}
    parts = [f"{name.replace('_', '-')} {source}" for name, source in {**all_sources, **sources}.items()]
    return {**_ALWAYS, "Content-Security-Policy": "; ".join(parts)}


def source_hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


WORKER_POLICY = "floorhub-worker"
"""What the screen's page makes the address of its one worker with: `hub/web/apps/screen/src/trusted.ts`."""


def _of_pages(trusted_types: str) -> Mapping[str, str]:
    return policy(
        script_src="'self'",
        style_src="'self'",
        img_src="'self'",
        font_src="'self'",
        connect_src="'self'",
        require_trusted_types_for="'script'",
        trusted_types=trusted_types,
    )


HEADERS: Mapping[str, str] = _of_pages("'none'")
"""Of pages and their files. No code of a page can be text that somebody wrote."""
SCREEN_HEADERS: Mapping[str, str] = _of_pages(WORKER_POLICY)
"""Of the page that starts a worker."""
OWN_HEADERS: Mapping[str, str] = policy(style_src=f"'sha256-{source_hash(STYLE)}'")
"""Of pages that the hub writes itself."""

_ABSENT = {
    "en": (
        "The pages are not built yet",
        "The hub works. Its pages come from a build of their own, which <code>make run</code> starts beside the hub; "
        "it takes about a minute the first time and needs the npm registry. This page looks again by itself.",
        "If it stays like this, build them in the checkout and read what is said:",
        "Until then, everything works at the command line and by the API:",
        "API reference",
    ),
    "ko": (
        "화면이 아직 준비되지 않았습니다",
        "허브는 동작 중입니다. 화면은 따로 빌드하며, <code>make run</code>이 허브와 함께 빌드를 시작합니다. 처음에는 "
        "1분쯤 걸리고 npm 저장소에 연결할 수 있어야 합니다. 이 화면은 저절로 다시 확인합니다.",
        "계속 이 상태이면 저장소에서 직접 빌드하고 나오는 내용을 확인하십시오.",
        "그때까지 모든 기능은 명령줄과 API로 쓸 수 있습니다.",
        "API 문서",
    ),
}


def headers_of(path: str) -> Mapping[str, str]:
    """What goes out with the file of an address."""
    return SCREEN_HEADERS if PAGES.get(path) == SCREEN else HEADERS


def absent_page(*, korean: bool) -> bytes:
    """What stands in place of pages that are not built: why, and what to do. Asks again every few seconds."""
    language = "ko" if korean else "en"
    title, why, by_hand, meanwhile, reference = _ABSENT[language]
    return _page(
        language,
        f"<h1>{title}</h1><p>{why}</p><p>{by_hand}</p><pre>make pages</pre>"
        f'<p>{meanwhile} <a href="/docs">{reference}</a></p>',
        head=f'<meta http-equiv="refresh" content="{RETRY_AFTER_S}">',
    )


_UNKNOWN = {
    "en": (
        "There is no page at this address",
        "Check the address. If a link led here, tell whoever gave it to you.",
        "Home",
        "API reference",
    ),
    "ko": (
        "이 주소에는 페이지가 없습니다",
        "주소를 확인하십시오. 링크를 눌러 왔다면 링크를 준 사람에게 알리십시오.",
        "홈",
        "API 문서",
    ),
}


def unknown_page(*, korean: bool) -> bytes:
    """What a browser shows for an address that there is not; leads back. It does not repeat the address."""
    language = "ko" if korean else "en"
    title, what, home, reference = _UNKNOWN[language]
    return _page(
        language, f'<h1>{title}</h1><p>{what}</p><p><a href="/">{home}</a> · <a href="/docs">{reference}</a></p>'
    )


def is_of_api(path: str) -> bool:
    """Whether a path is one of the API, whether there is a route or not."""
    return path == _API or path.startswith(f"{_API}/")


def _page(language: str, body: str, head: str = "") -> bytes:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Floorhub</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}'
        f"<style>{STYLE}</style></head><body>{body}</body></html>"
    ).encode()
