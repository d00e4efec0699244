-- name: facts
-- What is known about why a command stands where it stands; one row, or none. Each part reads a small index; lists of
-- other commands are cut off, for people read them.
SELECT
    c.id, c.client_id, c.status, c.attempt, c.max_retries, c.lane, c.priority, c.not_before, c.scheduled, c.on_hold,
    c.batch_id, c.expires_at, c.sends, c.sent_at, c.lease_until, c.accepted_at, c.started_at, c.held_reasons,
    c.progress, c.cancel_requested_at, c.error, c.order_key,
    floorhub_now() AS now, k.status AS client_status, s.presence, s.presence_since, s.session IS NOT NULL AS seen,
    s.keep_away IS NOT NULL AS kept_away,
    blocker.id AS blocker, blocker.dead AS blocker_is_dead_letter,
    coalesce(lane_now.ids, ARRAY[]::uuid[]) AS in_lane,
    coalesce(client_now.number, 0) AS at_client,
    CASE WHEN c.status = 'pending' THEN ARRAY(
        SELECT o.id
        FROM commands o
        WHERE o.client_id = c.client_id AND o.lane = c.lane AND o.status = 'pending' AND NOT o.scheduled
            AND (o.priority > c.priority OR (o.priority = c.priority AND o.id < c.id))
        ORDER BY o.priority DESC, o.id
        LIMIT 5
    ) ELSE ARRAY[]::uuid[] END AS ahead,
    running.id AS lane_runs
FROM commands c
JOIN clients k ON k.id = c.client_id
LEFT JOIN client_sessions s ON s.client_id = c.client_id
LEFT JOIN LATERAL (
    SELECT o.id, o.finished_at IS NOT NULL AS dead
    FROM commands o
    WHERE c.status = 'pending' AND o.client_id = c.client_id AND o.order_key = c.order_key
        AND coalesce(o.order_place, o.id) < coalesce(c.order_place, c.id)
        AND (o.status IN ('pending', 'queued', 'running')
            OR (o.dead_letter_reason IS NOT NULL AND o.dead_letter_closed_at IS NULL))
    ORDER BY coalesce(o.order_place, o.id)
    LIMIT 1
) blocker ON true
LEFT JOIN LATERAL (
    SELECT array_agg(o.id ORDER BY o.id) AS ids
    FROM commands o
    WHERE o.client_id = c.client_id AND o.lane = c.lane AND o.status IN ('queued', 'running') AND o.id <> c.id
) lane_now ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS number
    FROM commands o
    WHERE o.client_id = c.client_id AND o.status IN ('queued', 'running') AND o.id <> c.id
) client_now ON true
LEFT JOIN LATERAL (
    SELECT o.id
    FROM commands o
    WHERE o.client_id = c.client_id AND o.lane = c.lane AND o.status = 'running' AND o.id <> c.id
    LIMIT 1
) running ON true
WHERE c.id = %(id)s;
