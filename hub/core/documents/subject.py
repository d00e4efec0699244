"""Documents: what commands name, and what agents upload."""

from collections.abc import Callable

from hub.config import Settings
from hub.core.documents.routes import documents as document_routes
from hub.core.documents.routes import uploads as upload_routes
from hub.core.documents.service.documents import Documents, Spool
from hub.core.documents.service.downloads import Downloads
from hub.core.documents.service.folders import Folders
from hub.core.documents.service.uploads import Uploads
from hub.core.documents.telemetry import Event
from hub.database.engine import Database
from hub.disk import DiskWatch, Room
from hub.errors import UnavailableError
from hub.keys import SigningKeys
from hub.outbound.fetcher import Fetcher
from hub.parts import Parts
from hub.subject import Subject
from hub.telemetry.log import Log

MIB = 1024 * 1024
FULL_RETRY_S = 60


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs the watch over the disks. Commands and reports are taken as long as Postgres takes them: they are small."""
    database, disk = parts.get(Database), parts.get(DiskWatch)

    spool = Spool(settings.data_dir / "spool", room_required(disk))
    fetcher = Fetcher.of(settings.fetch_allow, private=settings.fetch_private)
    folders = Folders(settings.document_folders)
    documents = parts.add(Documents(database, spool, settings.max_document_mib * MIB, fetcher, folders))
    parts.add(Downloads(documents, parts.get(SigningKeys).sign_address))
    parts.add(Uploads(database, spool, settings.max_upload_mib * MIB, parts.get(Log)))
    return Subject(routers=(document_routes.router, upload_routes.router), events=(Event,))


def room_required(disk: DiskWatch) -> Callable[[], None]:
    """A check that raises UnavailableError when the disk has no room for a document."""

    def require_room() -> None:
        if disk.room is Room.FULL:
            raise UnavailableError("storage_full", retry_after_s=FULL_RETRY_S)

    return require_room
