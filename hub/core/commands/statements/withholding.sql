-- Commands of principals who may not send them any more. Not for the hot path: dispatch knows nothing of this, since what is
-- withheld is on hold, as what a paused batch holds back.

-- name: take_changes
-- What changed since the last look, taken by whoever looks first; it comes back when his transaction fails.
DELETE FROM access_changes a
USING (SELECT id FROM access_changes ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED) t
WHERE a.id = t.id;

-- name: note_change
INSERT INTO access_changes DEFAULT VALUES;

-- name: lock_batches
-- The batches of what is withheld: none is paused, stopped or resumed while its commands are let go. Its own statement, so
-- that the next one sees what was decided meanwhile.
SELECT b.id
FROM batches b
WHERE b.id IN (
    SELECT c.batch_id FROM commands c WHERE c.deadline_at IS NOT NULL AND c.withheld_at IS NOT NULL
)
ORDER BY b.id
FOR SHARE;

-- name: withhold
-- Hold back what has not ended and may not be sent any more, and let go what may again (`withhold` false: all). Judged once
-- for each principal, client and action; unfinished commands are those with a deadline, which a small index has. What was
-- handed out stays where it is, and waits here if its agent gives it back.
WITH candidates AS MATERIALIZED (
    SELECT c.id, c.created_by, c.client_id, c.action, c.withheld_at IS NOT NULL AS marked, c.on_hold
    FROM commands c
    WHERE c.deadline_at IS NOT NULL
        AND (
            c.withheld_at IS NOT NULL
            OR c.created_by IN (
                SELECT p.id FROM principals p
                WHERE p.reach <> 'all' OR p.disabled_at IS NOT NULL OR p.role NOT IN ('admin', 'operator')
            )
        )
),
judged AS MATERIALIZED (
    SELECT
        created_by, client_id, action,
        %(withhold)s AND NOT floorhub_allows(created_by, NULL, 'command', client_id, action) AS revoked
    FROM (SELECT DISTINCT created_by, client_id, action FROM candidates) asked
),
changed AS MATERIALIZED (
    SELECT c.id, j.revoked
    FROM candidates d
    JOIN judged j USING (created_by, client_id, action)
    JOIN commands c ON c.id = d.id
    WHERE CASE WHEN j.revoked THEN NOT (d.marked AND d.on_hold) ELSE d.marked END
    ORDER BY c.id
    LIMIT %(most)s
    FOR UPDATE OF c
)
UPDATE commands c
SET
    withheld_at = CASE WHEN changed.revoked THEN coalesce(c.withheld_at, floorhub_now()) END,
    on_hold = changed.revoked OR held.by_batch,
    scheduled = changed.revoked OR held.by_batch OR coalesce(c.status = 'pending' AND c.not_before > floorhub_now(), false)
FROM changed
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM commands o JOIN batches b ON b.id = o.batch_id
        WHERE o.id = changed.id AND b.status IN ('paused', 'cancelled')
    ) AS by_batch
) held
WHERE c.id = changed.id AND c.deadline_at IS NOT NULL
RETURNING c.client_id, changed.revoked;
