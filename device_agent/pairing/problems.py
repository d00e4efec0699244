"""Why a machine could not be connected."""

from schemas import terminal


class PairingError(Exception):
    """The machine is not connected; the message says what to do, in the language of the person at the keyboard."""

    def __init__(self, english: str, korean: str) -> None:
        super().__init__(terminal.either(english, korean))
