-- name: lock
-- Presence and identity of one client, locked until the transaction ends.
SELECT
    s.client_id, s.presence, s.presence_reason, s.presence_since, s.heard_at, s.level, s.session, s.connection,
    s.journal, s.epoch_issued, s.epoch_confirmed, s.keep_away, c.status AS client_status, floorhub_now() AS now
FROM client_sessions s
JOIN clients c ON c.id = s.client_id
WHERE s.client_id = ANY (%(client_ids)s)
ORDER BY s.client_id
FOR UPDATE OF s;

-- name: lock_online
-- Clients that were online and last heard before a moment: they may have fallen silent.
SELECT
    s.client_id, s.presence, s.presence_reason, s.presence_since, s.heard_at, s.level, s.session, s.connection,
    s.journal, s.epoch_issued, s.epoch_confirmed, s.keep_away, c.status AS client_status, floorhub_now() AS now
FROM client_sessions s
JOIN clients c ON c.id = s.client_id
WHERE s.presence = 'online' AND s.heard_at < %(before)s
ORDER BY s.client_id
FOR UPDATE OF s SKIP LOCKED;

-- name: save_presence
UPDATE client_sessions
SET
    presence = %(presence)s, presence_reason = %(reason)s, presence_since = %(since)s, heard_at = %(heard_at)s,
    level = %(level)s, session = %(session)s, connection = %(connection)s
WHERE client_id = %(client_id)s;

-- name: save_birth
UPDATE client_sessions
SET
    journal = %(journal)s, epoch_issued = %(issued)s, epoch_confirmed = %(confirmed)s,
    agent_name = %(agent_name)s, agent_version = %(agent_version)s, clock_skew_s = %(clock_skew_s)s
WHERE client_id = %(client_id)s;

-- name: history
INSERT INTO client_status_history (client_id, at, presence, reason, session, connection)
VALUES (%(client_id)s, %(at)s, %(presence)s, %(reason)s, %(session)s, %(connection)s);

-- name: confirm_epochs
-- Heartbeats and reports show which epoch an agent has journalled; they also prove that it is alive.
WITH life AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rows)s) AS r (client_id text, session text, epoch bigint)
),
heard AS MATERIALIZED (
    SELECT s.client_id FROM client_sessions s JOIN life USING (client_id) ORDER BY s.client_id FOR UPDATE OF s
)
UPDATE client_sessions s
SET
    heard_at = floorhub_now(),
    epoch_confirmed = greatest(s.epoch_confirmed, least(coalesce(life.epoch, 0), s.epoch_issued))
FROM life JOIN heard USING (client_id)
WHERE s.client_id = life.client_id AND s.session = life.session
RETURNING s.client_id, s.presence;

-- name: save_state
UPDATE client_sessions
SET state = %(state)s, state_at = floorhub_now()
WHERE client_id = %(client_id)s;

-- name: superseded
-- Whether this connection of a session was seen before, although the client has another session by now.
SELECT EXISTS (
    SELECT FROM client_status_history
    WHERE client_id = %(client_id)s AND session = %(session)s AND connection >= %(connection)s
) AS superseded;

-- name: read_history
SELECT at, presence, reason, session, connection
FROM client_status_history
WHERE client_id = %(client_id)s AND (%(before)s::timestamptz IS NULL OR at < %(before)s)
ORDER BY at DESC
LIMIT %(limit)s;

-- name: now
SELECT floorhub_now() AS now;
