"""New certificates for machines, which ask for them themselves."""

from typing import Annotated

from fastapi import Path, Response

from hub.api.answers import json_answer
from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import fails
from hub.core.access.routes import ItsOwnId
from hub.core.clients.service.certificates import MachineCertificates
from hub.core.clients.shapes.claims import CertificateOutput
from hub.errors import RejectedError

router = Routes("pairing", "Connect machines: one-time codes, tokens for many machines, and what machines send.")


@router.post(
    "/api/clients/{client_id}/certificate",
    response_model=CertificateOutput,
    summary="Get a new certificate",
    description="For the client itself, with its secret: a certificate for the key with which it was paired. A broker "
    "that asks machines for a certificate accepts it. It is valid for 30 days; the agent renews it after 10.",
    responses=fails(404, 409),
)
async def renew_certificate(
    client_id: Annotated[
        str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$", description="The client's own id, also in capitals.")
    ],
    own_id: ItsOwnId,
    certificates: Annotated[MachineCertificates, part(MachineCertificates)],
) -> Response:
    """Make a certificate."""
    if client_id.lower() != own_id:
        raise RejectedError("not_your_client")
    made = await certificates.of(own_id)
    body = {"certificate": made.pem, "expires_at": made.expires_at}
    return json_answer(body, headers={"Cache-Control": "no-store"})
