"""Tables of sentences in two languages: which codes the code uses, and which values a sentence shows."""

import ast
import string
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path


def codes_in(files: Iterable[Path], known: Collection[str]) -> Iterator[str]:
    """The codes of a table that files name as text."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in known:
                yield str(node.value)


def values_in(template: str) -> set[str]:
    """The names of the values that a sentence shows."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def values_of_one_language(sentences: Mapping[str, tuple[str, str]], *, but: Collection[str]) -> Mapping[str, set[str]]:
    """By code, the values that one language shows and the other does not, but for words of the language itself."""
    found = {code: (values_in(english) ^ values_in(korean)) - set(but) for code, (english, korean) in sentences.items()}
    return {code: names for code, names in found.items() if names}
