"""Korean help, by the English that the commands have: paragraphs of commands, and texts of arguments and options."""

from hub.programs.cli.korean.of_commands import COMMANDS
from hub.programs.cli.korean.of_options import OPTIONS


def of(english: str) -> str | None:
    """The Korean of a paragraph; None: there is none yet, which a test finds."""
    return COMMANDS.get(english) or OPTIONS.get(english)
