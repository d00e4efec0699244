-- These read `commands` by the small indexes of open dead letters, and one filter serves list, count and summary: that is
-- said in SQL, as all that is about commands.

-- Each comes in two: for who may see everything, and `within` what a caller may read, from its clients to their own.

-- fragment: reached
-- The clients and actions of which a caller may read `commands c`, or do what he wants.
floorhub_reach(%(scope_principal)s, %(scope_key)s, %(want)s) r
JOIN commands c ON c.client_id = r.client_id AND (r.actions IS NULL OR c.action = ANY (r.actions))

-- fragment: open_that_fit
c.dead_letter_reason IS NOT NULL AND c.dead_letter_closed_at IS NULL
    AND (%(client_id)s::text IS NULL OR c.client_id = %(client_id)s)
    AND (%(action)s::text IS NULL OR c.action = %(action)s)
    AND (%(reason)s::text IS NULL OR c.dead_letter_reason = %(reason)s)
    AND (%(reference)s::text IS NULL OR c.reference = %(reference)s)
    AND (%(created_after)s::timestamptz IS NULL OR c.created_at >= %(created_after)s)
    AND (%(created_before)s::timestamptz IS NULL OR c.created_at < %(created_before)s)

-- fragment: dead_letter_columns
-- `blocks`: younger commands of its order key wait for it. A batch is named as lists of commands name it.
c.id, c.client_id, c.action, c.lane, c.status, c.attempt, c.priority, c.dead_letter_reason AS reason, c.error,
c.unknown_reason, c.reference, c.order_key, c.tags, c.replay_of, c.created_at, c.expires_at, c.finished_at,
CASE
    WHEN NOT %(limited)s OR EXISTS (SELECT FROM batches b WHERE b.id = c.batch_id AND b.created_by = %(scope_principal)s)
    THEN c.batch_id
END AS batch_id,
c.order_key IS NOT NULL AND EXISTS (
    SELECT FROM commands w
    WHERE w.client_id = c.client_id AND w.order_key = c.order_key AND w.status = 'pending'
        AND coalesce(w.order_place, w.id) > coalesce(c.order_place, c.id)
) AS blocks

-- fragment: newest_first
WHERE {open_that_fit}
    AND (%(before)s::uuid IS NULL OR c.id < %(before)s)
ORDER BY c.id DESC
LIMIT %(limit)s

-- fragment: after
WHERE {open_that_fit}
    AND (%(after)s::uuid IS NULL OR c.id > %(after)s)

-- fragment: counted
CASE grouping(c.client_id, c.action, c.dead_letter_reason)
    WHEN 3 THEN 'client' WHEN 5 THEN 'action' WHEN 6 THEN 'reason' ELSE 'total'
END AS kind,
coalesce(c.client_id, c.action, c.dead_letter_reason) AS name,
count(*) AS number,
min(c.finished_at) AS oldest

-- fragment: by_kind
WHERE {open_that_fit}
GROUP BY GROUPING SETS ((), (c.client_id), (c.action), (c.dead_letter_reason))

-- name: page
-- Newest first.
SELECT {dead_letter_columns} FROM commands c {newest_first};

-- name: page_within
SELECT {dead_letter_columns} FROM {reached} {newest_first};

-- name: matching
-- The same by their ids alone, oldest first: those go first when a quota ends.
SELECT c.id FROM commands c {after} ORDER BY c.id LIMIT %(limit)s;

-- name: matching_within
SELECT c.id FROM {reached} {after} ORDER BY c.id LIMIT %(limit)s;

-- name: number
-- How many there are.
SELECT count(*) AS number FROM commands c {after};

-- name: number_within
SELECT count(*) AS number FROM {reached} {after};

-- name: summary
-- How many by client, by action and by cause, and in all (`kind` total), read once; of each kind the largest `most`
-- and the number of all (`groups`).
WITH counted AS (SELECT {counted} FROM commands c {by_kind}) {largest};

-- name: summary_within
WITH counted AS (SELECT {counted} FROM {reached} {by_kind}) {largest};

-- fragment: largest
, placed AS (
    SELECT
        counted.*,
        row_number() OVER (PARTITION BY kind ORDER BY number DESC, name) AS place,
        count(*) OVER (PARTITION BY kind) AS groups
    FROM counted
)
SELECT kind, name, number, oldest, groups FROM placed WHERE place <= %(most)s ORDER BY kind, place

-- name: originals
-- What a replay takes over from commands that are locked.
SELECT
    id, client_id, action, lane, payload, document_ids, priority, attempt, max_retries, back_off, not_before, expires_at,
    timeout_s, on_interrupt, order_key, when_offline, reference, tags, estimated_duration_s, created_at, order_place
FROM commands
WHERE id = ANY (%(ids)s);

-- name: replays
-- The replays of these commands.
SELECT replay_of, id FROM commands WHERE replay_of = ANY (%(ids)s) AND replay_of IS NOT NULL;

-- name: number_open
-- For the metrics; counts a small index.
SELECT count(*) AS number FROM commands WHERE dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL;
