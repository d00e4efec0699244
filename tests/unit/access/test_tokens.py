"""Tokens that are shown once: their form tells a whole one from one that was cut off or mistyped."""

from hub import tokens


def test_a_token_has_its_prefix_and_its_checksum() -> None:
    made = {tokens.new_token("fhr_") for _ in range(500)}
    assert len(made) == 500
    assert {len(token) for token in made} == {tokens.LENGTH}
    assert all(tokens.is_token(token, "fhr_") and tokens.is_token(token) for token in made)
    assert not any(tokens.is_token(token, "fhk_") for token in made)


def test_a_token_with_another_character_is_none() -> None:
    token = tokens.new_token("fhk_")
    for place in range(len(token)):
        other = "a" if token[place] != "a" else "b"
        assert not tokens.is_token(token[:place] + other + token[place + 1 :], "fhk_"), place
    for wrong in (token[:-1], token + "0", f" {token}", f"{token}\n", token.swapcase(), token.replace("fhk_", "fhr_")):
        assert not tokens.is_token(wrong), wrong
