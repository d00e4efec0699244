-- Sessions and their refresh tokens. A session lives while it has not ended, until its absolute limit, and while it is
-- used: a page for an hour, a program for a day and an hour (its refresh token lives for a day).

-- fragment: session
SELECT
    p.id, p.kind, p.name, p.role, p.reach, u.login,
    s.id AS session_id, s.kind AS session_kind, s.expires_at, s.confirmed_at,
    s.confirmed_at > floorhub_now() - interval '10 minutes' AS confirmed,
    s.seen_at < floorhub_now() - interval '1 minute' AS stale,
    floorhub_now() AS now
FROM sessions s
JOIN principals p ON p.id = s.principal_id AND p.disabled_at IS NULL
JOIN users u ON u.principal_id = p.id

-- fragment: lives
s.ended_at IS NULL
AND s.expires_at > floorhub_now()
AND s.seen_at > floorhub_now() - CASE s.kind WHEN 'page' THEN interval '1 hour' ELSE interval '25 hours' END

-- name: by_id
{session}
WHERE s.id = %(id)s AND {lives};

-- name: by_cookie
{session}
WHERE s.cookie_sha256 = %(sha256)s AND s.kind = 'page' AND {lives};

-- name: insert_session
INSERT INTO sessions (
    id, principal_id, kind, cookie_sha256, screen_id, address, user_agent, created_at, seen_at, confirmed_at, expires_at
)
VALUES (
    %(id)s, %(principal_id)s, %(kind)s, %(cookie_sha256)s, %(screen_id)s, %(address)s, %(user_agent)s,
    floorhub_now(), floorhub_now(), floorhub_now(), floorhub_now() + %(lasts)s
)
RETURNING expires_at;

-- name: touch
UPDATE sessions SET seen_at = floorhub_now() WHERE id = ANY (%(ids)s) AND ended_at IS NULL;

-- name: confirm
UPDATE sessions SET confirmed_at = floorhub_now() WHERE id = %(id)s AND ended_at IS NULL;

-- name: end_session
UPDATE sessions SET ended_at = floorhub_now(), ended_by = %(by)s
WHERE id = %(id)s AND principal_id = %(principal_id)s AND ended_at IS NULL;

-- name: end_sessions
-- All of somebody, but for one.
UPDATE sessions SET ended_at = floorhub_now(), ended_by = %(by)s
WHERE principal_id = %(principal_id)s AND ended_at IS NULL AND id IS DISTINCT FROM %(but)s;

-- name: list_sessions
-- A person has few: each sign-in counts against a limit, and what is old goes.
SELECT s.id, s.kind, s.address, s.user_agent, s.screen_id, s.created_at, s.seen_at, s.expires_at
FROM sessions s
WHERE s.principal_id = %(principal_id)s AND {lives}
ORDER BY s.seen_at DESC, s.id DESC
LIMIT %(most)s;

-- name: end_oldest
-- Those beyond the newest so many of somebody.
UPDATE sessions SET ended_at = floorhub_now(), ended_by = 'too_many'
WHERE id IN (
    SELECT s.id FROM sessions s
    WHERE s.principal_id = %(principal_id)s AND {lives}
    ORDER BY s.seen_at DESC, s.id DESC
    OFFSET %(most)s
);

-- name: insert_refresh_token
INSERT INTO refresh_tokens (sha256, session_id, created_at, expires_at)
VALUES (%(sha256)s, %(session_id)s, floorhub_now(), floorhub_now() + %(lasts)s);

-- name: rotate
-- One unused token becomes used, and its successor is stored: of those who use one at the same time, one gets a row.
WITH used AS (
    UPDATE refresh_tokens r SET used_at = floorhub_now()
    FROM sessions s
    JOIN principals p ON p.id = s.principal_id AND p.disabled_at IS NULL
    WHERE r.sha256 = %(old)s
        AND r.used_at IS NULL
        AND r.expires_at > floorhub_now()
        AND s.id = r.session_id
        AND (s.screen_id IS NULL OR %(screen_id)s::text IS NULL OR s.screen_id = %(screen_id)s)
        AND {lives}
    RETURNING r.session_id, s.principal_id
), successor AS (
    INSERT INTO refresh_tokens (sha256, session_id, created_at, expires_at)
    SELECT %(new)s, session_id, floorhub_now(), floorhub_now() + %(lasts)s FROM used
), seen AS (
    UPDATE sessions s SET seen_at = floorhub_now(), screen_id = COALESCE(s.screen_id, %(screen_id)s)
    FROM used
    WHERE s.id = used.session_id
)
SELECT session_id, principal_id, floorhub_now() AS now FROM used;

-- name: reused
-- The living session whose token was used again, after its holder must have got the next one.
SELECT r.session_id, s.principal_id, floorhub_now() AS now
FROM refresh_tokens r
JOIN sessions s ON s.id = r.session_id
WHERE r.sha256 = %(sha256)s AND r.used_at < floorhub_now() - interval '10 seconds' AND s.ended_at IS NULL;

-- name: of_refresh_token
SELECT r.session_id, s.principal_id, floorhub_now() AS now
FROM refresh_tokens r
JOIN sessions s ON s.id = r.session_id
WHERE r.sha256 = %(sha256)s AND s.ended_at IS NULL;

-- name: delete_sessions
-- A session that ended, or whose limit has passed; its tokens go with it.
WITH old AS MATERIALIZED (
    SELECT ctid FROM sessions
    WHERE expires_at < %(before)s
    ORDER BY expires_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM sessions s USING old WHERE s.ctid = old.ctid
RETURNING jsonb_build_object(
    'kind', 'session', 'id', s.id, 'row', to_jsonb(s) - 'cookie_sha256'
)::text AS line;

-- name: count_sessions
SELECT count(*) AS number FROM sessions WHERE expires_at < %(before)s;

-- name: delete_refresh_tokens
WITH old AS MATERIALIZED (
    SELECT ctid FROM refresh_tokens
    WHERE expires_at < %(before)s
    ORDER BY expires_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM refresh_tokens r USING old WHERE r.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'refresh_token', 'session', r.session_id, 'used_at', r.used_at)::text AS line;

-- name: count_refresh_tokens
SELECT count(*) AS number FROM refresh_tokens WHERE expires_at < %(before)s;
