-- name: facts
-- The server and the database that the URL names. `tables`: of anybody, in any schema of the database.
SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::integer AS number,
    current_database() AS name,
    now() AS at,
    (
        SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ) AS tables,
    to_regclass('broker_outbox') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL AS ours,
    (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create,
    (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation,
    (SELECT datctype FROM pg_database WHERE datname = current_database()) AS letters;

-- name: sessions
-- Who else is connected to the database.
SELECT coalesce(nullif(application_name, ''), usename, '?') AS who, coalesce(host(client_addr), 'local') AS address
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
ORDER BY backend_start;

-- name: later_commands
-- Commands that were accepted after a moment, oldest first. An hour of play: what was committed late has an older time.
SELECT id, client_id, action, reference, status, created_at, finished_at
FROM commands
WHERE created_at >= %(since)s::timestamptz - interval '1 hour'
ORDER BY id;

-- name: present_commands
SELECT id FROM commands WHERE id = ANY (%(ids)s);

-- name: clients
SELECT id, encode(secret_sha256, 'hex') AS secret, status FROM clients ORDER BY id;

-- name: schedules
SELECT name, md5(concat_ws('/', cron, time_zone, request::text, enabled)) AS content FROM schedules ORDER BY name;

-- name: unfinished
-- What clients were still to do at the time of the backup, and may not do twice. `unseen`: the client had not connected
-- yet, so nobody knew its level.
SELECT c.id, c.client_id, s.level = 'basic' AS basic, s.session IS NULL AS unseen
FROM commands c
JOIN client_sessions s ON s.client_id = c.client_id
WHERE c.status IN ('pending', 'queued', 'running') AND c.on_interrupt <> 'rerun';

-- name: basic_clients
SELECT client_id FROM client_sessions WHERE level = 'basic';

-- name: still_pending
SELECT id FROM commands WHERE id = ANY (%(ids)s) AND status = 'pending';

-- name: make_unknown
WITH moved AS (
    UPDATE commands SET
        status = 'unknown', version = version + 1, finished_at = floorhub_now(), deadline_at = NULL, lease_until = NULL,
        cancel_lease_until = NULL, held_reasons = NULL, scheduled = false, unknown_reason = %(reason)s,
        dead_letter_reason = 'unknown', error = %(error)s::jsonb
    WHERE id = ANY (%(ids)s) AND status IN ('pending', 'queued', 'running')
    RETURNING id, version, attempt
)
INSERT INTO command_logs (command_id, version, at, event, status, attempt, report_id, detail)
SELECT id, version, floorhub_now(), 'unknown', 'unknown', attempt, NULL, %(detail)s::jsonb FROM moved;

-- name: root_key
SELECT public_key FROM hub_keys WHERE purpose = 'root';

-- name: databases
SELECT datname AS name FROM pg_database WHERE starts_with(datname::text, %(prefix)s) ORDER BY datname;
