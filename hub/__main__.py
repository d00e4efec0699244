"""The program `floorhub`, also as `python -m hub`."""

import signal


def main() -> None:
    """Run the command line."""
    # What is imported takes half a second, in which Ctrl-C would show a stack; later it is somebody's to handle.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from hub.cli.main import app

    signal.signal(signal.SIGINT, handler)
    app()


if __name__ == "__main__":
    main()
