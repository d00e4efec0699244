-- On the hot path; and clean-up takes idempotency keys by the hundred.

-- name: find_idempotent
-- The command that an idempotency key stands for, with the hash of the request that made it.
SELECT command_id, request_sha256
FROM idempotency_keys
WHERE principal_id = %(principal_id)s AND route = %(route)s AND key = %(key)s;

-- name: take_idempotent
-- An idempotency key for whatever is about to be made; `command_id` holds its id, a batch's too. Who takes it at the same
-- time waits here, before anything else is locked, and gets no row.
INSERT INTO idempotency_keys (principal_id, route, key, request_sha256, command_id, created_at)
VALUES (%(principal_id)s, %(route)s, %(key)s, %(request_sha256)s, %(id)s, floorhub_now())
ON CONFLICT DO NOTHING;

-- name: delete_idempotency_keys
WITH old AS MATERIALIZED (
    SELECT ctid FROM idempotency_keys
    WHERE created_at < %(before)s
    ORDER BY created_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency_keys k USING old WHERE k.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'key', 'id', k.principal_id || '/' || k.route || '/' || k.key, 'row', to_jsonb(k))::text
    AS line;

-- name: count_idempotency_keys
SELECT count(*) AS number FROM idempotency_keys WHERE created_at < %(before)s;
