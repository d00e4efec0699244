-- Clean-up judges rows of several subjects at once, takes them by their own indexes, and writes the lines of the archive in
-- the statement that deletes them.

-- name: prepare
-- A connection that nobody else uses: bounded waits, and the lock that keeps all other processes out while it lives.
SELECT
    pg_try_advisory_lock(%(key)s) AS alone,
    set_config('statement_timeout', '20s', false),
    set_config('lock_timeout', '1s', false);

-- name: look_at_commands
-- The next commands of an age, by their ids, with what decides about them. Locks nothing.
SELECT
    c.id, c.version, c.finished_at, c.dead_letter_closed_at AS closed_at, b.finished_at AS batch_finished_at,
    c.dead_letter_reason IS NOT NULL AND c.dead_letter_closed_at IS NULL AS waits,
    b.id IS NOT NULL AND b.finished_at IS NULL AS in_batch
FROM (
    SELECT id, version, finished_at, dead_letter_reason, dead_letter_closed_at, batch_id
    FROM commands
    WHERE id > %(after)s AND id < %(before)s
    ORDER BY id
    LIMIT %(most)s
) c
LEFT JOIN batches b ON b.id = c.batch_id
ORDER BY c.id;

-- name: hold_commands
-- Those of them that nobody has touched since, or touches now, with all that belongs to them.
SELECT
    c.id,
    jsonb_build_object(
        'kind', 'command', 'id', c.id, 'row', to_jsonb(c),
        'logs', (
            SELECT coalesce(jsonb_agg(to_jsonb(l) - 'command_id' ORDER BY l.version), '[]')
            FROM command_logs l WHERE l.command_id = c.id
        )
    )::text AS line
FROM unnest(%(ids)s::uuid[], %(versions)s::integer[]) AS i (id, version)
JOIN commands c ON c.id = i.id
WHERE c.version = i.version AND c.finished_at IS NOT NULL
ORDER BY c.id
FOR UPDATE OF c SKIP LOCKED;

-- name: delete_logs
DELETE FROM command_logs WHERE command_id = ANY (%(ids)s);

-- name: delete_commands
-- Their upload paths go with them.
DELETE FROM commands WHERE id = ANY (%(ids)s);

-- name: look_at_batches
SELECT
    b.id,
    coalesce(b.finished_at < %(finished_before)s, false)
        AND NOT EXISTS (SELECT FROM commands c WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL) AS done
FROM (
    SELECT id, finished_at FROM batches
    WHERE id > %(after)s AND id < %(before)s
    ORDER BY id
    LIMIT %(most)s
) b
ORDER BY b.id;

-- name: delete_batches
DELETE FROM batches b WHERE b.id = ANY (%(ids)s) AND b.finished_at IS NOT NULL
RETURNING jsonb_build_object('kind', 'batch', 'id', b.id, 'row', to_jsonb(b))::text AS line;

-- name: hold_documents
-- Not named for long. Whoever names one now has noted that before (see documents.sql, `use`), or waits here.
SELECT id, size FROM documents
WHERE used_at < %(before)s
ORDER BY used_at
LIMIT %(most)s
FOR UPDATE SKIP LOCKED;

-- name: named_documents
-- Those that a command names which has not ended, or may be replayed; and those that a schedule names.
SELECT DISTINCT named.id
FROM (
    SELECT unnest(c.document_ids) AS id FROM commands c
    WHERE c.deadline_at IS NOT NULL AND c.document_ids && %(ids)s::uuid[]
    UNION ALL
    SELECT unnest(c.document_ids) FROM commands c
    WHERE c.dead_letter_reason IS NOT NULL AND c.dead_letter_closed_at IS NULL AND c.document_ids && %(ids)s::uuid[]
    UNION ALL
    SELECT unnest(s.document_ids) FROM schedules s WHERE s.document_ids && %(ids)s::uuid[]
) named
WHERE named.id = ANY (%(ids)s);

-- name: use_documents
UPDATE documents SET used_at = floorhub_now() WHERE id = ANY (%(ids)s);

-- name: delete_documents
-- With their bytes, which are not archived.
DELETE FROM documents d WHERE d.id = ANY (%(ids)s)
RETURNING
    jsonb_build_object(
        'kind', 'document', 'id', d.id, 'row', to_jsonb(d) || jsonb_build_object('sha256', encode(d.sha256, 'hex'))
    )::text AS line;

-- name: count_documents
SELECT count(*) AS number
FROM documents d
WHERE d.used_at < %(before)s
    AND NOT EXISTS (SELECT FROM commands c WHERE c.deadline_at IS NOT NULL AND d.id = ANY (c.document_ids))
    AND NOT EXISTS (
        SELECT FROM commands c
        WHERE c.dead_letter_reason IS NOT NULL AND c.dead_letter_closed_at IS NULL AND d.id = ANY (c.document_ids)
    )
    AND NOT EXISTS (SELECT FROM schedules s WHERE d.id = ANY (s.document_ids));
