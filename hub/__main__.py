"""`python -m hub`: the same as the program `floorhub`."""

from hub.cli.main import app

if __name__ == "__main__":
    app()
