"""Numbers and booleans of a query are written as JSON writes them."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Query, Request

from hub.api import problems
from hub.api.parameters import require_known
from hub.telemetry.log import Log


def _known(request: Request) -> None:
    require_known(request)


@pytest.fixture
def http() -> httpx.AsyncClient:
    app = FastAPI(dependencies=[Depends(_known)])

    @app.get("/")
    def get(
        limit: Annotated[int, Query(ge=-10, le=1_000)] = 50,
        most: int | None = None,
        numbers: Annotated[list[int] | None, Query()] = None,
        wait: Annotated[float, Query(ge=0)] = 0,
        enabled: Annotated[bool | None, Query()] = None,
        name: str = "",
    ) -> list[Any]:
        return [limit, most, numbers, wait, enabled, name]

    problems.install(app, Log())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")


NO_NUMBERS = ["1_0", "%2B5", "+5", "%205", "5%0A", "5%20", "%C2%A05", "%D9%A5", "0x5", "05", "5e", "--5", "five", "NaN"]
WRONG = [
    *(f"{name}={value}" for name in ("limit", "most", "numbers", "wait") for value in NO_NUMBERS),
    *(f"{name}={value}" for name in ("limit", "most", "numbers") for value in ("5.0", "5.", "1e1")),
    *(f"wait={value}" for value in ("5.", ".5", "inf", "Infinity", "1_0.5")),
    *(f"enabled={value}" for value in ("1", "0", "yes", "on", "t", "true%0A", "%20true")),
    "numbers=5&numbers=5.0",
]


@pytest.mark.parametrize("query", WRONG)
async def test_another_way_to_write_a_number_is_refused(http: httpx.AsyncClient, query: str) -> None:
    answer = await http.get(f"/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert {item["field"] for item in answer.json()["errors"]} == {query.partition("=")[0]}


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("limit=5", [5, None, None, 0, None, ""]),
        ("limit=-5&most=0", [-5, 0, None, 0, None, ""]),
        ("numbers=1&numbers=20", [50, None, [1, 20], 0, None, ""]),
        ("wait=30", [50, None, None, 30, None, ""]),
        ("wait=0.5", [50, None, None, 0.5, None, ""]),
        ("wait=1e1", [50, None, None, 10, None, ""]),
        ("enabled=true", [50, None, None, 0, True, ""]),
        ("enabled=False", [50, None, None, 0, False, ""]),
        ("name=1_0", [50, None, None, 0, None, "1_0"]),
    ],
)
async def test_numbers_and_booleans(http: httpx.AsyncClient, query: str, right: list[Any]) -> None:
    assert (await http.get(f"/?{query}")).json() == right


async def test_what_is_wrong_with_parameters_is_told_in_korean_too(http: httpx.AsyncClient) -> None:
    answer = await http.get("/?limit=5.0&colour=red&enabled=", headers={"Accept-Language": "ko"})
    told = {each["field"]: each["message"] for each in answer.json()["errors"]}
    assert told.keys() == {"limit", "colour", "enabled"}
    assert told["limit"] == "50처럼 숫자로 쓴 정수여야 합니다."
    assert told["colour"].startswith("이 경로에 없는 매개변수입니다. 빼십시오. 사용할 수 있는 매개변수: limit,")
