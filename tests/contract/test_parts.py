"""The parts of `make acceptance`: each can be started, and is told of."""

import re

import pytest

from tests.acceptance.parts import PARTS
from tests.support.paths import ROOT

READ = re.compile(r'environ\.get\("([A-Z_]+)"')


@pytest.mark.parametrize("name", PARTS)
def test_a_part_names_what_is_there(name: str) -> None:
    part = PARTS[name]
    files = [ROOT / argument for argument in part.arguments if argument.startswith("tests/")]
    modules = [ROOT.joinpath(*argument.split(".")) for argument in part.arguments if argument.startswith("tests.")]
    assert [place for place in (*files, *modules) if not place.exists()] == []
    sources = [*files, *(module / "__main__.py" for module in modules)]
    read = {variable for file in sources for variable in READ.findall(file.read_text(encoding="utf-8"))}
    assert part.environment.keys() <= read


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_told_of_in_the_docs(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "explanation" / "proof.md").read_text(encoding="utf-8")
