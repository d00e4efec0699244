-- Nonces are written with requests, and taken away by the hundred.

-- name: take_nonce
-- No row: it was used before. Who uses it at the same time waits here for the other.
INSERT INTO request_nonces (principal_id, sha256, used_at)
VALUES (%(principal_id)s, %(sha256)s, floorhub_now())
ON CONFLICT DO NOTHING;

-- name: forget_nonces
WITH old AS MATERIALIZED (
    SELECT ctid FROM request_nonces
    WHERE used_at < %(before)s
    ORDER BY used_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM request_nonces n USING old WHERE n.ctid = old.ctid;

-- name: beat
-- This process lives, and so many answer HTTP; those that ended say nothing and are left out after a while.
WITH gone AS (
    DELETE FROM hub_processes WHERE seen_at < floorhub_now() - make_interval(secs => %(forget_s)s) AND id <> %(id)s
),
beaten AS (
    INSERT INTO hub_processes (id, roles, started_at, seen_at)
    VALUES (%(id)s, %(roles)s, floorhub_now(), floorhub_now())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
)
SELECT
    floorhub_now() AS now,
    (
        SELECT count(*) FROM hub_processes
        WHERE id <> %(id)s
            AND 'api' = ANY (roles)
            AND seen_at BETWEEN floorhub_now() - make_interval(secs => %(alive_s)s) AND floorhub_now() + interval '1 minute'
    ) AS others,
    (
        SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory'
            AND classid = %(names)s::bigint::oid
            AND objsubid = 2
            AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS names,
    (
        SELECT count(*) FROM hub_processes
        WHERE id <> %(id)s
            AND 'worker' = ANY (roles)
            AND seen_at BETWEEN floorhub_now() - make_interval(secs => %(alive_s)s) AND floorhub_now() + interval '1 minute'
    ) + ('worker' = ANY (%(roles)s::text[]))::integer AS workers;

-- name: leave
DELETE FROM hub_processes WHERE id = %(id)s;

-- name: set_setting
-- Answers with a row when it was another before.
INSERT INTO hub_settings (name, value, since)
VALUES (%(name)s, %(value)s, floorhub_now())
ON CONFLICT (name) DO UPDATE SET value = excluded.value, since = excluded.since
WHERE hub_settings.value <> excluded.value
RETURNING name;

-- name: knows_zone
SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = %(name)s) AS knows;
