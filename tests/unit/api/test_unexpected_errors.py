"""What a caller is told of a mistake of ours: that there was one, and nothing of what it was."""

import httpx
import psycopg
import pytest
import structlog.testing
from fastapi import FastAPI

from hub.api import problems
from hub.telemetry.log import Log

SECRET = "SELECT password_hash FROM clients; /opt/floorhub/hub/keys.py"
ERRORS: list[Exception] = [
    RuntimeError(SECRET),
    KeyError(SECRET),
    ValueError(SECRET),
    psycopg.errors.UndefinedTable(SECRET),
    OSError(5, SECRET, "/etc/passwd"),
    RecursionError(SECRET),
    ExceptionGroup(SECRET, [ValueError(SECRET)]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("language", ["en", "ko"])
async def test_an_answer_tells_nothing_of_what_went_wrong_inside(error: Exception, language: str) -> None:
    app = FastAPI()
    problems.install(app, Log())

    @app.get("/wrong")
    async def wrong() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        with structlog.testing.capture_logs() as written:
            answer = await http.get("/wrong", headers={"Accept-Language": language})
    assert [line["exc_info"] for line in written] == [error], "the log has it all"
    told = answer.json()
    assert (answer.status_code, told["code"]) == (500, "internal_error")
    shown = answer.text + str(answer.headers)
    for word in (*SECRET.split(), "Traceback", "psycopg", type(error).__name__, "passwd"):
        assert word not in shown
