"""Pages that exist in both languages say the same: the same blocks of code, the same sections."""

import re

import pytest

from tests.contract.docs.pages import read

QUICK_START = ("docs/quick-start.md", "docs/quick-start.ko.md")
EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```sh\n(.*?)\n```", flags=re.DOTALL)


def examples(page: str) -> dict[str, str]:
    """The blocks that a reader pastes, by name, without their comments."""
    return {name: re.sub(r" *#.*", "", block) for name, block in EXAMPLE.findall(read(page))}


def sections(page: str, begin: str, end: str, mark: str) -> list[str]:
    """The texts of the sections between two headings, each without its own heading."""
    text = read(page).split(begin, 1)[1].split(end, 1)[0]
    return [part.partition("\n")[2] for part in text.split(f"\n{mark} ")[1:]]


METRIC = re.compile(r"\w+_(open|bytes|total|seconds)")


def code(text: str) -> set[str]:
    """What is in backticks or in a fenced block; not metrics, which a technician does not read."""
    fenced = set(re.findall(r"```\n(.*?)\n```", text, flags=re.DOTALL))
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return fenced | {span for span in spans if not METRIC.fullmatch(span)}


def test_both_quick_starts_have_the_same_examples() -> None:
    english, korean = map(examples, QUICK_START)
    assert english
    assert korean == english


def test_both_quick_starts_explain_the_same_statuses_and_files() -> None:
    tables = [re.findall(r"^\| (`[^|]*) \|", read(page), flags=re.MULTILINE) for page in QUICK_START]
    assert tables[0]
    assert tables[1] == tables[0]


ENGLISH = sections("docs/how-to/operate.md", "\n## What to do when ...", "\n## Clean-up", "###")
KOREAN = sections("docs/how-to/troubleshooting.ko.md", "# 문제 해결", "\x00", "##")


def test_both_languages_have_the_same_problems() -> None:
    assert ENGLISH
    assert len(KOREAN) == len(ENGLISH)


@pytest.mark.parametrize("number", range(len(ENGLISH)))
def test_a_problem_names_the_same_commands_fields_and_values(number: int) -> None:
    """Its words differ; what a technician types or compares does not."""
    assert code(ENGLISH[number]) - code(KOREAN[number]) == set()
