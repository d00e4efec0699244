-- What is written of a batch alone is built with SQLModel. These are about its commands: they hold and release thousands in
-- one order, or count them by small indexes, next to the hot path; and by its commands is decided who sees a batch.

-- fragment: seen
-- Whether a caller sees batch `b`: its maker, and who may read every command of it. The sub-query stays one, whatever the
-- planner knows, since it ends at the first command that he may not read.
(
    NOT %(limited)s
    OR b.created_by = %(scope_owner)s
    OR (
        EXISTS (SELECT FROM commands c WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL)
        AND (
            SELECT c.id
            FROM commands c
            LEFT JOIN floorhub_reach(%(scope_principal)s, %(scope_key)s, %(scope_sees)s) r ON r.client_id = c.client_id
            WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL AND (r.client_id IS NULL OR c.action <> ALL (r.actions))
            LIMIT 1
        ) IS NULL
    )
)

-- fragment: readable
-- Whether a caller may read command `c`; its maker may have lost what it was granted when it made the batch.
(
    NOT %(limited)s
    OR c.client_id IN (
        SELECT r.client_id FROM floorhub_reach(%(scope_principal)s, %(scope_key)s, %(scope_sees)s) r WHERE r.actions IS NULL
    )
    OR (c.client_id, c.action) IN (
        SELECT r.client_id, a.name
        FROM floorhub_reach(%(scope_principal)s, %(scope_key)s, %(scope_sees)s) r CROSS JOIN LATERAL unnest(r.actions) AS a (name)
    )
)

-- fragment: batch_columns
b.id, b.status, b.target, b.action, b.total, b.accepted, b.rejected, b.max_failures, b.per_minute, b.stop_reason,
b.created_at, b.created_by, b.paused_at, b.finished_at

-- name: find
SELECT {batch_columns} FROM batches b WHERE b.id = %(id)s AND {seen};

-- name: page
-- Newest first; a filter that is NULL lets everything through.
SELECT {batch_columns}
FROM batches b
WHERE (%(before)s::uuid IS NULL OR b.id < %(before)s)
    AND (%(statuses)s::text[] IS NULL OR b.status = ANY (%(statuses)s))
    AND {seen}
ORDER BY b.id DESC
LIMIT %(limit)s;

-- name: reaches_any
-- Whether there is one among these clients that a caller may send the action beside it.
SELECT EXISTS (
    SELECT FROM unnest(%(client_ids)s::text[], %(actions)s::text[]) AS one (client_id, action)
    JOIN floorhub_reach(%(scope_principal)s, %(scope_key)s, 'command') r ON r.client_id = one.client_id
    WHERE r.actions IS NULL OR one.action = ANY (r.actions)
) AS found;

-- name: beyond
-- A command of a batch that has not ended, and that a caller may not command.
SELECT c.client_id, c.action
FROM commands c
LEFT JOIN floorhub_reach(%(scope_principal)s, %(scope_key)s, 'command') r ON r.client_id = c.client_id
WHERE %(limited)s
    AND c.batch_id = %(id)s AND c.batch_id IS NOT NULL AND c.status IN ('pending', 'queued', 'running')
    AND (r.client_id IS NULL OR c.action <> ALL (r.actions))
ORDER BY c.id
LIMIT 1;

-- fragment: blocked_by
-- What stands in the way of an unfinished command `c` of a client with session `s`: it is away (offline), or gives no sign
-- (unresponsive).
CASE
    WHEN c.status NOT IN ('pending', 'queued', 'running') THEN NULL
    WHEN s.presence = 'offline' THEN 'offline'
    WHEN s.presence = 'unknown' THEN 'unresponsive'
    WHEN c.status = 'queued' AND c.accepted_at IS NULL AND c.sends > 1 THEN 'unresponsive'
END AS blocked_by

-- name: hold
-- Keep all that has not ended from being handed out (again): pending commands leave the index that dispatch reads;
-- what was handed out stays where it is, but would wait here if its agent gives it back for another attempt.
WITH open AS MATERIALIZED (
    SELECT id FROM commands
    WHERE batch_id = %(id)s AND batch_id IS NOT NULL AND status IN ('pending', 'queued', 'running')
        AND (NOT on_hold OR withheld_at IS NOT NULL)
    ORDER BY id
    FOR UPDATE
)
UPDATE commands c SET on_hold = true, scheduled = true FROM open WHERE c.id = open.id;

-- name: release
-- The opposite of hold; what is withheld for another reason stays held. With `shift`, the commands whose time had not come when the batch was paused keep their
-- distance: they begin, and expire, later by the length of the pause.
WITH open AS MATERIALIZED (
    SELECT
        id,
        CASE
            WHEN %(shift)s AND status = 'pending' AND attempt = 1 AND not_before > %(paused_at)s
                THEN floorhub_now() - %(paused_at)s::timestamptz
            ELSE interval '0'
        END AS by
    FROM commands
    WHERE batch_id = %(id)s AND batch_id IS NOT NULL AND status IN ('pending', 'queued', 'running') AND on_hold
    ORDER BY id
    FOR UPDATE
)
UPDATE commands c
SET
    on_hold = c.withheld_at IS NOT NULL,
    not_before = c.not_before + open.by,
    expires_at = c.expires_at + open.by,
    deadline_at = c.deadline_at + open.by,
    scheduled = c.withheld_at IS NOT NULL
        OR (c.status = 'pending' AND coalesce(c.not_before + open.by > floorhub_now(), false))
FROM open
WHERE c.id = open.id
RETURNING c.client_id, c.scheduled;

-- name: to_cancel
-- What of a batch nobody has asked to cancel yet.
SELECT id FROM commands
WHERE batch_id = %(id)s AND batch_id IS NOT NULL AND status IN ('pending', 'queued', 'running')
    AND cancel_requested_at IS NULL
ORDER BY id
LIMIT %(most)s;

-- name: look
-- Batches that have not finished: whether something of one is open, or to be cancelled, and whether more has failed
-- than may. Reads small indexes only, and no more of them than it must, since it runs all the time.
SELECT
    b.id, b.status, b.max_failures,
    EXISTS (
        SELECT FROM commands c
        WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL AND c.status IN ('pending', 'queued', 'running')
    ) AS open,
    b.status = 'cancelled' AND EXISTS (
        SELECT FROM commands c
        WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL AND c.status IN ('pending', 'queued', 'running')
            AND c.cancel_requested_at IS NULL
    ) AS to_cancel,
    CASE WHEN b.max_failures IS NOT NULL THEN (
        SELECT count(*) FROM (
            SELECT FROM commands c
            WHERE c.batch_id = b.id AND c.batch_id IS NOT NULL AND c.status IN ('failed', 'unknown')
            LIMIT b.max_failures + 1
        ) bad
    ) ELSE 0 END AS failed
FROM batches b
WHERE b.finished_at IS NULL AND (%(after)s::uuid IS NULL OR b.id > %(after)s)
ORDER BY b.id
LIMIT %(most)s;

-- name: finish
-- running, paused -> finished; a cancelled one stays so. A batch gets no new commands and what has ended does not begin
-- again, so what had nothing open when it was looked at has nothing open now.
UPDATE batches
SET status = CASE WHEN status = 'cancelled' THEN status ELSE 'finished' END, finished_at = floorhub_now()
WHERE id = ANY (%(ids)s) AND finished_at IS NULL;

-- name: progress
-- How many commands of a batch are where, and what stands in their way: `code` for rejected ones, `blocked_by` for the
-- unfinished.
SELECT status, code, blocked_by, count(*) AS number
FROM (
    SELECT
        c.status,
        CASE WHEN c.status = 'rejected' THEN c.error ->> 'code' END AS code,
        {blocked_by}
    FROM commands c
    JOIN client_sessions s ON s.client_id = c.client_id
    WHERE c.batch_id = %(id)s AND {readable}
) one
GROUP BY status, code, blocked_by;

-- name: rows
-- A page of a batch's commands in the order of its request; filters that are NULL let everything through.
SELECT *
FROM (
    SELECT
        c.id AS command_id, c.client_id, c.action, c.status, c.attempt, c.not_before, c.queued_at, c.accepted_at,
        c.started_at, c.finished_at, coalesce(c.error ->> 'code', c.unknown_reason) AS code,
        c.cancel_requested_at IS NOT NULL AS cancel_requested, s.presence,
        {blocked_by}
    FROM commands c
    JOIN client_sessions s ON s.client_id = c.client_id
    WHERE c.batch_id = %(id)s
        AND (%(after)s::uuid IS NULL OR c.id > %(after)s)
        AND (%(statuses)s::text[] IS NULL OR c.status = ANY (%(statuses)s))
        AND {readable}
) one
WHERE %(blocked_by)s::text IS NULL OR blocked_by = %(blocked_by)s
ORDER BY command_id
LIMIT %(limit)s;
