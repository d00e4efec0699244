"""Media types: how they are compared, and what bytes are, whatever they are called.

Upper and lower case do not count, nor do parameters (RFC 2045 5.1). What a sender calls its bytes is often a guess of a
browser or a file system, so bytes that are recognised count, and a name only for those that are not.
"""

import codecs
import re
from collections.abc import Iterable, Mapping

HEAD = 4096
"""So many bytes from the beginning are enough to judge by."""
OCTETS = "application/octet-stream"
"""Bytes that nobody knows, which a printer looks into itself (RFC 8011 5.1.10)."""
AS_IT_IS = "application/vnd.cups-raw"
"""Bytes that nobody shall look into."""
PDF, JPEG, PNG, TIFF = "application/pdf", "image/jpeg", "image/png", "image/tiff"
POSTSCRIPT, PWG_RASTER, URF, PCLM = "application/postscript", "image/pwg-raster", "image/urf", "application/pclm"
PCL, PCL_XL, ZPL = "application/vnd.hp-pcl", "application/vnd.hp-pclxl", "application/vnd.zebra-zpl"
CUPS_RASTER = "application/vnd.cups-raster"
FORM = "multipart/form-data"

_SPELLINGS: Mapping[str, str] = {
    spelling: name
    for name, spellings in {
        PDF: "application/x-pdf application/x_pdf application/acrobat applications/vnd.pdf application/vnd.pdf "
        "text/pdf text/x-pdf image/pdf application/haansoftpdf pdf x-pdf .pdf",
        JPEG: "image/jpg image/pjpeg image/x-jpeg image/x-jpg application/jpg application/x-jpg jpg jpeg",
        PNG: "image/x-png application/png application/x-png png",
        TIFF: "image/tif image/x-tif image/x-tiff tiff",
        POSTSCRIPT: "application/x-postscript application/ps application/x-ps text/postscript",
        PCL: "application/pcl application/x-pcl application/hp-pcl application/x-hp-pcl",
        PCL_XL: "application/vnd.hp-pcl-xl application/x-pclxl application/pclxl",
        ZPL: "application/zpl application/x-zpl application/vnd.zebra.zpl text/zpl text/x-zpl application/zebra-zpl",
    }.items()
    for spelling in spellings.split()
}
_SAYS_NOTHING = frozenset(
    f"{OCTETS} binary/octet-stream application/octetstream application/x-octet-stream application/octet octet/stream "
    "application/binary application/x-binary application/unknown application/x-unknown unknown/unknown content/unknown "
    "application/force-download application/x-force-download application/download application/x-download "
    "application/save application/x-msdownload application/file multipart/octet-stream "
    # What curl says by itself.
    "application/x-www-form-urlencoded".split()
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_ENDINGS = {
    "pdf": PDF,
    "ps": POSTSCRIPT,
    "eps": POSTSCRIPT,
    "pcl": PCL,
    "zpl": ZPL,
    "pwg": PWG_RASTER,
    "urf": URF,
    "jpg": JPEG,
    "jpeg": JPEG,
    "png": PNG,
    "tif": TIFF,
    "tiff": TIFF,
    "gif": "image/gif",
    "txt": "text/plain",
    "log": "text/plain",
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "hwp": "application/x-hwp",
    "hwpx": "application/hwp+zip",
    "zip": "application/zip",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_HAS_A_SIGN = frozenset({PDF, JPEG, PNG, TIFF, POSTSCRIPT, PWG_RASTER, URF, PCLM, CUPS_RASTER})
"""Types whose bytes cannot be missed: a document that is called so and does not look so is another one."""
READY = frozenset({PCL, PCL_XL, ZPL, AS_IT_IS, OCTETS})
"""What is made for one printer: an IPP printer may print it although its list does not name it."""
PRINTABLE = frozenset({*_HAS_A_SIGN, *READY, "text/plain"})
_BINARY = {
    b"PK\x03\x04": "application/zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "application/x-ole-storage",
    b"\x1f\x8b\x08": "application/gzip",
    b"GIF8": "image/gif",
}
"""What is no document for a printer, although one may lie inside."""
_SIGNS: Mapping[bytes, str] = {
    b"\xff\xd8\xff": JPEG,
    b"\x89PNG": PNG,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"RaS2": PWG_RASTER,
    b"2SaR": CUPS_RASTER,
    b"RaSt": CUPS_RASTER,
    b"tSaR": CUPS_RASTER,
    b"RaS3": CUPS_RASTER,
    b"3SaR": CUPS_RASTER,
    b"UNIRAST\0": URF,
    b"\xc5\xd0\xd3\xc6": POSTSCRIPT,
    b"\x1bE": PCL,
    b") HP-PCL XL": PCL_XL,
}
_JOB_LANGUAGE = b"\x1b%-12345X"
_LANGUAGES = {b"POSTSCRIPT": POSTSCRIPT, b"PCL": PCL, b"PCLXL": PCL_XL, b"PDF": PDF}
_LANGUAGE = re.compile(rb"(?i)@PJL\s+ENTER\s+LANGUAGE\s*=\s*([A-Za-z0-9]+)")
_POSTSCRIPT = re.compile(rb"\x04?%!(PS|[ \t]*[\r\n])")
_ZPL = (b"^XA", b"CT~~CD,")
_HTML = re.compile(rb"(?i)<(!doctype\s+html|html[\s>])")
_PDF_INSIDE = re.compile(rb"%PDF-\d")
_PDF_WITHIN = 1024
"""Where a PDF may begin: readers allow what a printer driver or a mail program put before it."""
_FORM = re.compile(rb"(?i)--[^\r\n]{1,70}\r?\ncontent-disposition:[ \t]*form-data")
_BLANK = b" \t\r\n\x0c\xef\xbb\xbf"
"""Spaces and a byte order mark."""


class MislabelledError(ValueError):
    """Bytes are called `said`, and are not. `found` is what they are, where that is known."""

    def __init__(self, said: str, found: str | None) -> None:
        super().__init__(f"it is called {said}, and its bytes are {found or 'something else'}")
        self.said = said
        self.found = found


def essence(said: str) -> str:
    """A media type as it is compared and stored: small letters, no parameters. Empty for what is none."""
    plain = said.partition(";")[0].strip().lower()
    return plain if _NAME.fullmatch(plain) or plain in _SPELLINGS else ""


def by_name(filename: str) -> str:
    """What a file's ending says; a guess, for bytes that say nothing."""
    return _ENDINGS.get(filename.rpartition(".")[2].lower(), OCTETS)


def canonical(said: str) -> str:
    """The usual name of a type that goes by several; `application/octet-stream` for a name that says nothing."""
    plain = essence(said)
    return OCTETS if not plain or plain in _SAYS_NOTHING else _SPELLINGS.get(plain, plain)


def offered(content_type: str, formats: Iterable[str]) -> str | None:
    """How a printer spells this type in its list; None when it does not name it. A spelling without parameters counts
    more than one with them, and of those UTF-8 more than others."""
    wanted = canonical(content_type)
    spelled = [text for text in formats if canonical(text) == wanted]
    return min(spelled, key=lambda text: (";" in text, "utf-8" not in text.lower()), default=None)


def recognised(head: bytes) -> str | None:
    """What bytes are, from the beginning of them (`HEAD`), as far as they cannot be anything else."""
    start = head.lstrip(_BLANK)
    if start.startswith(b"%PDF-"):
        return PCLM if b"%PCLm" in start[:256] else PDF
    for sign, name in _SIGNS.items():
        if head.startswith(sign):
            return name
    if head.startswith(_JOB_LANGUAGE):
        found = _LANGUAGE.search(head)
        return _LANGUAGES.get(found[1].upper()) if found else None
    if _POSTSCRIPT.match(start):
        return POSTSCRIPT
    return ZPL if start.startswith(_ZPL) else None


def judged(said: str, head: bytes) -> str:
    """The type of a document that its sender calls `said` and that begins with `head` (`HEAD` bytes, or all).

    Raises MislabelledError when it is called something that it is not, so that whoever prints it would print nonsense.
    """
    name = canonical(said)
    if name == AS_IT_IS:
        return name
    found = recognised(head)
    if found is not None:
        return found
    other = _no_document(head)
    if name in _HAS_A_SIGN:
        if not _begins_late(name, head):
            raise MislabelledError(name, other)
        return name
    is_text = name.startswith("text/")
    if (other == FORM and not is_text) or (other in _BINARY.values() and is_text):
        raise MislabelledError(name, other)
    if name == OCTETS:
        if head.startswith((_JOB_LANGUAGE, b"@PJL")):  # what stands in front is meant for a printer that reads it
            return OCTETS
        return PDF if other is None and _PDF_INSIDE.search(head[:_PDF_WITHIN]) else other or OCTETS
    return name


def contradicts(said: str, head: bytes) -> bool:
    """Whether bytes cannot be what a caller wants them to be printed as."""
    name = canonical(said)
    return name in _HAS_A_SIGN and recognised(head) != name and not _begins_late(name, head)


def is_plain_text(head: bytes) -> bool:
    """Whether bytes are words for people: UTF-8 with at least one letter or sign, no control characters, no markup."""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # a character may go on behind the head
    except UnicodeDecodeError:
        return False
    words = "".join(text.split())
    return bool(words) and words.isprintable() and recognised(head) is None and _no_document(head) is None


def claims_otherwise(said: str, stored: str) -> bool:
    """Whether a caller wants a document printed as something that it cannot be, by the type that it was stored with."""
    name, known = canonical(said), canonical(stored)
    return name in _HAS_A_SIGN and known not in (name, OCTETS, AS_IT_IS) and {name, known} != {PDF, PCLM}


def _begins_late(name: str, head: bytes) -> bool:
    """Whether the type may begin after something that does not count."""
    if name == PDF:
        return _PDF_INSIDE.search(head[:_PDF_WITHIN]) is not None and not _FORM.match(head)
    return name == POSTSCRIPT and (b"%!" in head[:_PDF_WITHIN] or head.startswith(_JOB_LANGUAGE))


def _no_document(head: bytes) -> str | None:
    start = head.lstrip(_BLANK)
    if _FORM.match(start):
        return FORM
    if _HTML.match(start):
        return "text/html"
    return next((name for sign, name in _BINARY.items() if head.startswith(sign)), None)
