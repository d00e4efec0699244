-- Documents are on the path of every print: their bytes come and go a chunk at a time, and a command that names one notes
-- that as it is submitted.

-- fragment: document_columns
id, sha256, size, content_type, filename, created_by, created_at

-- name: insert_chunk
INSERT INTO document_chunks (document_id, position, bytes) VALUES (%(document_id)s, %(position)s, %(bytes)s);

-- name: insert
INSERT INTO documents (id, sha256, size, content_type, filename, created_by, created_at, used_at)
VALUES (
    %(id)s, %(sha256)s, %(size)s, %(content_type)s, %(filename)s, %(created_by)s, floorhub_now(), floorhub_now()
)
RETURNING {document_columns};

-- name: find
SELECT {document_columns}
FROM documents
WHERE id = ANY (%(ids)s);

-- name: use
-- Documents that a new command is about to name, as far as its principal may read them. Clean-up goes by the time that
-- this notes, at most once an hour.
WITH readable AS MATERIALIZED (
    SELECT {document_columns}, used_at
    FROM documents
    WHERE id = ANY (%(ids)s)
        AND (NOT %(limited)s OR floorhub_reads_document(%(scope_principal)s, %(scope_key)s, true, id))
),
used AS (
    UPDATE documents SET used_at = floorhub_now()
    WHERE id IN (SELECT id FROM readable WHERE used_at < floorhub_now() - interval '1 hour')
)
SELECT {document_columns}
FROM readable;

-- name: named_by_unfinished
-- Whether an unfinished command of this client names the document. An address needs no secret, so that the client is
-- looked at here: one that was disabled or retired, perhaps because somebody took it away, reads nothing more.
SELECT EXISTS (SELECT FROM clients WHERE id = %(client_id)s AND status = 'active')
    AND EXISTS (
        SELECT FROM commands
        WHERE client_id = %(client_id)s AND status IN ('queued', 'running') AND %(id)s = ANY (document_ids)
    ) AS allowed;

-- name: is_readable
-- Whether a caller may read a document.
SELECT floorhub_reads_document(%(scope_principal)s, %(scope_key)s, %(limited)s, %(id)s) AS readable;

-- name: chunk
SELECT bytes FROM document_chunks WHERE document_id = %(document_id)s AND position = %(position)s;

-- name: delete
-- A document that was brought in for a command that was refused; its chunks go with it.
DELETE FROM documents WHERE id = %(id)s;
