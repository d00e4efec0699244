-- name: meet
-- The present session of an active client, and the last connection that was heard of one session of its.
SELECT
    s.session, s.connection, s.presence, s.presence_reason AS reason, s.keep_away, c.secret_sha256,
    floorhub_now() AS now,
    (
        SELECT max(h.connection) FROM client_status_history h
        WHERE h.client_id = s.client_id AND h.session = %(session)s
    ) AS last
FROM client_sessions s
JOIN clients c ON c.id = s.client_id
WHERE s.client_id = %(client_id)s AND c.status = 'active';

-- name: present
-- What has become of clients that have a channel.
SELECT
    s.client_id, s.session, s.connection, s.presence = 'online' AND c.status = 'active' AS here, s.keep_away,
    c.secret_sha256
FROM client_sessions s
JOIN clients c ON c.id = s.client_id
WHERE s.client_id = ANY (%(client_ids)s);

-- name: stirred
-- Of clients that have a channel, as it knows them: those whose session is another by now, and those that hold something or
-- gave no word about it. A thousand stand open at a time, and nearly all have nothing to be told.
SELECT w.client_id
FROM jsonb_to_recordset(%(known)s) AS w (client_id text, session text, connection integer, secret text)
LEFT JOIN client_sessions s ON s.client_id = w.client_id
LEFT JOIN clients c ON c.id = w.client_id
WHERE NOT coalesce(
        s.session = w.session AND s.connection <= w.connection AND s.presence = 'online' AND s.keep_away IS NULL
        AND c.status = 'active' AND c.secret_sha256 = decode(w.secret, 'hex'),
        false
    )
    OR EXISTS (SELECT FROM commands h WHERE h.client_id = w.client_id AND h.status IN ('queued', 'running'))
    OR EXISTS (
        SELECT FROM commands u
        WHERE u.client_id = w.client_id AND u.status = 'unknown' AND u.unknown_reason = 'no_word'
            AND u.dead_letter_closed_at IS NULL
    );

-- name: held
-- What these clients hold or gave no word about, and how often each was sent: without payloads, since it is asked often.
SELECT c.*
FROM unnest(%(client_ids)s::text[]) AS wanted (client_id)
JOIN client_sessions s ON s.client_id = wanted.client_id AND s.keep_away IS NULL
CROSS JOIN LATERAL (
    (
        SELECT
            h.client_id, h.id, h.attempt, h.sends, h.priority, h.cancel_id, h.cancel_sends,
            h.cancel_requested_at IS NOT NULL AS cancelled, false AS unknown
        FROM commands h
        WHERE h.client_id = wanted.client_id AND h.status IN ('queued', 'running')
    )
    UNION ALL
    (
        SELECT u.client_id, u.id, u.attempt, u.sends, u.priority, NULL, 0, false, true
        FROM commands u
        WHERE u.client_id = wanted.client_id AND u.status = 'unknown' AND u.unknown_reason = 'no_word'
            AND u.dead_letter_closed_at IS NULL
        LIMIT 50
    )
) c
ORDER BY c.client_id, c.priority DESC, c.id;

-- name: runs
-- Attempts to be sent, as `resend` gives them.
SELECT
    id, client_id, attempt, lane, action, payload, priority, queued_at AS issued_at, expires_at, timeout_s,
    on_interrupt, journal, order_key, traceparent
FROM commands
WHERE id = ANY (%(ids)s::uuid[]) AND status IN ('queued', 'running', 'unknown')
ORDER BY priority DESC, id;

-- name: standing
-- Where a command is, and whether a report about it left a row in its log.
SELECT
    c.client_id, c.status, c.attempt, floorhub_now() AS now,
    EXISTS (SELECT FROM command_logs l WHERE l.command_id = c.id AND l.report_id = %(report_id)s) AS known
FROM commands c
WHERE c.id = %(id)s;

-- name: add_result
-- What came out of an attempt whose end was told before, without it: kept unless there is something already.
WITH added AS (
    UPDATE commands c
    SET result = %(result)s, version = c.version + 1
    WHERE c.id = %(id)s AND c.status = %(status)s AND c.attempt = %(attempt)s
        AND coalesce(c.result -> 'data', '{}'::jsonb) = '{}'::jsonb
    RETURNING c.id, c.version, c.status, c.attempt
)
INSERT INTO command_logs (command_id, version, at, event, status, attempt, detail)
SELECT id, version, floorhub_now(), 'evidence', status, attempt, jsonb_build_object('result', %(result)s::jsonb)
FROM added;
