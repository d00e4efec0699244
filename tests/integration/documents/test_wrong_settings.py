"""Settings that only the documents can judge."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_wrong_setting_is_named_though_the_database_is_away(tmp_path: Path) -> None:
    settings = {
        "FLOORHUB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "FLOORHUB_DATA_DIR": str(tmp_path),
        "FLOORHUB_FETCH_ALLOW": "http://x/y",
    }
    program = [sys.executable, "-m", "hub", "serve"]
    ended = subprocess.run(
        program, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "http://x/y" in ended.stderr
