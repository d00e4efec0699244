"""The one table from an error's code to its status and sentences; docs/reference/errors.md lists them.

Each code stands in one file of this folder, that of its subject.
"""

from collections.abc import Mapping

from hub.api.catalogue import (
    access,
    audit,
    availability,
    batches,
    browsers,
    clients,
    commands,
    documents,
    edge,
    http,
    http_clients,
    limits,
    pairing,
    people,
)
from hub.api.catalogue.entry import Entry

SUBJECTS = (
    http,
    browsers,
    edge,
    limits,
    people,
    access,
    clients,
    http_clients,
    pairing,
    commands,
    documents,
    batches,
    audit,
    availability,
)
CATALOGUE: Mapping[str, Entry] = {code: entry for subject in SUBJECTS for code, entry in subject.ENTRIES.items()}
