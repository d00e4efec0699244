-- Many clients at once: a statement writes a table's rows of all of them.

-- name: lock_known
-- Before they are compared and changed; in order, so that two imports of the same clients wait for each other.
SELECT id FROM clients WHERE id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- name: known
-- What there is under these ids, of any status.
SELECT
    c.id, c.name, c.kind, c.zone, c.tags, c.metadata, c.status, c.secret_sha256,
    p.allowed_actions, p.rate_limit, p.max_commands_per_day,
    ARRAY(SELECT m.group_id FROM client_group_members m WHERE m.client_id = c.id ORDER BY m.group_id) AS groups
FROM clients c
JOIN client_permissions p ON p.client_id = c.id
WHERE c.id = ANY (%(ids)s);

-- name: holders
-- Which secrets are taken, and by which clients.
SELECT id, secret_sha256 FROM clients WHERE secret_sha256 = ANY (%(hashes)s) AND status <> 'retired';

-- name: insert_clients
WITH wanted AS (
    SELECT *
    FROM jsonb_to_recordset(%(rows)s) AS r (
        id text, name text, kind text, zone text, tags text[], metadata jsonb, allowed_actions text[],
        rate_limit integer, max_commands_per_day integer, secret_sha256 text, mqtt_password text, mqtt_salt text,
        mqtt_iterations integer
    )
),
made AS (
    INSERT INTO clients (
        id, name, kind, status, zone, tags, metadata, secret_sha256, mqtt_password, mqtt_salt, mqtt_iterations,
        created_at, updated_at
    )
    SELECT
        id, name, kind, 'active', zone, tags, metadata, decode(secret_sha256, 'hex'), mqtt_password, mqtt_salt,
        mqtt_iterations, floorhub_now(), floorhub_now()
    FROM wanted
    RETURNING id
),
permissions AS (
    INSERT INTO client_permissions (client_id, allowed_actions, rate_limit, max_commands_per_day, updated_at)
    SELECT id, allowed_actions, rate_limit, max_commands_per_day, floorhub_now() FROM wanted
),
usage AS (
    INSERT INTO client_usage (client_id, day, day_used, minute, minute_used)
    SELECT
        id, (floorhub_now() AT TIME ZONE 'UTC')::date, 0, date_trunc('minute', floorhub_now()), 0
    FROM made
),
dispatch AS (
    INSERT INTO client_dispatch (client_id) SELECT id FROM made
)
INSERT INTO client_sessions (client_id, presence, presence_reason, level, connection, epoch_issued, epoch_confirmed)
SELECT id, 'offline', 'never_seen', 'full', 0, 0, 0 FROM made;

-- name: outbox_add_many
-- Behind the changes that somebody waits for.
INSERT INTO broker_outbox (at, client_id, change, sealed_secret, bulk)
SELECT floorhub_now(), r.id, 'put', decode(r.sealed, 'hex'), true
FROM jsonb_to_recordset(%(rows)s) AS r (id text, sealed text);

-- name: refused
-- Those of these clients whose last change the broker refused.
SELECT o.client_id
FROM broker_outbox o
WHERE o.client_id = ANY (%(ids)s)
    AND o.error IS NOT NULL
    AND NOT EXISTS (SELECT FROM broker_outbox later WHERE later.client_id = o.client_id AND later.id > o.id);
