"""Where documents and uploads lie, on the hub's URL."""

DOCUMENT_PATH = "/api/documents/"
UPLOAD_PATH = "/api/uploads/"
DOWNLOAD_PATH = "/api/downloads/"
