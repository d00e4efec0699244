"""Reads a PDF with a classic cross-reference table as the specification has it (ISO 32000-1, 7.3.8 and 7.5), and
repairs nothing: viewers and CUPS do, and hide what is wrong."""

import re

_END = re.compile(rb"\ntrailer\s*<<(.*?)>>\s*startxref\n(\d+)\n%%EOF\n?\Z", re.DOTALL)
_TABLE = re.compile(rb"xref\n0 (\d+)\n((?:\d{10} \d{5} [nf][ \r]\n)+)trailer\b")
_STREAM = re.compile(rb"<<([^<>]*)>>\s*stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_ENTRY = 20
"""Bytes of a line of the table."""


def faults(pdf: bytes) -> list[str]:
    """What is wrong with it; empty for a well-formed one."""
    if re.match(rb"%PDF-1\.[0-7]\n", pdf) is None:
        return ["no header"]
    end = _END.search(pdf)
    if end is None:
        return ["no trailer with startxref at its end"]
    found = []
    table = _TABLE.match(pdf, int(end[2]))
    if table is None:
        return [f"startxref {int(end[2])} is not the place of a table"]
    lines = [table[2][at : at + _ENTRY] for at in range(0, len(table[2]), _ENTRY)]
    if len(lines) != int(table[1]):
        found.append(f"the table has {len(lines)} lines, not {int(table[1])}")
    if lines[0][:18] != b"0000000000 65535 f":
        found.append("entry 0 is not free")
    for number, line in enumerate(lines[1:], 1):
        if not re.compile(rb"%d 0 obj\b" % number).match(pdf, int(line[:10])):
            found.append(f"object {number} is not at {int(line[:10])}")
    size = re.search(rb"/Size (\d+)", end[1])
    if size is None or int(size[1]) != len(lines):
        found.append("/Size is not the number of entries")
    root = re.search(rb"/Root (\d+) 0 R", end[1])
    if root is None or not re.search(rb"\n%s 0 obj\s*<<[^>]*/Type\s*/Catalog" % root[1], pdf):
        found.append("/Root is no catalog")
    for head, content in _STREAM.findall(pdf):
        length = re.search(rb"/Length (\d+)", head)
        if length is None or int(length[1]) != len(content):
            found.append(f"a stream of {len(content)} bytes has {head.decode('latin-1')}")
    return found
