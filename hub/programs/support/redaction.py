"""Taking secrets out of text: those that are known here, those that look like one, and what belongs to customers.

Two nets, since neither is enough: every secret that lies on this machine is replaced wherever it stands, and whatever
has the form of a secret goes, too, known or not. Rather too much is taken out than too little.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

REDACTED = "[redacted]"
LEFT_OUT = "[left out]"
_SHORTEST = 6
"""A shorter secret would take too much with it; none that Floorhub makes is as short."""
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api_?key|private|authori[sz]ation|cookie|credential|sealed|signature|seed|nonce"
    r"|^key$|^pwd$|dsn$|conninfo",
    re.IGNORECASE,
)
_CUSTOMERS = frozenset(
    {
        *(
            "payload",
            "payload_schema",
            "result",
            "progress",
            "data",
            "detail_data",
            "document",
            "documents",
            "filename",
        ),
        *(
            "title",
            "reference",
            "tags",
            "order_key",
            "metadata",
            "report",
            "body",
            "content",
            "text",
            "stdout",
            "stderr",
        ),
        *("output", "note", "name", "state", "query", "headers", "argv", "args", "environment"),
    }
)
"""Fields of log lines and answers that are about the customers' things, not about the hub."""
_ASSIGNED = re.compile(
    r"""(?ix) ( [\w.-]* (?: pass(?:word|wd|phrase) | secret | token | api[_-]?key | authori[sz]ation | cookie
    | credential) [\w.-]* ["']? \s* [=:] \s* )
    ( "[^"]*" | '[^']*' | (?:(?:bearer|basic|digest)\s+)? [^\s,;&"'}\])]+ )"""
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9+/=._~-]{6,}")
_URL = re.compile(r"""(?i)\b([a-z][a-z0-9+.-]{1,20})://([^\s"'<>\\]*)""")
_UPLOAD = re.compile(r"(/api/uploads/)[^\s\"'/?]+")
_API_KEY = re.compile(r"fh_[0-9a-f]{8}_[A-Za-z0-9_-]+")
_LONG = re.compile(r"[A-Za-z0-9_+=-]{24,}")
_HEX = re.compile(r"\b[0-9a-fA-F]{40,}\b")
_PEM = re.compile(r"-----BEGIN [^-]+-----.*?(-----END [^-]+-----|\Z)", re.DOTALL)
_DETAIL = re.compile(r"(DETAIL|CONTEXT|STATEMENT|QUERY|PARAMETERS):.*", re.DOTALL | re.IGNORECASE)
_POSTGRES = re.compile(r"^\d{4}-\d\d-\d\d [^\]]*\] *(LOG|WARNING|ERROR|FATAL|PANIC|HINT|NOTICE): ")
_SQL = re.compile(r"\b(statement|execute [^:]*|parse [^:]*|bind [^:]*):.*", re.DOTALL)


class Redaction:
    """Knows the secrets of one installation."""

    def __init__(self, secrets: Iterable[str], public: Collection[str] = ()) -> None:
        """`public`: what has the form of a secret and is none, such as public keys."""
        forms = set()
        for secret in secrets:
            plain = secret.strip()
            if len(plain) >= _SHORTEST:
                forms |= {plain, quote(plain, safe=""), quote_plus(plain)}
                forms.add(msgspec.json.encode(plain).decode()[1:-1])
        # The longest first: one may be a part of another.
        self._known = sorted(forms, key=len, reverse=True)
        self._public = frozenset(public)

    def text(self, text: str) -> str:
        """A piece of text without secrets."""
        for secret in self._known:
            text = text.replace(secret, REDACTED)
        text = _PEM.sub(REDACTED, text)
        text = _URL.sub(_host_only, text)
        text = _UPLOAD.sub(rf"\1{REDACTED}", text)
        text = _ASSIGNED.sub(rf"\1{REDACTED}", text)
        text = _SCHEME.sub(rf"\1 {REDACTED}", text)
        text = _API_KEY.sub(REDACTED, text)
        text = _HEX.sub(REDACTED, text)
        return _LONG.sub(self._if_secret, text)

    def value(self, value: Any, *, name: str = "") -> Any:
        """JSON without secrets and without what belongs to customers."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item, name=str(key)) for key, item in value.items()}
        if name and _SECRET_NAME.search(name) and value not in (None, "", True, False):
            return REDACTED
        if name.lower() in _CUSTOMERS and value not in (None, "", [], {}):
            return LEFT_OUT
        if isinstance(value, list | tuple):
            return [self.value(item, name=name) for item in value]
        return self.text(_DETAIL.sub(LEFT_OUT, value)) if isinstance(value, str) else value

    def log(self, lines: Iterable[str], *, postgres: bool = False) -> Iterator[str]:
        """Lines of a log: JSON field by field, others as text. Of Postgres's log only what it says itself: statements
        and their values are left out."""
        for line in lines:
            if postgres:
                if _POSTGRES.match(line):
                    yield self.text(_SQL.sub(rf"\1: {LEFT_OUT}", line))
                continue
            try:
                fields = msgspec.json.decode(line) if line.startswith("{") else None
            except (msgspec.DecodeError, RecursionError):
                fields = None
            if isinstance(fields, dict):
                yield msgspec.json.encode(self._line(fields)).decode()
            else:
                yield self.text(_DETAIL.sub(LEFT_OUT, line))

    def _line(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A log line: as any JSON, but for a mapping under a customers' name, which goes as a whole."""
        kept = {}
        for name, value in fields.items():
            is_theirs = name.lower() in _CUSTOMERS and isinstance(value, Mapping) and value
            kept[self.text(name)] = LEFT_OUT if is_theirs else self.value(value, name=name)
        return kept

    def _if_secret(self, found: re.Match[str]) -> str:
        """A long run of letters and digits that is no word: capital and small letters and digits are mixed."""
        run = found[0]
        if run in self._public:
            return run
        mixed = any(map(str.isupper, run)) and any(map(str.islower, run)) and any(map(str.isdigit, run))
        return REDACTED if mixed else run


def _host_only(found: re.Match[str]) -> str:
    """Scheme, host and port of a URL. User, path and query may each be the secret, as in the URLs of webhooks."""
    authority = re.split(r"[/?#]", found[2], maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    rest = "" if len(found[2].rstrip(".,;)")) <= len(authority) else f"/{REDACTED}"
    return f"{found[1]}://{host}{rest}"
