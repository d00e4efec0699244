"""Pairing: codes and enrolment tokens for people, and what machines ask with them."""

import io
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import segno
from fastapi import Path, Query, Request, Response
from starlette.responses import RedirectResponse

from hub.api.answers import json_answer, page_answer, row_answer, shown
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.pages import Cursor, Limit, Page, from_cursor, to_cursor
from hub.api.problems import fails, fails_only
from hub.core.access.routes import MayPair, public, public_unless_signed_in, require_confirmed
from hub.core.access.rules import Permission
from hub.core.clients.service.addresses import PublicAddresses
from hub.core.clients.service.certificates import MachineCertificates
from hub.core.clients.service.claims import Claims, Waiting
from hub.core.clients.service.enrolments import Enrolments
from hub.core.clients.service.pairings import Pairings
from hub.core.clients.shapes.claims import (
    ClaimInput,
    ConnectedOutput,
    HubOutput,
    ShownInput,
    ShownOutput,
    WaitingOutput,
)
from hub.core.clients.shapes.enrolments import EnrolmentInput, EnrolmentOutput, EnrolmentPage, NewEnrolmentOutput
from hub.core.clients.shapes.pairing import NewPairingOutput, NumberInput, PairingInput, PairingOutput, PairingPage
from hub.core.clients.store.pairing import Enrolment
from hub.core.presence.service.presence import PresenceService
from hub.keys import SigningKeys
from schemas.pairing import link, link_number, spell_code

router = Routes("pairing", "Connect machines: one-time codes, tokens for many machines, and what machines send.")
Anyone = Annotated[None, public()]
AnyoneWhoMay = Annotated[None, public_unless_signed_in(Permission.PAIR)]
AddressesDep = Annotated[PublicAddresses, part(PublicAddresses)]
CertificatesDep = Annotated[MachineCertificates, part(MachineCertificates)]
ClaimsDep = Annotated[Claims, part(Claims)]
EnrolmentsDep = Annotated[Enrolments, part(Enrolments)]
KeysDep = Annotated[SigningKeys, part(SigningKeys)]
PairingsDep = Annotated[Pairings, part(Pairings)]
PairingIdInPath = Annotated[UUID, Path(description="Id of a code.")]
EnrolmentIdInPath = Annotated[UUID, Path(description="Id of an enrolment token.")]
_ALWAYS = {"Cache-Control": "no-store"}
PAGE = "/pair"
"""The page that a link opens."""


# --- for people ----------------------------------------------------------------------------------------------


@router.post(
    "/api/pairings",
    status_code=201,
    response_model=NewPairingOutput,
    summary="Create a code that connects a machine",
    response_description="The code, which is shown only once.",
    description="The code is valid for 10 minutes and for one machine. It works as long as whoever made it may connect "
    "machines. A caller who is limited to some clients can only make codes for clients where his grants reach.",
    responses=fails(404, 409, body=True),
)
async def create_pairing(
    body: PairingInput, request: Request, pairings: PairingsDep, addresses: AddressesDep, caller: MayPair
) -> Response:
    """Make a code."""
    if body.replace:  # as dangerous as a new secret
        require_confirmed(caller)
    hub_url = addresses.hub_url(_asked(request))
    addresses.mqtt_url(_asked(request))
    authority = await addresses.fingerprint()
    made = await pairings.create(caller, body.to_request())
    its_link = link(hub_url, made.pairing.client_id, made.token, authority)
    said = {
        **shown(PairingOutput, made.pairing),
        "code": spell_code(made.code),
        "token": made.token,
        "link": its_link,
        "link_number": link_number(made.token),
        "hub_url": hub_url,
        "fingerprint": authority,
        "qr": _svg(its_link),
    }
    return json_answer(said, 201, _ALWAYS)


@router.get("/api/pairings", response_model=PairingPage, summary="List codes", responses=fails())
async def list_pairings(
    pairings: PairingsDep,
    caller: MayPair,
    only_open: Annotated[bool, Query(alias="open", description="Only those that a machine can use now.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """A page of codes, newest first."""
    found = await pairings.page(caller, only_open=only_open, after=from_cursor(cursor), limit=limit)
    return page_answer(PairingOutput, found)


@router.get("/api/pairings/{pairing_id}", response_model=PairingOutput, summary="One code", responses=fails(404))
async def get_pairing(pairing_id: PairingIdInPath, pairings: PairingsDep, caller: MayPair) -> Response:
    """A code, and how far its machine is."""
    return row_answer(PairingOutput, await pairings.get(caller, pairing_id))


@router.post(
    "/api/pairings/{pairing_id}/confirm",
    response_model=PairingOutput,
    summary="Confirm the number of a machine",
    description="For a machine that could not tell whether it speaks to this hub: it shows six digits. If they are "
    "those of the code, nobody stands between, and the machine gets its secret.",
    responses=fails(404, 409, body=True),
)
async def confirm_pairing(
    pairing_id: PairingIdInPath, body: NumberInput, pairings: PairingsDep, caller: MayPair
) -> Response:
    """Confirm a machine."""
    return row_answer(PairingOutput, await pairings.confirm(caller, pairing_id, body.number))


@router.delete(
    "/api/pairings/{pairing_id}",
    response_model=PairingOutput,
    summary="Revoke a code",
    description="No machine can use it any more; one that is waiting is refused.",
    responses=fails(404, 409),
)
async def revoke_pairing(pairing_id: PairingIdInPath, pairings: PairingsDep, caller: MayPair) -> Response:
    """Revoke a code."""
    return row_answer(PairingOutput, await pairings.revoke(caller, pairing_id))


@router.post(
    "/api/enrolments",
    status_code=201,
    response_model=NewEnrolmentOutput,
    summary="Create a token that connects many machines",
    response_description="The token, which is shown only once.",
    description="For unattended set-up: each machine that shows it becomes a new client, until `count` or the expiry.",
    responses=fails(409, body=True),
)
async def create_enrolment(
    body: EnrolmentInput,
    request: Request,
    enrolments: EnrolmentsDep,
    addresses: AddressesDep,
    keys: KeysDep,
    caller: MayPair,
) -> Response:
    """Make a token."""
    addresses.mqtt_url(_asked(request))
    authority, fingerprint = await addresses.authority(), await addresses.fingerprint()
    made = await enrolments.create(caller, body.to_request())
    said = {
        **_enrolment(made.enrolment),
        "token": made.token,
        "hub_url": addresses.hub_url(_asked(request)),
        "root_key": keys.root_public_key,
        "ca": authority,
        "fingerprint": fingerprint,
    }
    return json_answer(said, 201, _ALWAYS)


@router.get("/api/enrolments", response_model=EnrolmentPage, summary="List enrolment tokens", responses=fails())
async def list_enrolments(
    enrolments: EnrolmentsDep, caller: MayPair, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """A page of tokens, newest first."""
    found: Page[Enrolment, UUID] = await enrolments.page(caller, after=from_cursor(cursor), limit=limit)
    items = [_enrolment(each) for each in found.rows]
    return json_answer({"items": items, "next_cursor": to_cursor(found.following)})


@router.get(
    "/api/enrolments/{enrolment_id}",
    response_model=EnrolmentOutput,
    summary="One enrolment token",
    responses=fails(404),
)
async def get_enrolment(enrolment_id: EnrolmentIdInPath, enrolments: EnrolmentsDep, caller: MayPair) -> Response:
    """A token, and how many machines it has connected."""
    return json_answer(_enrolment(await enrolments.get(caller, enrolment_id)))


@router.delete(
    "/api/enrolments/{enrolment_id}",
    response_model=EnrolmentOutput,
    summary="Revoke an enrolment token",
    description="It connects no further machine; those that it has connected stay.",
    responses=fails(404),
)
async def revoke_enrolment(enrolment_id: EnrolmentIdInPath, enrolments: EnrolmentsDep, caller: MayPair) -> Response:
    """Revoke a token."""
    return json_answer(_enrolment(await enrolments.revoke(caller, enrolment_id)))


# --- for machines --------------------------------------------------------------------------------------------


@router.get(
    "/api/pair",
    status_code=303,
    response_class=Response,
    summary="The page that shows what a link is for",
    response_description="The page. Opening a link changes nothing.",
    responses=fails_only(422, 503),
)
async def open_page(
    _anyone: Anyone,
    screen_id: Annotated[
        str | None, Query(alias="screenId", max_length=63, description="The client, for the page to name.")
    ] = None,
    token: Annotated[str | None, Query(max_length=100, description="The token, better sent behind `#`.")] = None,
    code: Annotated[str | None, Query(max_length=40, description="The code, better sent behind `#`.")] = None,
) -> Response:
    """Go to the page. A secret goes behind `#`, where no further server sees it."""
    query = urlencode({"screenId": screen_id.lower()}) if screen_id else ""
    secret = urlencode({name: value for name, value in (("token", token), ("code", code)) if value})
    # Without a part behind `#` of its own, the browser keeps that of the link.
    place = f"{PAGE}{'?' if query else ''}{query}{'#' if secret else ''}{secret}"
    return RedirectResponse(place, 303, {**_ALWAYS, "Referrer-Policy": "no-referrer"})


@router.get(
    "/api/pair/hub",
    response_model=HubOutput,
    summary="What a machine needs to know before it shows a code",
    responses=fails_only(422, 503),
)
async def describe_hub(
    request: Request,
    addresses: AddressesDep,
    keys: KeysDep,
    presence: Annotated[PresenceService, part(PresenceService)],
    _anyone: Anyone,
) -> Response:
    """The hub's public key, authority, address and time."""
    said = {
        "root_key": keys.root_public_key,
        "ca": await addresses.authority(),
        "fingerprint": await addresses.fingerprint(),
        "hub_url": addresses.hub_url(_asked(request)),
        "mqtt_url": addresses.public_mqtt_url or None,
        "time": await presence.now(),
    }
    return json_answer(said, headers=_ALWAYS)


@router.post(
    "/api/pair/look",
    response_model=ShownOutput,
    summary="What a code is for",
    description="Changes nothing, and does not use the code up.",
    responses=fails_only(400, 404, 409, 413, 415, 422, 429, 503),
)
async def look_at_code(body: ShownInput, request: Request, claims: ClaimsDep, _anyone: Anyone) -> Response:
    """What a machine with this code becomes."""
    return row_answer(ShownOutput, await claims.look(*body.shown, _address(request)), headers=_ALWAYS)


@router.post(
    "/api/pair",
    response_model=None,
    summary="Become a client",
    description="A machine shows a code, the token of a link or an enrolment token, and signs with a key of its own. "
    "If its answer is lost it sends another request with the same key, and gets a new secret. Pages of other sites are "
    "refused, and whoever is signed in with this browser and lacks the permission `pair`.",
    responses={
        200: {"model": ConnectedOutput, "description": "The client that the machine is now, with its secret."},
        202: {"model": WaitingOutput, "description": "A person has to compare numbers first."},
        **fails_only(400, 403, 404, 409, 413, 415, 422, 429, 503),
    },
)
async def claim_code(
    body: ClaimInput,
    request: Request,
    claims: ClaimsDep,
    addresses: AddressesDep,
    certificates: CertificatesDep,
    keys: KeysDep,
    _anyone: AnyoneWhoMay,
) -> Response:
    """Connect a machine."""
    asked = _asked(request)
    said: dict[str, Any] = {
        "root_key": keys.root_public_key,
        "ca": await addresses.authority(),
        "hub_url": addresses.hub_url(asked),
        "mqtt_url": addresses.mqtt_url(asked),
    }
    answer = await claims.claim(body.to_request(_address(request)))
    if isinstance(answer, Waiting):
        waiting = {
            "status": "confirm",
            "nonce": answer.nonce,
            "number": answer.number,
            "expires_at": answer.expires_at,
        }
        return json_answer(waiting, 202, _ALWAYS)
    made = await certificates.of(answer.client_id)
    said |= {"certificate": made.pem, "certificate_expires_at": made.expires_at}
    names = ("client_id", "name", "kind", "zone", "groups", "secret", "broker_ready")
    return json_answer({name: getattr(answer, name) for name in names} | said, headers=_ALWAYS)


def _asked(request: Request) -> str:
    """The address by which a request came; its host was judged before."""
    return f"{request.url.scheme}://{request.url.netloc}"


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None


def _enrolment(row: Enrolment) -> dict[str, Any]:
    names = [name for name in EnrolmentOutput.model_fields if name != "count"]
    return {name: getattr(row, name) for name in names} | {"count": row.most}


def _svg(text: str) -> str:
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="svg", xmldecl=False, svgns=True, scale=4)
    return picture.getvalue().decode().strip()
