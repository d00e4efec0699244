"""Topics: built and parsed by one module, and hostile ids have no topic."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.topics import Channel, ClientTopic
from tests.support.paths import ROOT

HOSTILE = ["", "A", "-a", "a/b", "+", "#", "a+", "$SYS", "a\n", "a\0", "..", "a b", "\uff41", "a" * 64, "_hub", "a\r"]


@given(st.from_regex(topics.CLIENT_ID, fullmatch=True), st.sampled_from(list(Channel)))
def test_a_built_topic_is_parsed_again(client_id: str, channel: Channel) -> None:
    assert topics.parse_client_topic(topics.client_topic(client_id, channel)) == ClientTopic(client_id, channel)


@pytest.mark.parametrize("client_id", HOSTILE)
def test_a_hostile_id_has_no_topic(client_id: str) -> None:
    assert not topics.is_client_id(client_id)
    with pytest.raises(ValueError, match="not a client id"):
        topics.client_topic(client_id, Channel.COMMANDS)
    assert topics.parse_client_topic(f"{topics.ROOT}/clients/{client_id}/commands") is None


@given(st.text(max_size=60))
def test_parsing_any_topic_never_raises(topic: str) -> None:
    parsed = topics.parse_client_topic(topic)

    assert parsed is None or topics.client_topic(parsed.client_id, parsed.channel) == topic


def test_no_other_python_file_holds_a_topic_string() -> None:
    pattern = re.compile(r"floorhub/v\d/(?:clients|hub)|\$CONTROL/dynamic|\$share/")
    offenders = [
        str(file.relative_to(ROOT))
        for package in ("hub", "device_agent", "schemas", "broker_config")
        for file in (ROOT / package).rglob("*.py")
        if file.name != "topics.py" and pattern.search(_code(file))
    ]

    assert offenders == []


def _code(file: Path) -> str:
    """The source without docstrings and comments, which may explain topics."""
    text = re.sub(r'"""[\s\S]*?"""', "", file.read_text(encoding="utf-8"))
    return re.sub(r"#.*", "", text)
