"""`floorhub` in this process: each start of a program of its own would cost more than what it asks."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from hub.programs.cli.main import app
from tests.support.site import Site


def run(site: Site, *arguments: str) -> Result:
    """What `floorhub` says to these arguments; English."""
    return CliRunner().invoke(app, arguments, env={"FLOORHUB_URL": site.url, "FLOORHUB_KEY": site.key, "LANG": "C"})


def floorhub(site: Site, *arguments: str) -> Any:
    """What `floorhub ... --json` prints, as JSON; it must exit with 0."""
    done = run(site, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)
