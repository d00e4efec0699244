"""What `-o yaml` writes is the same for readers of YAML 1.1 and of YAML 1.2."""

import re
from typing import Any, ClassVar

import pytest
import yaml  # type: ignore[import-untyped]

from hub.programs.cli.yaml_text import yaml_text


class Reader12(yaml.SafeLoader):  # type: ignore[misc]
    """A reader with the core schema of YAML 1.2.2 (10.3.2), and with what common readers of it add: `_` in numbers and
    binary ones."""

    yaml_implicit_resolvers: ClassVar[dict[str | None, Any]] = {}


CORE = {
    "null": r"null|Null|NULL|~|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?[0-9][0-9_]*|0b[01_]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}
for name, pattern in CORE.items():
    Reader12.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(rf"(?:{pattern})\Z"), None)
    # A value that is no text, whatever it is.
    Reader12.add_constructor(f"tag:yaml.org,2002:{name}", lambda _, node: (node.tag, node.value))

TEXTS = (
    *("1e3", "1E5", "12e03", "1e-7", "1e+3", "00e1", "9e9999", "-1e3", "+1", "-0", "0.1e1", "1.", ".5", "-.5e3"),
    *("0o17", "0O17", "010", "0x1F", "0XFF", "0b1", "1_000", "1_0e3", "12:30:45", ".inf", "-.INF", ".nan", ".NaN"),
    *("null", "~", "", "true", "TRUE", "no", "Yes", "on", "y", "N", "=", "<<", "2026-11-30", "2026-11-30T00:00:00Z"),
    *("e1", "0x", "1e", "01a228f8-92d5-724d-b3d6-90221797f7b0", "1.2.3", "- a", "a: b", "# a", " a", "a\nb", "\x85"),
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_a_text_as_value_and_as_name(text: str) -> None:
    value = {"value": text, text: [text]}
    written = yaml_text(value)
    assert yaml.safe_load(written) == value
    assert yaml.load(written, Reader12) == value  # noqa: S506 - a SafeLoader


def test_words_and_ids_are_not_quoted() -> None:
    plain = {"id": "01a228f8-92d5-724d-b3d6-90221797f7b0", "client_id": "front-desk", "version": "1.2.3"}
    assert yaml_text(plain) == "\n".join(f"{name}: {value}" for name, value in plain.items())
