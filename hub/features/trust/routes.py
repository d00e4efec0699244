"""The page and the certificate, for everybody: what they show is no secret, and whoever needs it has no key yet."""

from typing import Annotated

from fastapi import Request, Response

from hub.api.description import Routes
from hub.api.lookup import part
from hub.api.problems import prefers_korean
from hub.core.access.routes import public
from hub.features.trust import rules
from hub.features.trust.service import Trust

router = Routes("operation")
TrustDep = Annotated[Trust, part(Trust)]


@router.get("/trust", include_in_schema=False, dependencies=[public()])
async def get_trust_page(request: Request, trust: TrustDep) -> Response:
    """How to make a machine or a browser trust this hub."""
    korean = prefers_korean(",".join(request.headers.getlist("accept-language")))
    authority = trust.authority
    known = None if authority is None else rules.Shown(authority.fingerprint, authority.sha256, trust.public_url)
    headers = {**rules.HEADERS, "Content-Language": "ko" if korean else "en", "Vary": "Accept-Language"}
    return Response(rules.page(known, korean=korean), headers=headers, media_type="text/html")


# The two files belong to the page: programs that are generated from the description have no use for them.
@router.get("/trust/authority.crt", include_in_schema=False, dependencies=[public()])
async def get_authority_certificate(trust: TrustDep) -> Response:
    """The certificate (DER), as Android, iOS and Windows install it."""
    return _file(trust.required().der, rules.BINARY, "crt")


@router.get("/trust/authority.pem", include_in_schema=False, dependencies=[public()])
async def get_authority_text(trust: TrustDep) -> Response:
    """The certificates (PEM), as Linux and agents (`ca_file`) read them."""
    return _file(trust.required().pem.encode(), rules.TEXT, "pem")


def _file(content: bytes, media_type: str, ending: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="floorhub-authority.{ending}"',
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type=media_type)
