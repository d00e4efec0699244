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
        AND c.relname <> 'restore_in_progress'
    ) AS tables,
    to_regclass('broker_outbox') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL AS ours,
    (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create,
    (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS collation,
    (SELECT datctype FROM pg_database WHERE datname = current_database()) AS letters;

-- name: sessions
-- Who else is connected to the database. Of another role's sessions only some columns can be seen: not of which type they
-- are, but whose.
SELECT coalesce(nullif(application_name, ''), usename, '?') AS who, coalesce(host(client_addr), 'local') AS address
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend'
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

-- name: api_keys
-- Those that open something.
SELECT k.id, k.prefix, p.name
FROM api_keys k
JOIN principals p ON p.id = k.principal_id
WHERE k.revoked_at IS NULL AND p.disabled_at IS NULL
ORDER BY p.name, k.prefix;

-- name: schedules
SELECT name, md5(concat_ws('/', cron, time_zone, request::text, enabled)) AS content FROM schedules ORDER BY name;

-- name: newest
-- The last command and the last row of the audit; NULL if there is none. Who goes on from here has both.
SELECT
    (SELECT id FROM commands ORDER BY id DESC LIMIT 1) AS command_id,
    (SELECT id FROM audit_logs ORDER BY id DESC LIMIT 1) AS audit_id,
    (SELECT at FROM audit_logs ORDER BY id DESC LIMIT 1) AS audit_at;

-- name: follows
SELECT
    (%(command_id)s::uuid IS NULL OR EXISTS (SELECT FROM commands WHERE id = %(command_id)s))
    AND (%(audit_id)s::bigint IS NULL OR EXISTS (
        SELECT FROM audit_logs WHERE id = %(audit_id)s AND at = %(audit_at)s::timestamptz
    )) AS follows;

-- name: unsettled
-- Commands that had not ended at the time of the backup, or waited for a person.
SELECT id, version FROM commands
WHERE (status IN ('pending', 'queued', 'running', 'unknown')
        OR (dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL))
    AND (%(after)s::uuid IS NULL OR id > %(after)s)
ORDER BY id
LIMIT %(most)s;

-- name: command_rows
SELECT id, version, to_jsonb(c)::text AS row FROM commands c WHERE id = ANY (%(ids)s);

-- name: take_commands
-- As the database of before has them, unless that is older.
UPDATE commands c SET
    status = i.status, version = i.version, attempt = i.attempt, not_before = i.not_before, scheduled = i.scheduled,
    expires_at = i.expires_at, queued_at = i.queued_at, journal = i.journal, sent_at = i.sent_at, sends = i.sends,
    lease_until = i.lease_until, accepted_at = i.accepted_at, started_at = i.started_at,
    held_reasons = i.held_reasons, finished_at = i.finished_at, deadline_at = i.deadline_at,
    cancel_requested_at = i.cancel_requested_at, cancel_id = i.cancel_id, cancel_lease_until = i.cancel_lease_until,
    cancel_sends = i.cancel_sends, progress = i.progress, result = i.result, error = i.error,
    unknown_reason = i.unknown_reason, dead_letter_reason = i.dead_letter_reason,
    dead_letter_closed_at = i.dead_letter_closed_at, dead_letter_closed_by = i.dead_letter_closed_by,
    on_hold = i.on_hold, goodbye_at = i.goodbye_at, withheld_at = i.withheld_at
FROM jsonb_populate_recordset(NULL::commands, %(rows)s) i
WHERE c.id = i.id AND c.version <= i.version
RETURNING c.id;

-- name: log_rows
SELECT to_jsonb(l)::text AS row
FROM unnest(%(ids)s::uuid[], %(versions)s::integer[]) AS known (id, version)
JOIN command_logs l ON l.command_id = known.id AND l.version > known.version;

-- name: take_logs
INSERT INTO command_logs (command_id, version, at, event, status, attempt, report_id, detail)
SELECT command_id, version, at, event, status, attempt, report_id, detail
FROM jsonb_populate_recordset(NULL::command_logs, %(rows)s)
ON CONFLICT DO NOTHING;

-- name: upload_rows
SELECT to_jsonb(u)::text AS row FROM uploads u WHERE command_id = ANY (%(ids)s);

-- name: take_uploads
-- An agent may be about to use one. A document that was uploaded since is lost.
INSERT INTO uploads (token_sha256, client_id, command_id, created_at, used_at, document_id)
SELECT
    u.token_sha256, u.client_id, u.command_id, u.created_at, u.used_at,
    (SELECT d.id FROM documents d WHERE d.id = u.document_id)
FROM jsonb_populate_recordset(NULL::uploads, %(rows)s) u
ON CONFLICT DO NOTHING;

-- name: session_rows
SELECT to_jsonb(s)::text AS row FROM client_sessions s ORDER BY client_id;

-- name: take_sessions
-- Which journal and epoch each client has by now.
UPDATE client_sessions s SET
    presence = i.presence, presence_reason = i.presence_reason, presence_since = i.presence_since,
    heard_at = i.heard_at, level = i.level, session = i.session, connection = i.connection, journal = i.journal,
    epoch_issued = i.epoch_issued, epoch_confirmed = i.epoch_confirmed, journal_mark = i.journal_mark,
    journal_epoch = i.journal_epoch, offers = i.offers, watched_from = i.watched_from, keep_away = i.keep_away,
    boot = i.boot, agent_name = i.agent_name, agent_version = i.agent_version, clock_skew_s = i.clock_skew_s,
    state = i.state, state_at = i.state_at
FROM jsonb_populate_recordset(NULL::client_sessions, %(rows)s) i
WHERE s.client_id = i.client_id AND s.epoch_issued <= i.epoch_issued;

-- name: client_rows
SELECT to_jsonb(c)::text AS row FROM clients c WHERE id = ANY (%(ids)s);

-- name: take_clients
UPDATE clients c SET
    status = i.status, secret_sha256 = i.secret_sha256, mqtt_password = i.mqtt_password, mqtt_salt = i.mqtt_salt,
    mqtt_iterations = i.mqtt_iterations, updated_at = i.updated_at, retired_at = i.retired_at
FROM jsonb_populate_recordset(NULL::clients, %(rows)s) i
WHERE c.id = i.id;

-- name: forget_changes
UPDATE broker_outbox SET done_at = floorhub_now(), sealed_secret = NULL
WHERE done_at IS NULL AND client_id = ANY (%(ids)s);

-- name: api_key_rows
SELECT to_jsonb(k)::text AS row FROM api_keys k WHERE revoked_at IS NOT NULL;

-- name: take_api_keys
UPDATE api_keys k SET revoked_at = i.revoked_at
FROM jsonb_populate_recordset(NULL::api_keys, %(rows)s) i
WHERE k.id = i.id AND k.revoked_at IS NULL
RETURNING k.prefix;

-- name: principal_rows
SELECT to_jsonb(p)::text AS row FROM principals p WHERE disabled_at IS NOT NULL;

-- name: take_principals
WITH disabled AS (
    UPDATE principals p SET disabled_at = i.disabled_at
    FROM jsonb_populate_recordset(NULL::principals, %(rows)s) i
    WHERE p.id = i.id AND p.disabled_at IS NULL
    RETURNING p.id
)
SELECT k.prefix FROM api_keys k JOIN disabled ON disabled.id = k.principal_id WHERE k.revoked_at IS NULL;

-- name: batch_rows
SELECT to_jsonb(b)::text AS row FROM batches b ORDER BY id;

-- name: take_batches
UPDATE batches b SET
    status = i.status, stop_reason = i.stop_reason, paused_at = i.paused_at, finished_at = i.finished_at
FROM jsonb_populate_recordset(NULL::batches, %(rows)s) i
WHERE b.id = i.id AND b.finished_at IS NULL;

-- name: schedule_times
SELECT id, name, cron, time_zone, enabled, next_at, last_at, last_error FROM schedules ORDER BY name;

-- name: due_schedules
-- Some time of theirs passed since the backup, perhaps not without a hub.
SELECT id, name, cron, time_zone, next_at FROM schedules WHERE next_at <= floorhub_now() ORDER BY name;

-- name: move_schedule
UPDATE schedules SET enabled = %(enabled)s, next_at = %(next_at)s, last_at = %(last_at)s, last_error = %(error)s
WHERE id = %(id)s;

-- name: now
SELECT floorhub_now() AS now;

-- name: doubtful
-- What clients were still to do at the time of the backup, and may not do twice, of those that have no journal or had not
-- connected yet, so that nobody knew whether they have one.
SELECT c.id
FROM commands c
JOIN client_sessions s ON s.client_id = c.client_id
WHERE c.status IN ('pending', 'queued', 'running') AND c.on_interrupt <> 'rerun'
    AND (s.level = 'basic' OR s.session IS NULL);

-- name: has_seals
-- Whether the audit trail was sealed already when the backup was made.
SELECT to_regclass('audit_seals') IS NOT NULL AND to_regclass('audit_keys') IS NOT NULL AS has;

-- name: make_restores
-- As the migration makes it, which an older backup lacks.
CREATE TABLE IF NOT EXISTS restores (at timestamptz PRIMARY KEY, compared boolean NOT NULL);

-- name: record_restore
-- Not before any command of the backup, whatever this server's clock says.
INSERT INTO restores (at, compared)
SELECT greatest(floorhub_now(), (SELECT max(created_at) FROM commands)), %(compared)s
ON CONFLICT (at) DO UPDATE SET compared = restores.compared AND excluded.compared;

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

-- name: make_mark
-- While this table is there, no hub works with the database.
CREATE TABLE IF NOT EXISTS restore_in_progress (
    dump text PRIMARY KEY,
    kept_database text,
    folder text NOT NULL,
    kept_folder text NOT NULL
);

-- name: set_mark
INSERT INTO restore_in_progress (dump, kept_database, folder, kept_folder)
VALUES (%(dump)s, %(kept_database)s, %(folder)s, %(kept_folder)s)
ON CONFLICT (dump) DO UPDATE SET folder = excluded.folder, kept_folder = excluded.kept_folder;

-- name: marked
SELECT to_regclass('restore_in_progress') IS NOT NULL AS marked;

-- name: mark
SELECT dump, kept_database, folder, kept_folder FROM restore_in_progress;

-- name: remove_mark
DROP TABLE IF EXISTS restore_in_progress;
