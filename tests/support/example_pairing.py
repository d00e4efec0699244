"""Sends the examples of pairing: what is secret or signed in them is made for the occasion."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx

from schemas.pairing import BY_CODE, BY_ENROLMENT, BY_STRETCHED, BY_TOKEN, commitment_of, fold_code, stretch
from tests.support import plain_http
from tests.support.pairing import Machine, code_for
from tests.support.site import Site

ABOUT = ("/api/pair", "/api/pair/look", "/api/pairings/{pairing_id}/confirm")
_SIGNED = ("public_key", "at", "proof", "commitment", "opening")


def send(site: Site, path: str, body: Mapping[str, Any]) -> httpx.Response:
    """The hub's answer to an example."""
    made = code_for(site, f"x-{uuid4().hex[:12]}")
    if path == "/api/pair/look":
        return plain_http.request("POST", f"{site.url}{path}", json={name: made[name] for name in body})
    machine = Machine(site)
    if path != "/api/pair":
        number = _wait(machine, made, {}).json()["number"]
        return site.http.post(path.replace("{pairing_id}", made["id"]), json={**body, "number": number})
    by = next(name for name in (BY_CODE, BY_TOKEN, BY_STRETCHED, BY_ENROLMENT) if name in body)
    fields = {name: value for name, value in body.items() if name not in (by, *_SIGNED)}
    if by == BY_STRETCHED:
        return _wait(machine, made, fields)
    if by == BY_ENROLMENT:
        rule = {"name": "many", "naming": f"x{uuid4().hex[:8]}-{{n}}", "count": 1}
        return machine.claim(site.http.post("/api/enrolments", json=rule).json()["token"], by=by, **fields)
    return machine.claim(made[by], by=by, **fields)


def _wait(machine: Machine, made: Mapping[str, Any], fields: Mapping[str, Any]) -> httpx.Response:
    """A machine that does not know the hub, as far as it comes without a person."""
    credential = stretch(str(fold_code(made["code"])), machine.root_key)
    opening = "A" * 43
    asked = {**fields, "commitment": commitment_of(opening)}
    machine.claim(credential, by=BY_STRETCHED, **asked)
    return machine.claim(credential, by=BY_STRETCHED, **asked, opening=opening)
