"""Taking secrets out of text: those that are known here, those that look like one, and what belongs to customers.

Three nets, since none is enough. Every secret that lies on this machine is replaced wherever it is. Whatever has the
form of a secret goes, known or not. And of text that nobody has looked at only what is known to be harmless stays:
words of our own programs, short numbers, times, ids, addresses. Rather too much is taken out than too little.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hub.programs.support.known_secrets import REDACTED, KnownSecrets
from hub.programs.support.vocabulary import words

LEFT_OUT = "[left out]"
_CALLED = (
    r"pass(?:word|wd|phrase|code|wort)?s?|pwd?|pin|puk|secrets?|tokens?|credentials?|authori[sz]ation|cookies?|"
    r"signatures?|sig|seeds?|nonce|conninfo|dsn|bearer|(?:api|access|client|private|secret|signing|encryption|auth|ssh|"
    r"x-api)[_-]?keys?|accesskey|암호|비밀번호|비밀|토큰"
)
_SECRET_NAME = re.compile(
    rf"(?:^|[_.-])(?:{_CALLED})(?:$|[_.-])|pass(?:word|wd|phrase|code)|secret|token|api_?key|(?:access|client|private)_?key"
    r"|authori[sz]ation|cookie|credential|sealed|signature|seed|nonce|^key$|dsn$|conninfo",
    re.IGNORECASE,
)
_OF_CUSTOMERS = """
payload payload_schema result progress data detail_data document documents filename title reference tags order_key
metadata report body content text stdout stderr output note name state query headers argv args environment
"""
"""Fields of answers that are about the customers' things, not about the hub."""
_CUSTOMERS = frozenset(_OF_CUSTOMERS.split())
# A name of a secret that stands alone or ends or begins a longer one (`FLOORHUB_MQTT_PASSWORD`, `password_old`).
_NAMED = (
    rf"(?<![^\W_])(?:[\w.]*[_.-])?(?:{_CALLED}|[\w.-]*(?:password|secret|token|passwd|api[_-]?key))(?:[_.-][\w.-]*)?"
)
_QUOTE = r"""\\*["']"""
_VALUE = r"""b?(?:\\*"(?:\\.|[^"\\])*(?:"|$)|\\*'(?:\\.|[^'\\])*(?:'|$)|(?:(?:bearer|basic|digest)\s+)?\S+)"""
_HEADER = re.compile(r"(?im)((?:set-)?cookie|(?:proxy-)?authorization)((?:\\*[\"'])?\s*[=:,])[^\n]*")
_ASSIGNED = re.compile(rf"(?ix) ({_NAMED}) ((?:{_QUOTE})? \s* (?:=>|=|:|,\s*(?={_QUOTE})) \s* \[? \s*) {_VALUE}")
_OPTION = re.compile(rf"(?i)(?<!\S)(--?(?:{_NAMED})|-[uUpP])(\s+|=)(?:{_VALUE})")
_SCHEME = re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9+/=._~-]{4,}")
_URL = re.compile(r"(?i)(?:\b([a-z][a-z0-9+.-]{1,20}):)?//(\S+)")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.-]*\w|\*)(?::(?:\d{1,5}|\*))?")
_MAIL = re.compile(r"\S*@\S*")
_UPLOAD = re.compile(r"(/api/uploads/)[^\s\"'/?]+")
_API_KEY = re.compile(r"fh_[0-9a-f]{8}_[A-Za-z0-9_-]+|fh[a-z]_[A-Za-z0-9]{9,}")
_LONG = re.compile(r"[A-Za-z0-9_+=-]{24,}")
_HEX = re.compile(r"\b[0-9a-fA-F]{40,}\b")
_PEM = re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|\Z)", re.DOTALL)
_DETAIL = re.compile(r"(DETAIL|CONTEXT|STATEMENT|QUERY|PARAMETERS):.*", re.DOTALL | re.IGNORECASE)
_QUOTED = re.compile(r"""(?<!\w)\\*(["'])(?:\\.|(?!\1)[^\\\n])*(?:\1|$)""", re.MULTILINE)
_MARKS = re.compile(r"\[(?:redacted|left out)\]")
_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TIME = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?|\d\d:\d\d:\d\d(?:\.\d+)?"
_HARMLESS = re.compile(
    rf"(?<![^\W_])(?:{_ID}|{_TIME}|v?\d+\.\d+\.\d+(?:\+(?:[0-9a-f]{{8}}|source))?|\d{{1,3}}(?:\.\d{{1,3}}){{3}}|\d{{1,6}}"
    r"(?:\.\d{1,6})?(?:ms|s|m|h|d|MB|KB|MiB|KiB|GiB)?|[pck]\d{1,5})(?![^\W_])"
)
_RUN = re.compile(r"[^\W_]+")


class Redaction:
    """Knows the secrets of one installation."""

    def __init__(self, secrets: Iterable[str], public: Collection[str] = ()) -> None:
        """`public`: what would be taken for a secret and is none, such as public keys and the data folder."""
        self._known = KnownSecrets(secrets)
        self.public = frozenset(public)
        longest_first = sorted((one for one in public if one), key=len, reverse=True)
        self._public = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if public else None

    def known(self, text: str) -> str:
        """Text without the secrets that are known."""
        return self._known.out_of(text)

    def setting(self, text: str) -> str:
        """Text of our own form, such as a setting or a figure, without what is known or looks like a secret."""
        text = self.known(text)
        text = _PEM.sub(REDACTED, text)
        text = _URL.sub(_host_only, text)
        text = _UPLOAD.sub(rf"\1{REDACTED}", text)
        text = _HEADER.sub(rf"\1\2 {REDACTED}", text)
        text = _OPTION.sub(rf"\1\2{REDACTED}", text)
        text = _ASSIGNED.sub(rf"\1\2{REDACTED}", text)
        text = _SCHEME.sub(rf"\1 {REDACTED}", text)
        text = _MAIL.sub(REDACTED, text)
        text = _API_KEY.sub(REDACTED, text)
        text = _HEX.sub(REDACTED, text)
        return _LONG.sub(self._if_secret, text)

    def text(self, text: str) -> str:
        """Text that may say anything: also without whatever is not known to be harmless."""
        text = self.setting(_DETAIL.sub(rf"\1: {LEFT_OUT}", text))
        text = _QUOTED.sub(self._quoted, text)
        return re.sub(r"\S+", self._harmless, text)

    def value(self, value: Any, *, name: str = "") -> Any:
        """JSON of our own without secrets and without what belongs to customers."""
        if name and _SECRET_NAME.search(name) and value not in (None, "", True, False):
            return REDACTED
        if name.lower() in _CUSTOMERS and value not in (None, "", [], {}):
            return LEFT_OUT
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item, name=str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, name=name) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def _quoted(self, found: re.Match[str]) -> str:
        """What is in quotes is what somebody said, unless it is known here or left out already."""
        inner = found[0].strip("\\\"'")
        return found[0] if inner in self.public or _MARKS.fullmatch(inner) else REDACTED

    def _harmless(self, found: re.Match[str]) -> str:
        """A run without spaces: as it is, or left out as a whole."""
        run = _MARKS.sub(" ", found[0])
        if run in ("[left", "out]") or run.isspace():
            return found[0]
        if self._public is not None:
            run = self._public.sub(" ", run)
        run = _HARMLESS.sub(" ", _URL.sub(" ", run))
        known = words()
        if all(part.lower() in known or (len(part) == 1 and part.isalpha()) for part in _RUN.findall(run)):
            return found[0]
        marks = "".join(_MARKS.findall(found[0])) or REDACTED
        end = found[0][-1] if found[0][-1] in ".,;:)" else ""
        return f"{marks}{end}"

    def _if_secret(self, found: re.Match[str]) -> str:
        """A long run of letters and digits that is no word: capital and small letters and digits are mixed."""
        run = found[0]
        if run in self.public:
            return run
        mixed = any(map(str.isupper, run)) and any(map(str.islower, run)) and any(map(str.isdigit, run))
        return REDACTED if mixed else run


def _host_only(found: re.Match[str]) -> str:
    """Scheme, host and port of a URL. User, path and query may each be the secret, as in the URLs of webhooks. If an @
    comes after what ends a host, nobody can tell which part the host is, and all of it goes."""
    scheme = f"{found[1]}:" if found[1] else ""
    login, at, rest = found[2].rpartition("@")
    if at and re.search(r"""[/?#"'<>\\@]""", login):
        return f"{scheme}//{REDACTED}"
    host = _HOST.match(rest)
    if host is None or (host.end() < len(rest) and rest[host.end()] not in "/?#.,;:)\"'<>]}"):
        return f"{scheme}//{REDACTED}"
    left = rest[host.end() :]
    end = left if not left.strip(".,;:)") else f"/{REDACTED}"
    if left.startswith(":") and len(left) > 1:  # no port: what is behind it may be a password
        return f"{scheme}//{REDACTED}"
    return f"{scheme}//{host[0]}{end}"
