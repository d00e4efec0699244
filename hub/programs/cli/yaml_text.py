"""YAML of what the API answers, which a terminal shows as text and readers of YAML 1.1 and 1.2 take alike."""

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

from schemas.text import plain_json, printable

_OTHERWISE = re.compile(
    r"""(?x) [-+]? (?: 0[bB][01_]+ | 0[oO][0-7_]+ | 0[xX][0-9a-fA-F_]+
    | (?: [0-9][0-9_]* (?: \.[0-9_]* )? | \.[0-9_]+ ) (?: [eE][-+]?[0-9_]+ )?
    | \. (?: inf | Inf | INF ) )
    | \. (?: nan | NaN | NAN ) | [yYnN]"""
)
"""Texts that some reader takes for a number or a boolean, beside those that the library quotes: it knows YAML 1.1 as
Python reads it, to which 1e3 and 0o17 are words."""


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Everything written out, strings quoted where a terminal would obey their characters."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library passes it
        """The same object twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = '"' if printable(text) != text else "'" if _OTHERWISE.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(value: Any, *, only_ascii: bool = False) -> str:
    """One document without its last line end. What `printable` escapes is escaped as YAML does, in quotes."""
    text = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=not only_ascii, sort_keys=False, default_flow_style=False, width=10**9
    )
    return "\n".join(plain_json(line) for line in text.removesuffix("\n").removesuffix("\n...").split("\n"))
