"""What bytes are, whatever they are called, and how types are compared."""

import pytest

from schemas import media_types
from schemas.media_types import MislabelledError, canonical, essence, judged, offered

PDF = b"%PDF-1.7\n1 0 obj"
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
FORM = b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + PDF
PJL = b"\x1b%-12345X@PJL\r\n@PJL ENTER LANGUAGE = "
EPL = b'\nN\nq609\nA50,50,0,4,1,1,N,"Order 1001"\nP1\n'
ODD_NAMES = [
    "application/pdf",
    "Application/PDF; charset=binary",
    "application/haansoftpdf",
    "application/x-pdf",
    "application/x_pdf",
    "binary/octet-stream",
    "application/force-download",
    "application/download",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "image/jpg",
    "text/pdf",
    "text/html; charset=utf-8",
    "pdf",
    "",
    "what is this",
    "/",
    ";",
]


@pytest.mark.parametrize("said", ODD_NAMES)
def test_a_pdf_is_one_whatever_it_is_called(said: str) -> None:
    assert judged(said, PDF) == "application/pdf"


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (PDF, "application/pdf"),
        (b"\xef\xbb\xbf" + PDF, "application/pdf"),
        (b"\r\n" + PDF, "application/pdf"),
        (b"%PDF-1.7\n%PCLm 1.0\n", "application/pclm"),
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (b"II*\0....", "image/tiff"),
        (b"MM\0*....", "image/tiff"),
        (b"RaS2PwgRaster", "image/pwg-raster"),
        (b"UNIRAST\0...", "image/urf"),
        (b"%!PS-Adobe-3.0\n", "application/postscript"),
        (b"\x04%!PS-Adobe-3.0\n", "application/postscript"),
        (b"%!\n/Helvetica", "application/postscript"),
        (b"\xc5\xd0\xd3\xc6....", "application/postscript"),
        (b"\x1bE\x1b&l0O", "application/vnd.hp-pcl"),
        (PJL + b"PCL\r\n\x1bE", "application/vnd.hp-pcl"),
        (PJL + b"PCLXL\r\n) HP-PCL XL;", "application/vnd.hp-pclxl"),
        (PJL + b"PostScript\r\n%!PS", "application/postscript"),
        (PJL + b"PDF\r\n%PDF-1.4", "application/pdf"),
        (b"^XA^FO50,50^FDx^FS^XZ", "application/vnd.zebra-zpl"),
        (b"CT~~CD,~CC^~CT~\r\n^XA", "application/vnd.zebra-zpl"),
    ],
)
@pytest.mark.parametrize("said", ["", "application/octet-stream", "image/webp", "text/plain", "image/urf"])
def test_bytes_that_are_known_count_more_than_their_name(said: str, head: bytes, content_type: str) -> None:
    assert judged(said, head) == content_type


@pytest.mark.parametrize(
    ("said", "head", "content_type"),
    [
        ("application/octet-stream", EPL, "application/octet-stream"),
        ("", b"\x1b@ Order 1001", "application/octet-stream"),
        ("application/x-epl", EPL, "application/x-epl"),
        ("text/plain; charset=utf-8", b"hello", "text/plain"),
        ("text/plain", b"see %PDF-1.7 in the specification", "text/plain"),
        ("text/plain", b"%!TEX program = xelatex", "text/plain"),
        ("text/plain", b"<html> is a tag", "text/plain"),
        ("text/plain", FORM, "text/plain"),
        ("application/zpl", b"~JR", "application/vnd.zebra-zpl"),
        ("Application/vnd.hp-PCL", b"plain text is PCL", "application/vnd.hp-pcl"),
        ("application/pdf", b"x" * 1000 + PDF, "application/pdf"),
        ("", b"From: printer\r\n\r\n" + PDF, "application/pdf"),
        ("application/postscript", PJL + b"unknown\r\n", "application/postscript"),
        ("application/vnd.cups-raw", PDF, "application/vnd.cups-raw"),
        ("application/octet-stream", b"PK\x03\x04", "application/zip"),
        ("application/octet-stream", b"\x1b%-12345X@PJL SET COPIES=2\r\n%PDF-1.4\n", "application/octet-stream"),
        ("", b"\x1b%-12345X%PDF-1.4\n", "application/octet-stream"),
        ("", b"@PJL SET DUPLEX=ON\r\n%PDF-1.4\n", "application/octet-stream"),
        ("", b"<!DOCTYPE html><title>Log in", "text/html"),
        ("application/hwp+zip", b"PK\x03\x04", "application/hwp+zip"),
        ("application/x-hwp", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-hwp"),
        ("application/gzip", b"\x1f\x8b\x08", "application/gzip"),
    ],
)
def test_a_name_counts_for_bytes_that_are_not_known(said: str, head: bytes, content_type: str) -> None:
    assert judged(said, head) == content_type


@pytest.mark.parametrize(
    ("said", "head", "found"),
    [
        ("application/pdf", b"hello not a pdf", None),
        ("application/haansoftpdf", b"hello not a pdf", None),
        ("application/pdf", b"x" * 1025 + PDF, None),
        ("application/pdf", b"JVBERi0xLjcKMSAw", None),
        ("application/pdf", b"<html>Log in", "text/html"),
        ("application/pdf", b"\x1f\x8b\x08", "application/gzip"),
        ("application/pdf", b"PK\x03\x04", "application/zip"),
        ("application/pdf", FORM, "multipart/form-data"),
        ("", FORM, "multipart/form-data"),
        ("image/webp", FORM, "multipart/form-data"),
        ("image/jpeg", b"hello", None),
        ("image/png", b"GIF89a", "image/gif"),
        ("image/urf", b"hello", None),
        ("image/pwg-raster", b"hello", None),
        ("application/postscript", b"hello", None),
        ("text/plain", b"PK\x03\x04", "application/zip"),
    ],
)
def test_what_is_called_something_else_is_refused(said: str, head: bytes, found: str | None) -> None:
    with pytest.raises(MislabelledError) as problem:
        judged(said, head)
    assert problem.value.found == found


def test_types_are_compared_without_case_and_parameters() -> None:
    assert essence(" Application/PDF ; charset=x") == "application/pdf"
    assert essence("no type") == essence("") == essence("a/b/c") == essence("a\n/b") == ""
    assert canonical("image/JPG") == canonical("image/pjpeg; q=1") == "image/jpeg"
    formats = ["application/vnd.hp-PCL", "text/plain; charset=us-ascii", "text/plain; charset=utf-8", "image/URF"]
    assert offered("application/vnd.hp-pcl", formats) == "application/vnd.hp-PCL"
    assert offered("application/x-pcl", formats) == "application/vnd.hp-PCL"
    assert offered("Image/urf;x=y", formats) == "image/URF"
    assert offered("text/plain", formats) == "text/plain; charset=utf-8"
    assert offered("text/plain", [*formats, "text/plain"]) == "text/plain"
    assert offered("application/pdf", formats) is None


@pytest.mark.parametrize(
    ("said", "head", "wrong"),
    [
        ("application/pdf", b"hello not a pdf", True),
        ("Image/JPG", PDF, True),
        ("image/jpeg", JPEG, False),
        ("application/pdf", b"%PDF-1.7\n%PCLm 1.0\n", False),
        ("text/plain", PDF, False),
        ("application/octet-stream", PDF, False),
        ("application/vnd.zebra-zpl", EPL, False),
    ],
)
def test_what_a_caller_wants_printed_as_something_else(said: str, head: bytes, wrong: bool) -> None:
    assert media_types.contradicts(said, head) is wrong


@pytest.mark.parametrize(
    ("head", "is_text"),
    [
        (b"Order 1001\n", True),
        ("\ufeff주문 1001\r\n\t₩".encode(), True),
        (("가" * 2000).encode()[: media_types.HEAD], True),  # cut in the middle of a character
        (b"", False),
        (b" \n", False),
        (b"\x1b@ Order 1001\n", False),
        (b"\xb6\xf3\xba\xa7", False),
        (b"<!doctype html><p>Not found", False),
        (b"%PDF-1.4\n", False),
        (b"^XA^FDOrder^FS^XZ", False),
        (b"--X\r\nContent-Disposition: form-data; name=file\r\n", False),
    ],
)
def test_plain_text_is_words_for_people(head: bytes, is_text: bool) -> None:
    assert media_types.is_plain_text(head) is is_text
