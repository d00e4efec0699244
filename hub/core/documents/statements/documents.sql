-- name: insert_chunk
INSERT INTO document_chunks (document_id, position, bytes) VALUES (%(document_id)s, %(position)s, %(bytes)s);

-- name: insert
INSERT INTO documents (id, sha256, size, content_type, filename, created_by, created_at, used_at)
VALUES (
    %(id)s, %(sha256)s, %(size)s, %(content_type)s, %(filename)s, %(created_by)s, floorhub_now(), floorhub_now()
)
RETURNING id, sha256, size, content_type, filename, created_by, created_at;

-- name: find
SELECT id, sha256, size, content_type, filename, created_by, created_at
FROM documents
WHERE id = ANY (%(ids)s);

-- name: use
-- Documents that a new command is about to name. Clean-up goes by the time that this notes, at most once an hour.
WITH used AS (
    UPDATE documents SET used_at = floorhub_now()
    WHERE id = ANY (%(ids)s) AND used_at < floorhub_now() - interval '1 hour'
)
SELECT id, sha256, size, content_type, filename, created_by, created_at
FROM documents
WHERE id = ANY (%(ids)s);

-- name: named_by_unfinished
-- Whether an unfinished command of this client names the document.
SELECT EXISTS (
    SELECT FROM commands
    WHERE client_id = %(client_id)s AND status IN ('queued', 'running') AND %(id)s = ANY (document_ids)
) AS allowed;

-- name: chunk
SELECT bytes FROM document_chunks WHERE document_id = %(document_id)s AND position = %(position)s;

-- name: delete
-- A document that was brought in for a command that was refused; its chunks go with it.
DELETE FROM documents WHERE id = %(id)s;
