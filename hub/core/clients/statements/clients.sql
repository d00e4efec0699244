-- name: insert
-- A new client with its rows in the tables that hang on it, and the broker's change. Nothing -> active.
WITH client AS (
    INSERT INTO clients (
        id, name, kind, status, zone, tags, metadata, secret_sha256, mqtt_password, mqtt_salt, mqtt_iterations,
        created_at, updated_at
    )
    VALUES (
        %(id)s, %(name)s, %(kind)s, 'active', %(zone)s, %(tags)s, %(metadata)s, %(secret_sha256)s, %(mqtt_password)s,
        %(mqtt_salt)s, %(mqtt_iterations)s, floorhub_now(), floorhub_now()
    )
    RETURNING id
)
SELECT id FROM client;

-- name: insert_permissions
INSERT INTO client_permissions (client_id, allowed_actions, rate_limit, max_commands_per_day, updated_at)
VALUES (%(id)s, %(allowed_actions)s, %(rate_limit)s, %(max_commands_per_day)s, floorhub_now());

-- name: insert_usage
INSERT INTO client_usage (client_id, day, day_used, minute, minute_used)
VALUES (%(id)s, (floorhub_now() AT TIME ZONE 'UTC')::date, 0, date_trunc('minute', floorhub_now()), 0);

-- name: insert_session
INSERT INTO client_sessions (client_id, presence, presence_reason, level, connection, epoch_issued, epoch_confirmed)
VALUES (%(id)s, 'offline', 'never_seen', 'full', 0, 0, 0);

-- name: insert_dispatch
INSERT INTO client_dispatch (client_id) VALUES (%(id)s);

-- name: update
-- What an administrator may change; NULL in `set_*` leaves a field as it is.
UPDATE clients
SET
    name = CASE WHEN %(set_name)s THEN %(name)s ELSE name END,
    kind = CASE WHEN %(set_kind)s THEN %(kind)s ELSE kind END,
    zone = CASE WHEN %(set_zone)s THEN %(zone)s ELSE zone END,
    tags = CASE WHEN %(set_tags)s THEN %(tags)s::text[] ELSE tags END,
    metadata = CASE WHEN %(set_metadata)s THEN %(metadata)s::jsonb ELSE metadata END,
    updated_at = floorhub_now()
WHERE id = %(id)s AND status <> 'retired'
RETURNING id;

-- name: update_permissions
UPDATE client_permissions
SET
    allowed_actions = CASE WHEN %(set_allowed_actions)s THEN %(allowed_actions)s::text[] ELSE allowed_actions END,
    rate_limit = coalesce(%(rate_limit)s, rate_limit),
    max_commands_per_day = coalesce(%(max_commands_per_day)s, max_commands_per_day),
    updated_at = floorhub_now()
WHERE client_id = %(id)s;

-- name: retire
-- active, disabled -> retired. The id is never used again; the history stays.
UPDATE clients
SET status = 'retired', retired_at = floorhub_now(), updated_at = floorhub_now()
WHERE id = %(id)s AND status <> 'retired'
RETURNING id;

-- name: set_status
-- active <-> disabled. A disabled client cannot connect and is sent nothing; its commands wait or expire.
UPDATE clients
SET status = %(status)s, updated_at = floorhub_now()
WHERE id = %(id)s AND status <> 'retired'
RETURNING id;

-- name: set_secret
-- A new secret; the old one is worthless from the commit on for HTTP, and for the broker as soon as it has learned it.
UPDATE clients
SET
    secret_sha256 = %(secret_sha256)s, mqtt_password = %(mqtt_password)s, mqtt_salt = %(mqtt_salt)s,
    mqtt_iterations = %(mqtt_iterations)s, updated_at = floorhub_now()
WHERE id = %(id)s AND status <> 'retired'
RETURNING id;

-- name: find
-- One client, or a page of clients, with what one wants to know of each.
SELECT
    c.id, c.name, c.kind, c.status, c.zone, c.tags, c.metadata, c.created_at, c.updated_at, c.retired_at,
    p.allowed_actions, p.rate_limit, p.max_commands_per_day,
    s.presence, s.presence_reason, s.presence_since, s.heard_at, s.level, s.agent_name, s.agent_version,
    s.clock_skew_s, s.keep_away, s.state, s.state_at,
    (SELECT count(*) FROM commands o WHERE o.client_id = c.id AND o.status IN ('queued', 'running')) AS handed_out,
    ARRAY(SELECT m.group_id FROM client_group_members m WHERE m.client_id = c.id ORDER BY m.group_id) AS groups
FROM clients c
JOIN client_permissions p ON p.client_id = c.id
JOIN client_sessions s ON s.client_id = c.id
WHERE (%(id)s::text IS NULL OR c.id = %(id)s)
    AND (%(after)s::text IS NULL OR c.id > %(after)s)
    AND (%(zone)s::text IS NULL OR c.zone = %(zone)s)
    AND (%(group)s::text IS NULL OR EXISTS (
        SELECT FROM client_group_members m WHERE m.group_id = %(group)s AND m.client_id = c.id
    ))
    AND (%(tag)s::text IS NULL OR c.tags @> ARRAY[%(tag)s::text])
    AND (%(presence)s::text IS NULL OR s.presence = %(presence)s)
    AND (%(status)s::text IS NULL OR c.status = %(status)s)
ORDER BY c.id
LIMIT %(limit)s;

-- name: secret_hash
SELECT secret_sha256 FROM clients WHERE id = %(id)s AND status = 'active';

-- name: broker_clients
-- What the broker needs of every client; a disabled one is known there, so that it can be enabled again.
SELECT id, mqtt_password, mqtt_salt, mqtt_iterations, status = 'disabled' AS disabled
FROM clients
WHERE status <> 'retired' AND (%(id)s::text IS NULL OR id = %(id)s)
ORDER BY id;

-- name: outbox_add
INSERT INTO broker_outbox (at, client_id, change, sealed_secret)
VALUES (floorhub_now(), %(client_id)s, %(change)s, %(sealed_secret)s)
RETURNING id;

-- name: outbox_all_done
-- A freshly rendered broker knows everything up to here.
UPDATE broker_outbox SET done_at = floorhub_now(), sealed_secret = NULL WHERE done_at IS NULL;

-- name: outbox_state
SELECT done_at, error FROM broker_outbox WHERE id = %(id)s;

-- name: active_by_presence
-- For the metrics: clients that may connect.
SELECT s.presence, count(*) AS number
FROM client_sessions s JOIN clients c ON c.id = s.client_id
WHERE c.status = 'active'
GROUP BY s.presence;
