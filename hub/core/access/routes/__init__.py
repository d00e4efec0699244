"""What routes declare; see `require`."""

from hub.core.access.routes.require import (
    ByBearer,
    ClientAuthenticator,
    ClientOrReader,
    ItsOwnId,
    MayAdminister,
    MayCommand,
    MayRead,
    MayUpload,
    ShownSecret,
    caller_of,
    client_only,
    client_or,
    public,
    require,
    shows_bearer,
)

__all__ = [
    "ByBearer",
    "ClientAuthenticator",
    "ClientOrReader",
    "ItsOwnId",
    "MayAdminister",
    "MayCommand",
    "MayRead",
    "MayUpload",
    "ShownSecret",
    "caller_of",
    "client_only",
    "client_or",
    "public",
    "require",
    "shows_bearer",
]
