-- What a caller may not see is not there. `limited` is false for who may see everything; then the rule is not asked.

-- fragment: command_columns
-- Of `commands c`, as `store.commands.StoredCommand` has them. A batch is named to who may see everything, and to its maker.
id, client_id,
CASE
    WHEN NOT %(limited)s OR EXISTS (SELECT FROM batches b WHERE b.id = c.batch_id AND b.created_by = %(scope_principal)s)
    THEN batch_id
END AS batch_id,
{further_columns}

-- fragment: further_columns
action, lane, payload, priority, status, version, attempt, max_retries, back_off, not_before,
expires_at, timeout_s, on_interrupt, order_key, when_offline, reference, tags, estimated_duration_s, created_at,
queued_at, sent_at, accepted_at, started_at, held_reasons, finished_at, cancel_requested_at, progress, result, error,
unknown_reason, dead_letter_reason, dead_letter_closed_at, dead_letter_closed_by, replay_of,
CASE WHEN dead_letter_closed_by = 'replayed' THEN (
    SELECT r.id FROM commands r WHERE r.replay_of = c.id AND r.replay_of IS NOT NULL
) END AS replayed_by

-- name: find_any
-- For who may see everything, as most do who wait for a command.
SELECT id, client_id, batch_id, {further_columns}
FROM commands c
WHERE id = ANY (%(ids)s);

-- name: find
SELECT {command_columns}
FROM commands c
WHERE id = ANY (%(ids)s)
    AND (
        NOT %(limited)s
        OR floorhub_allows(%(scope_principal)s, %(scope_key)s, %(want)s, c.client_id, c.action)
        OR floorhub_allows(%(scope_principal)s, %(scope_key)s, 'read', c.client_id, c.action)
    );

-- name: reached
-- Of these commands those that a caller may `want` something of, or at least read; and which of both.
SELECT
    c.id, c.client_id, c.action,
    floorhub_allows(%(scope_principal)s, %(scope_key)s, %(want)s, c.client_id, c.action) AS allowed
FROM commands c
WHERE c.id = ANY (%(ids)s)
    AND (
        floorhub_allows(%(scope_principal)s, %(scope_key)s, %(want)s, c.client_id, c.action)
        OR floorhub_allows(%(scope_principal)s, %(scope_key)s, 'read', c.client_id, c.action)
    );

-- name: logs
SELECT version, at, event, status, attempt, detail
FROM command_logs
WHERE command_id = %(id)s
ORDER BY version;

-- fragment: fits
-- Each filter that is NULL lets everything through. `attempt >= 1` is true of every command and opens the index that is
-- for lists only.
c.attempt >= 1
    AND (%(before)s::uuid IS NULL OR c.id < %(before)s)
    AND (%(client_id)s::text IS NULL OR c.client_id = %(client_id)s)
    AND (%(statuses)s::text[] IS NULL OR c.status = ANY (%(statuses)s))
    AND (%(action)s::text IS NULL OR c.action = %(action)s)
    AND (%(reference)s::text IS NULL OR c.reference = %(reference)s)
    AND (%(tag)s::text IS NULL OR c.tags @> ARRAY[%(tag)s::text])
    AND (%(created_after)s::timestamptz IS NULL OR c.created_at >= %(created_after)s)
    AND (%(created_before)s::timestamptz IS NULL OR c.created_at < %(created_before)s)

-- name: page
-- Newest first, of everybody.
SELECT {command_columns}
FROM commands c
WHERE {fits}
ORDER BY id DESC
LIMIT %(limit)s;

-- name: in_order
-- For the rest of a transaction: histories are read in the order of their index and left off early. By what it knows of
-- the average client the planner would rather read and sort all of one that has a thousand times as many commands.
-- `everything`: the caller may read all that there is, by a grant of all clients.
SELECT
    set_config('enable_sort', 'off', true),
    set_config('enable_bitmapscan', 'off', true),
    floorhub_reaches_all(%(scope_principal)s, %(scope_key)s, 'read') AS everything;

-- name: page_within
-- Newest first, of the clients and actions that a caller may read. The newest of each client comes first: of those clients
-- whose newest is among the newest `limit` comes everything that can be on the page, and no other history is read.
WITH reach AS MATERIALIZED (
    SELECT r.client_id, r.actions
    FROM floorhub_reach(%(scope_principal)s, %(scope_key)s, 'read') r
    WHERE %(client_id)s::text IS NULL OR r.client_id = %(client_id)s
),
heads AS MATERIALIZED (
    SELECT reach.client_id, reach.actions, newest.id
    FROM reach
    CROSS JOIN LATERAL (
        SELECT c.id
        FROM commands c
        WHERE c.client_id = reach.client_id AND (reach.actions IS NULL OR c.action = ANY (reach.actions)) AND {fits}
        ORDER BY c.id DESC
        LIMIT 1
    ) newest
    ORDER BY newest.id DESC
    LIMIT %(limit)s
),
chosen AS MATERIALIZED (
    SELECT own.id
    FROM heads
    CROSS JOIN LATERAL (
        SELECT c.id
        FROM commands c
        WHERE c.client_id = heads.client_id AND (heads.actions IS NULL OR c.action = ANY (heads.actions)) AND {fits}
        ORDER BY c.id DESC
        LIMIT %(limit)s
    ) own
    ORDER BY own.id DESC
    LIMIT %(limit)s
)
SELECT one.*
FROM chosen
CROSS JOIN LATERAL (
    -- OFFSET keeps it a look-up for each: the planner would rather walk the whole table in order than sort a page.
    SELECT {command_columns} FROM commands c WHERE c.id = chosen.id OFFSET 0
) one
ORDER BY chosen.id DESC;

-- name: unfinished
-- For the metrics; every part reads a small index.
SELECT 'pending' AS status, count(*) AS number FROM commands WHERE status = 'pending' AND NOT scheduled
UNION ALL
SELECT status, count(*) FROM commands WHERE status IN ('queued', 'running') GROUP BY status;

-- name: lost
-- Which of those that wait for commands may not see them any more: their key or session is over, or a grant is gone. A
-- command that is not stored yet is lost to nobody. `who` is the place among the callers, of whom many wait for several
-- commands; only of those who do not reach everything each command is asked.
WITH callers AS MATERIALIZED (
    SELECT
        w.*,
        floorhub_is_valid(w.principal_id, w.key_id, w.session_id) AS valid,
        floorhub_reaches_all(w.principal_id, w.key_id, 'command') OR floorhub_reaches_all(w.principal_id, w.key_id, 'read')
            AS reaches_all
    FROM unnest(%(principals)s::uuid[], %(keys)s::uuid[], %(sessions)s::uuid[])
        WITH ORDINALITY AS w (principal_id, key_id, session_id, place)
)
SELECT place, code
FROM (
    SELECT
        w.place,
        CASE
            WHEN NOT p.valid THEN 'unauthorized'
            WHEN c.id IS NOT NULL
                AND NOT floorhub_allows(p.principal_id, p.key_id, 'command', c.client_id, c.action)
                AND NOT floorhub_allows(p.principal_id, p.key_id, 'read', c.client_id, c.action)
                THEN 'command_not_found'
        END AS code
    FROM unnest(%(ids)s::uuid[], %(who)s::bigint[]) WITH ORDINALITY AS w (command_id, who, place)
    JOIN callers p ON p.place = w.who
    LEFT JOIN commands c ON c.id = w.command_id AND NOT p.reaches_all
) judged
WHERE code IS NOT NULL;

-- name: ended
-- Which of these commands have ended: for callers that wait, when another process applied the report.
SELECT id FROM commands WHERE id = ANY (%(ids)s) AND finished_at IS NOT NULL;
