"""What a client's key opens, and what it is told elsewhere."""

from typing import Any

import httpx
import pytest

from tests.support import plain_http
from tests.support.site import Site


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


OPERATORS = [
    ("GET", "/api/commands", None),
    ("POST", "/api/commands", {"client_id": "x", "action": "status"}),
    ("GET", "/api/clients", None),
    ("POST", "/api/clients", {"id": "mine"}),
    ("POST", "/api/documents", {}),
    ("GET", "/metrics", None),
    ("GET", "/api/dead-letters", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OPERATORS, ids=lambda value: str(value))
def test_a_client_s_key_on_another_s_route_is_told_what_it_may_do(
    site: Site, method: str, path: str, body: Any
) -> None:
    client = site.client()
    shown = [{"Authorization": f"Bearer {client['secret']}"}, {"X-API-Key": client["secret"]}]
    answers = [plain_http.request(method, f"{site.url}{path}", json=body, headers=headers) for headers in shown]
    answers.append(plain_http.request(method, f"{site.url}{path}", json=body, auth=(client["id"], client["secret"])))
    for answer in answers:
        assert told(answer) == (403, "client_may_not")
        assert f"/api/events/{client['id']}" in answer.json()["detail"]
    for auth in ((client["id"], "wrong"), ("nobody", client["secret"])):
        assert told(plain_http.request(method, f"{site.url}{path}", json=body, auth=auth)) == (401, "unauthorized")
    site.http.post(f"/api/clients/{client['id']}/disable")
    disabled = plain_http.request(method, f"{site.url}{path}", json=body, headers=shown[0])
    assert told(disabled) == (403, "client_disabled")
