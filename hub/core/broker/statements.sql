-- The outbox is worked off in order, by whoever locks it; clean-up takes what is done by the hundred.

-- name: delete_changes
-- Those that are done; their secrets are gone. Numbered as they come, too.
WITH old AS MATERIALIZED (
    SELECT ctid FROM broker_outbox
    WHERE done_at < %(before)s
    ORDER BY id
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM broker_outbox b USING old WHERE b.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'broker_change', 'id', b.id, 'row', to_jsonb(b) - 'sealed_secret')::text AS line;

-- name: count_changes
SELECT count(*) AS number FROM broker_outbox WHERE done_at < %(before)s;

-- name: open_changes
SELECT id, client_id, change, sealed_secret
FROM broker_outbox
WHERE done_at IS NULL
ORDER BY id
LIMIT %(most)s
-- Waits for another worker: changes of one client must not overtake each other.
FOR UPDATE;

-- name: finish_changes
UPDATE broker_outbox
SET done_at = floorhub_now(), error = %(error)s, sealed_secret = NULL
WHERE id = ANY (%(ids)s) AND done_at IS NULL;

-- name: sealed_open
-- Secrets that wait for the broker, to be sealed by another key.
SELECT id, sealed_secret FROM broker_outbox WHERE done_at IS NULL AND sealed_secret IS NOT NULL ORDER BY id FOR UPDATE;

-- name: seal_again
UPDATE broker_outbox SET sealed_secret = %(sealed_secret)s WHERE id = %(id)s;

-- name: number_open
-- For the metrics; counts a small index.
SELECT count(*) AS number FROM broker_outbox WHERE done_at IS NULL;
