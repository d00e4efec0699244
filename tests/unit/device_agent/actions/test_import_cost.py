"""What an agent loads: nothing of HTTP before it prints, and never what only a hub or a terminal needs."""

import subprocess
import sys

import pytest

NEVER = {"fastapi", "sqlmodel", "psycopg", "pydantic", "rich", "click", "hub"}


def loaded_after(script: str) -> set[str]:
    script += "\nimport sys; print(*{name.partition('.')[0] for name, module in sys.modules.items() if module})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("script", "never"),
    [
        ("import device_agent.actions.registry", {"httpx", "jsonschema_rs", *NEVER}),
        ("from device_agent.http_library import load_httpx; load_httpx().AsyncClient", NEVER),
    ],
)
def test_nothing_is_loaded_that_is_not_needed(script: str, never: set[str]) -> None:
    assert not loaded_after(script) & never
