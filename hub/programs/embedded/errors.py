"""The one exception of this package."""


class EmbeddedError(Exception):
    """An embedded service could not be prepared, started or stopped.

    `sentence` says what happened, `remedy` what the person at the keyboard can do about it. Both are full sentences
    without a stack trace, ready to be shown.
    """

    def __init__(self, sentence: str, remedy: str, *, ko: str | None = None) -> None:
        """`ko` is both in Korean."""
        super().__init__(f"{sentence} {remedy}")
        self.sentence = sentence
        self.remedy = remedy
        self.korean = ko or str(self)
