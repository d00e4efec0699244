-- fragment: session_columns
-- Of `client_sessions s` and `clients c`: what the hub knows of a client, and the clock.
s.client_id, s.presence, s.presence_reason, s.presence_since, s.heard_at, s.level, s.session, s.connection,
s.journal, s.epoch_issued, s.epoch_confirmed, s.journal_mark, s.offers, s.watched_from, s.keep_away, s.boot,
s.journal_epoch,
c.status AS client_status, floorhub_now() AS now

-- name: lock
-- Presence and identity of one client, locked until the transaction ends.
SELECT {session_columns}
FROM client_sessions s
JOIN clients c ON c.id = s.client_id
WHERE s.client_id = ANY (%(client_ids)s)
ORDER BY s.client_id
FOR UPDATE OF s;

-- name: lock_online
-- Clients that were online and last heard before a moment: they may have fallen silent.
SELECT {session_columns}
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

-- name: save_identity
UPDATE client_sessions
SET
    journal = %(journal)s, epoch_issued = %(issued)s, epoch_confirmed = %(confirmed)s, journal_mark = %(mark)s,
    journal_epoch = %(since)s, offers = %(offers)s
WHERE client_id = %(client_id)s;

-- name: save_birth
UPDATE client_sessions
SET
    agent_name = %(agent_name)s, agent_version = %(agent_version)s, clock_skew_s = %(clock_skew_s)s, boot = %(boot)s
WHERE client_id = %(client_id)s;

-- name: forget_boot
UPDATE client_sessions SET boot = NULL WHERE client_id = %(client_id)s;

-- name: history
INSERT INTO client_status_history (client_id, at, presence, reason, session, connection, epoch_shown, epoch_issued)
VALUES (
    %(client_id)s, %(at)s, %(presence)s, %(reason)s, %(session)s, %(connection)s, %(epoch_shown)s, %(epoch_issued)s
);

-- name: confirm
-- Heartbeats and reports show which epoch and mark an agent has journalled; they also prove that it is alive. A mark
-- counts for the connection that the birth was of: one of a later connection may be heard before its birth.
-- Answers with the presence of those heard, and with `offered` for a session that has an open offer, `confirmed` for one
-- that has just shown its journal's first epoch, and `ahead` for one that shows more than was ever issued.
WITH life AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rows)s)
        AS r (client_id text, session text, epoch bigint, connection integer, mark bigint)
),
heard AS MATERIALIZED (
    SELECT s.client_id, s.epoch_confirmed AS before
    FROM client_sessions s
    JOIN life USING (client_id)
    ORDER BY s.client_id
    FOR UPDATE OF s
),
confirmed AS (
    UPDATE client_sessions s
    SET
        heard_at = floorhub_now(),
        epoch_confirmed = greatest(s.epoch_confirmed, least(coalesce(life.epoch, 0), s.epoch_issued)),
        journal_mark = CASE
            WHEN life.connection = s.connection THEN greatest(s.journal_mark, coalesce(life.mark, 0))
            ELSE s.journal_mark
        END
    FROM life JOIN heard USING (client_id)
    WHERE s.client_id = life.client_id AND s.session = life.session
    RETURNING
        s.client_id, s.presence, heard.before < s.journal_epoch AND s.epoch_confirmed >= s.journal_epoch AS confirmed,
        s.level = 'full' AND life.epoch > s.epoch_issued AS ahead
)
SELECT client_id, presence FROM confirmed
UNION ALL
SELECT client_id, 'confirmed' FROM confirmed WHERE confirmed
UNION ALL
SELECT client_id, 'ahead' FROM confirmed WHERE ahead
UNION ALL
SELECT s.client_id, 'offered'
FROM life
JOIN client_sessions s ON s.client_id = life.client_id
WHERE s.session IS DISTINCT FROM life.session
    AND s.offers @> jsonb_build_array(jsonb_build_object('session', life.session));

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

-- name: lives
-- What the births of the last hour tell of each session: the first epoch made after it was heard, and the highest that
-- it has shown.
SELECT session, min(epoch_issued) AS first_issued, max(epoch_shown) AS shown
FROM client_status_history
WHERE client_id = %(client_id)s AND at > floorhub_now() - interval '1 hour' AND epoch_issued > %(watched_from)s
GROUP BY session;

-- name: keep_away
-- Two machines use one identity: nothing is dispatched until a person has looked.
WITH kept AS (
    UPDATE client_sessions SET keep_away = %(reason)s WHERE client_id = %(client_id)s RETURNING client_id
)
INSERT INTO security_events (at, kind, severity, client_id, detail)
SELECT floorhub_now(), 'two_machines', 'critical', client_id, %(detail)s FROM kept;

-- name: release
-- A person has looked: dispatch goes on. Two machines must be proven anew, by epochs made from now on.
UPDATE client_sessions
SET keep_away = NULL, watched_from = epoch_issued
WHERE client_id = %(client_id)s AND keep_away IS NOT NULL
RETURNING client_id;

-- name: read_history
-- A page, newest first. Rows of one transaction may have the same time: a page never ends between them.
SELECT at, presence, reason, session, connection
FROM client_status_history
WHERE client_id = %(client_id)s AND (%(before)s::timestamptz IS NULL OR at < %(before)s)
ORDER BY at DESC
FETCH FIRST (%(limit)s) ROWS WITH TIES;

-- name: delete_history
-- A client's newest change stays: it says since when the client is as it is.
WITH old AS MATERIALIZED (
    SELECT h.ctid FROM client_status_history h
    WHERE h.at < %(before)s
        AND EXISTS (SELECT FROM client_status_history n WHERE n.client_id = h.client_id AND n.at > h.at)
    ORDER BY h.at
    LIMIT %(most)s
    FOR UPDATE OF h SKIP LOCKED
)
DELETE FROM client_status_history h USING old WHERE h.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'presence', 'id', h.client_id || '/' || h.at, 'row', to_jsonb(h))::text AS line;

-- name: count_history
SELECT count(*) AS number
FROM client_status_history h
WHERE h.at < %(before)s
    AND EXISTS (SELECT FROM client_status_history n WHERE n.client_id = h.client_id AND n.at > h.at);
