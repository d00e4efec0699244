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

-- name: take_turn
-- Whether the broker may be told something until the transaction ends: not while `hold_outbox` of clients holds it, which
-- restarts the broker with what the database has at that moment.
SELECT pg_try_advisory_xact_lock_shared(hashtext('floorhub/broker')) AS taken;

-- name: take_import_turn
-- The same for what was imported, for one worker of all hubs, and only if there is something.
SELECT CASE
    WHEN EXISTS (SELECT FROM broker_outbox WHERE done_at IS NULL AND bulk)
        THEN pg_try_advisory_xact_lock_shared(hashtext('floorhub/broker'))
            AND pg_try_advisory_xact_lock(hashtext('floorhub/broker-imports'))
    ELSE false
END AS taken;

-- name: commit_at_leisure
-- For this transaction: what a crash of the database takes back is told again.
SET LOCAL synchronous_commit = off;

-- name: open_imports
-- `unseen`: it never was there, so that nothing of it has to end.
SELECT b.id, b.client_id, b.change, b.sealed_secret, s.presence_reason = 'never_seen' AS unseen
FROM broker_outbox b
JOIN client_sessions s ON s.client_id = b.client_id
WHERE b.done_at IS NULL AND b.bulk
ORDER BY b.id
LIMIT %(most)s
FOR UPDATE OF b;

-- name: open_changes
-- What somebody waits for, and what was imported of the same clients: changes of one client must not overtake each
-- other, whichever version of the hub made them. One snapshot finds both.
SELECT b.id, b.client_id, b.change, b.sealed_secret
FROM broker_outbox b
WHERE b.done_at IS NULL
    AND (
        b.id = ANY (ARRAY(
            SELECT u.id FROM broker_outbox u WHERE u.done_at IS NULL AND NOT u.bulk ORDER BY u.id LIMIT %(most)s
        ))
        OR (b.bulk AND b.client_id = ANY (ARRAY(
            SELECT u.client_id FROM broker_outbox u WHERE u.done_at IS NULL AND NOT u.bulk ORDER BY u.id LIMIT %(most)s
        )))
    )
ORDER BY b.id
-- Waits for another worker, too, that tells the broker about one of them.
FOR UPDATE OF b;

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

-- name: broker_state
-- What the broker has yet to learn, and clients whose last change it refused.
SELECT
    count(*) FILTER (WHERE NOT bulk) AS changes,
    count(*) FILTER (WHERE bulk) AS imports,
    (
        SELECT count(DISTINCT o.client_id)
        FROM broker_outbox o
        WHERE o.error IS NOT NULL
            AND NOT EXISTS (SELECT FROM broker_outbox later WHERE later.client_id = o.client_id AND later.id > o.id)
    ) AS refused
FROM broker_outbox
WHERE done_at IS NULL;
