"""YAML of what the API answers, which a terminal shows as text."""

from typing import Any

import yaml  # type: ignore[import-untyped]

from schemas.text import plain_json, printable


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Everything written out, strings quoted where a terminal would obey their characters."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library passes it
        """The same object twice is written twice."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if printable(text) == text else '"')


_Dumper.add_representer(str, _text)


def yaml_text(value: Any, *, only_ascii: bool = False) -> str:
    """One document without its last line end. What `printable` escapes is escaped as YAML does, in quotes."""
    text = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=not only_ascii, sort_keys=False, default_flow_style=False, width=10**9
    )
    return "\n".join(plain_json(line) for line in text.removesuffix("\n").removesuffix("\n...").split("\n"))
