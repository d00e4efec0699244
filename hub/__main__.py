"""The program `floorhub`, also as `python -m hub`."""

import signal


def main() -> None:
    """Run the command line."""
    # To import and to build the commands takes half a second, in which Ctrl-C would show a stack; later it is
    # somebody's to handle.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from typer.main import get_command

    from hub.programs.cli.main import app

    command = get_command(app)
    signal.signal(signal.SIGINT, handler)
    command()


if __name__ == "__main__":
    main()
