"""What the page `/trust` says, in English and Korean."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from hub.features.web_pages.rules import STYLE, policy, source_hash
from schemas.fingerprints import grouped

BINARY, TEXT = "application/x-x509-ca-cert", "application/x-pem-file"
"""Browsers of phones offer to install the first."""
_STYLE = f"{STYLE}.print{{font-size:1.4rem;overflow-wrap:anywhere}}small{{overflow-wrap:anywhere}}li{{margin:.3rem 0}}"
HEADERS = {**policy(style_src=f"'sha256-{source_hash(_STYLE)}'"), "Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The authority as the page has it. `sha256`: in pairs of hex digits, as systems show it."""

    fingerprint: str
    sha256: str
    public_url: str


@dataclass(frozen=True, slots=True)
class _System:
    name: str
    steps: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Texts:
    title: str
    none: str
    why: str
    compare: str
    where: str
    warning: str
    download: str
    as_text: str
    systems: Sequence[_System]
    afterwards: str


_LINUX = (
    "sudo cp floorhub-authority.pem /usr/local/share/ca-certificates/floorhub.crt"
    " &amp;&amp; sudo update-ca-certificates"
)
_LINUX_CHROME = (
    'new="${XDG_DATA_HOME:-$HOME/.local/share}/pki/nssdb"; old="$HOME/.pki/nssdb"; '
    '[ -d "$new" ] || mkdir -p "$old"; '
    'for store in "$old" "$new"; do [ -d "$store" ] || continue; '
    '[ -e "$store/cert9.db" ] || certutil -d sql:"$store" -N --empty-password; '
    'certutil -d sql:"$store" -A -t C,, -n Floorhub -i floorhub-authority.pem; done'
)
"""Chromium reads the old folder if there is one, else the new one, which older versions do not know."""
_CERTUTIL = "Debian, Ubuntu: <code>sudo apt-get install libnss3-tools</code>; Fedora, RHEL: <code>nss-tools</code>"
_FEDORA = "sudo trust anchor floorhub-authority.pem"
_WINDOWS = "certutil -addstore Root floorhub-authority.crt"

_ENGLISH = _Texts(
    title="Trust this hub",
    none="There is nothing to install: this hub has no certificate authority of its own. If a browser warns about "
    "its certificate, ask whoever runs the hub.",
    why="This hub made its certificate itself. Install its certificate authority once, and this machine can be sure "
    "that it talks to this hub. The authority can vouch for this hub's names and network only, not for other sites.",
    compare="Fingerprint",
    where="Compare it with the fingerprint that the terminal of <code>make run</code> and <code>floorhub doctor</code> "
    "show on the hub's own machine.",
    warning="If they differ, do not install the certificate: something between this machine and the hub shows "
    "another one.",
    download="Download the certificate",
    as_text="as text (PEM), for Linux and agents",
    systems=(
        _System(
            "Android",
            (
                "Download the certificate.",
                "Open Settings and search for <b>CA certificate</b> (Security, More security settings, Install from "
                "device storage). Choose <b>CA certificate</b>, confirm, and select the file.",
                "Chrome trusts it at once. In Firefox, open Settings, About Firefox, tap the logo five times, then "
                "Settings, Secret settings, and switch on <b>Use third party CA certificates</b>.",
            ),
        ),
        _System(
            "iPhone, iPad",
            (
                "Download the certificate with Safari and allow the profile.",
                "Open Settings, General, VPN &amp; Device Management, the profile, and choose <b>Install</b>.",
                "Open Settings, General, About, Certificate Trust Settings, and switch on the certificate.",
            ),
        ),
        _System(
            "Windows",
            (
                "Download the certificate.",
                f"In a terminal that runs as administrator: <code>{_WINDOWS}</code>. Or double-click the file, choose "
                "Install Certificate, Local Machine, and the store <b>Trusted Root Certification Authorities</b>.",
                "Restart the browser.",
            ),
        ),
        _System(
            "Linux",
            (
                "Download the certificate as text.",
                f"Debian, Ubuntu: <code>{_LINUX}</code><br>Fedora, RHEL: <code>{_FEDORA}</code>",
                f"Chrome and Chromium have a store of their own, in one of two folders: <code>{_LINUX_CHROME}</code>"
                f"<br>The package with <code>certutil</code>: {_CERTUTIL}.",
                "Firefox: Settings, Privacy &amp; Security, View Certificates, Authorities, Import.",
                "Restart the browser.",
            ),
        ),
        _System(
            "macOS",
            (
                "Download the certificate and open it; it goes to Keychain Access.",
                "Open it there, and set Trust, <b>When using this certificate</b>, to <b>Always Trust</b>.",
            ),
        ),
    ),
    afterwards="Then open",
)
_KOREAN = _Texts(
    title="이 허브 신뢰하기",
    none="설치할 것이 없습니다. 이 허브에는 자체 인증 기관이 없습니다. 브라우저가 인증서를 경고하면 허브 담당자에게 "
    "문의하십시오.",
    why="이 허브의 인증서는 허브가 직접 만든 것입니다. 인증 기관을 한 번 설치하면 이 기기는 이 허브와 통신한다는 것을 "
    "확인할 수 있습니다. 이 인증 기관은 이 허브의 이름과 네트워크만 보증하며 다른 사이트는 보증할 수 없습니다.",
    compare="지문",
    where="허브 컴퓨터에서 <code>make run</code>의 터미널과 <code>floorhub doctor</code>가 보여 주는 지문과 "
    "비교하십시오.",
    warning="다르면 설치하지 마십시오. 이 기기와 허브 사이에서 누군가 다른 인증서를 보여 주고 있습니다.",
    download="인증서 내려받기",
    as_text="텍스트(PEM) 형식, Linux와 에이전트용",
    systems=(
        _System(
            "Android",
            (
                "인증서를 내려받으십시오.",
                "설정에서 <b>CA 인증서</b>를 검색하십시오(보안, 기타 보안 설정, 디바이스에 저장된 인증서 설치). "
                "<b>CA 인증서</b>를 선택하고 확인한 다음 파일을 고르십시오.",
                "Chrome은 바로 신뢰합니다. Firefox에서는 설정의 Firefox 정보에서 로고를 다섯 번 누른 뒤, 설정의 비밀 "
                "설정에서 <b>타사 CA 인증서 사용</b>을 켜십시오.",
            ),
        ),
        _System(
            "iPhone, iPad",
            (
                "Safari로 인증서를 내려받고 프로파일을 허용하십시오.",
                "설정, 일반, VPN 및 기기 관리에서 프로파일을 열고 <b>설치</b>를 누르십시오.",
                "설정, 일반, 정보, 인증서 신뢰 설정에서 이 인증서를 켜십시오.",
            ),
        ),
        _System(
            "Windows",
            (
                "인증서를 내려받으십시오.",
                f"관리자 권한 터미널에서 실행하십시오: <code>{_WINDOWS}</code>. 또는 파일을 두 번 누르고 인증서 설치, "
                "로컬 컴퓨터, <b>신뢰할 수 있는 루트 인증 기관</b> 저장소를 선택하십시오.",
                "브라우저를 다시 시작하십시오.",
            ),
        ),
        _System(
            "Linux",
            (
                "텍스트 형식의 인증서를 내려받으십시오.",
                f"Debian, Ubuntu: <code>{_LINUX}</code><br>Fedora, RHEL: <code>{_FEDORA}</code>",
                f"Chrome과 Chromium은 자체 저장소를 두 폴더 중 하나에 둡니다: <code>{_LINUX_CHROME}</code><br>"
                f"<code>certutil</code>이 들어 있는 패키지: {_CERTUTIL}.",
                "Firefox: 설정, 개인 정보 및 보안, 인증서 보기, 인증 기관, 가져오기.",
                "브라우저를 다시 시작하십시오.",
            ),
        ),
        _System(
            "macOS",
            (
                "인증서를 내려받아 여십시오. 키체인 접근에 추가됩니다.",
                "그곳에서 인증서를 열고 신뢰의 <b>이 인증서 사용 시</b>를 <b>항상 신뢰</b>로 바꾸십시오.",
            ),
        ),
    ),
    afterwards="그다음 이 주소를 여십시오:",
)


def page(shown: Shown | None, *, korean: bool) -> bytes:
    """The page as HTML; `shown` is None when there is no authority of our own."""
    texts = _KOREAN if korean else _ENGLISH
    body = f"<p>{texts.none}</p>" if shown is None else _about(shown, texts)
    return (
        f'<!doctype html><html lang="{"ko" if korean else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{texts.title} - Floorhub</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{texts.title}</h1>{body}</main></body></html>"
    ).encode()


def _about(shown: Shown, texts: _Texts) -> str:
    url = escape(shown.public_url)
    systems = "".join(
        f"<h2>{system.name}</h2><ol>{''.join(f'<li>{step}</li>' for step in system.steps)}</ol>"
        for system in texts.systems
    )
    afterwards = f'<p>{texts.afterwards} <a href="{url}">{url}</a></p>' if url else ""
    return (
        f"<p>{texts.why}</p><h2>{texts.compare}</h2>"
        f'<p class="print"><code>{grouped(shown.fingerprint)}</code></p><p><small>SHA-256 {shown.sha256}</small></p>'
        f"<p>{texts.where} <strong>{texts.warning}</strong></p>"
        f'<p><a href="/trust/authority.crt">{texts.download}</a> &middot; '
        f'<a href="/trust/authority.pem">{texts.as_text}</a></p>{systems}{afterwards}'
    )
