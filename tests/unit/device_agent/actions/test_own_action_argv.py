"""How a command's values get into a program's arguments: each stays where it was meant to be."""

from typing import Any

import pytest

from device_agent.actions.config import OwnActionConfig
from device_agent.actions.own import OwnAction
from device_agent.core.gate import PayloadError


def action(*argv: str, **more: Any) -> OwnAction:
    return OwnAction("feed", OwnActionConfig(argv=list(argv), **more))


def filled(template: OwnAction, **args: Any) -> list[str]:
    return template._argv({"args": args})


def test_values_fill_whole_arguments_or_parts_of_them() -> None:
    template = action("/bin/feed", "--lane={lane}", "{count}", "{{literal}}", "")
    assert filled(template, lane="a b", count=3) == ["/bin/feed", "--lane=a b", "3", "{literal}", ""]


@pytest.mark.parametrize(
    ("value", "spelled"),
    [("; rm -rf /", "; rm -rf /"), ("$(id)", "$(id)"), ("a\nb", "a\nb"), (True, "true"), (1.5, "1.5")],
)
def test_a_value_stays_one_argument(value: object, spelled: str) -> None:
    assert filled(action("/bin/echo", "{what}"), what=value) == ["/bin/echo", spelled]


@pytest.mark.parametrize("value", ["-rf", "--help", -1])
def test_a_value_cannot_become_an_option(value: object) -> None:
    with pytest.raises(PayloadError, match="option"):
        filled(action("/bin/ls", "{what}"), what=value)
    with pytest.raises(PayloadError, match="option"):
        filled(action("/bin/ls", "{what}.txt"), what=value)
    assert filled(action("/bin/ls", "{what}", allow_dash=["what"]), what=value)[1] == str(value)
    assert filled(action("/bin/ls", "--file={what}"), what=value)[1] == f"--file={value}"


def test_an_empty_value_does_not_let_the_next_one_become_an_option() -> None:
    with pytest.raises(PayloadError, match="option"):
        filled(action("/bin/ls", "{a}{b}", allow_dash=["a"]), a="", b="-rf")


@pytest.mark.parametrize(
    "args", [{}, {"what": "x", "more": "y"}, {"what": None}, {"what": ["x"]}, {"what": "a\0b"}, {"what": "x" * 5000}]
)
def test_what_does_not_fit_the_template_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(PayloadError, match="args"):
        filled(action("/bin/echo", "{what}"), **args)


def test_args_must_be_an_object() -> None:
    with pytest.raises(PayloadError, match="args"):
        action("/bin/true").check("feed", {"args": ["x"]})
    action("/bin/true").check("feed", {})


@pytest.mark.parametrize(
    "argv",
    [["{program}"], ["/bin/{program}"], ["/bin/x", "{0}"], ["/bin/x", "{a.b}"], ["/bin/x", "{a!r}"], ["/bin/x", "{"]],
)
def test_a_template_that_could_surprise_is_refused(argv: list[str]) -> None:
    with pytest.raises(ValueError, match=r"argv|brace|\{"):
        action(*argv)


def test_allow_dash_names_an_existing_placeholder() -> None:
    with pytest.raises(ValueError, match="allow_dash"):
        action("/bin/x", allow_dash=["y"])
