"""How many examples Hypothesis tries: fewer with each `make test` than in `make acceptance PART=property`."""

from hypothesis import settings

USUAL = 100
"""Hypothesis's own number, which tests that say nothing get in neither profile; others say how many they want of it."""


def register_profiles() -> None:
    """`ci` for every run of the tests, `full` for `--hypothesis-profile full`. A busy machine is no counter-example."""
    settings.register_profile("ci", deadline=None, max_examples=USUAL // 4)
    settings.register_profile("full", deadline=None, max_examples=USUAL * 4)
    settings.load_profile("ci")


def examples(usual: int) -> int:
    """So many, in proportion to the profile that is loaded."""
    return max(1, usual * settings().max_examples // USUAL)
