-- Each judges the command that an upload is for in the same statement, on the path of what runs.

-- name: lock_command
-- The command of this client that is under way, held so that its paths can be counted.
SELECT id FROM commands
WHERE id = %(command_id)s AND client_id = %(client_id)s AND status IN ('queued', 'running')
FOR NO KEY UPDATE;

-- name: count
SELECT count(*) AS paths FROM uploads WHERE command_id = %(command_id)s;

-- name: open
INSERT INTO uploads (token_sha256, client_id, command_id, created_at)
VALUES (%(token_sha256)s, %(client_id)s, %(command_id)s, floorhub_now());

-- name: use
-- The one use of a path, before a byte is read: by its own client, while the command is under way.
UPDATE uploads u
SET used_at = floorhub_now()
FROM commands c
WHERE u.token_sha256 = %(token_sha256)s AND u.client_id = %(client_id)s AND u.used_at IS NULL
    AND c.id = u.command_id AND c.status IN ('queued', 'running')
RETURNING u.command_id, c.created_by;

-- name: finish
-- What came of it, if the command is still under way.
UPDATE uploads u
SET document_id = %(document_id)s
FROM commands c
WHERE u.token_sha256 = %(token_sha256)s AND c.id = u.command_id AND c.status IN ('queued', 'running');
