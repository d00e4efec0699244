-- fragment: command_columns
-- Of `commands c`, as `store.commands.StoredCommand` has them.
id, client_id, batch_id, action, lane, payload, priority, status, version, attempt, max_retries, back_off, not_before,
expires_at, timeout_s, on_interrupt, order_key, when_offline, reference, tags, estimated_duration_s, created_at,
queued_at, sent_at, accepted_at, started_at, held_reasons, finished_at, cancel_requested_at, progress, result, error,
unknown_reason, dead_letter_reason, dead_letter_closed_at, dead_letter_closed_by, replay_of,
CASE WHEN dead_letter_closed_by = 'replayed' THEN (
    SELECT r.id FROM commands r WHERE r.replay_of = c.id AND r.replay_of IS NOT NULL
) END AS replayed_by

-- name: find
SELECT {command_columns}
FROM commands c
WHERE id = ANY (%(ids)s);

-- name: logs
SELECT version, at, event, status, attempt, detail
FROM command_logs
WHERE command_id = %(id)s
ORDER BY version;

-- name: page
-- Newest first; each filter that is NULL lets everything through. `attempt >= 1` is true of every command and opens
-- the index that is for lists only.
SELECT {command_columns}
FROM commands c
WHERE attempt >= 1
    AND (%(before)s::uuid IS NULL OR id < %(before)s)
    AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
    AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s))
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(reference)s::text IS NULL OR reference = %(reference)s)
    AND (%(tag)s::text IS NULL OR tags @> ARRAY[%(tag)s::text])
    AND (%(created_after)s::timestamptz IS NULL OR created_at >= %(created_after)s)
    AND (%(created_before)s::timestamptz IS NULL OR created_at < %(created_before)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: unfinished
-- For the metrics; every part reads a small index.
SELECT 'pending' AS status, count(*) AS number FROM commands WHERE status = 'pending' AND NOT scheduled
UNION ALL
SELECT status, count(*) FROM commands WHERE status IN ('queued', 'running') GROUP BY status;

-- name: ended
-- Which of these commands have ended: for callers that wait, when another process applied the report.
SELECT id FROM commands WHERE id = ANY (%(ids)s) AND finished_at IS NOT NULL;
