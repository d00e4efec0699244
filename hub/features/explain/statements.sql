-- name: facts
-- What is known about why commands have not run yet; a row for each that there is. Each part reads a small index;
-- lists of other commands are cut off, for people read them.
SELECT
    c.id, c.client_id, c.status, c.attempt, c.max_retries, c.lane, c.priority, c.not_before, c.scheduled, c.on_hold,
    c.batch_id, c.expires_at, c.sends, c.queued_at, c.sent_at, c.lease_until, c.accepted_at, c.started_at, c.held_reasons,
    c.goodbye_at, c.withheld_at,
    c.progress, c.cancel_requested_at, c.error, c.unknown_reason, c.order_key,
    floorhub_now() AS now, k.status AS client_status, s.presence, s.presence_since, s.session,
    s.keep_away IS NOT NULL AS fenced, s.epoch_confirmed < s.journal_epoch AS unconfirmed,
    s.state ->> 'distrusts' AS distrusts,
    b.status AS batch_status, b.stop_reason, b.per_minute,
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
LEFT JOIN batches b ON b.id = c.batch_id
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
WHERE c.id = ANY (%(ids)s);

-- name: hidden
-- Those of these ids that belong to a command which a caller may not read, or to somebody else's batch.
SELECT c.id
FROM commands c
WHERE c.id = ANY (%(ids)s)
    AND NOT floorhub_allows(%(scope_principal)s, %(scope_key)s, 'read', c.client_id, c.action)
UNION ALL
SELECT b.id FROM batches b WHERE b.id = ANY (%(ids)s) AND b.created_by <> %(scope_principal)s;

-- name: stalled
-- Commands that are next in their lanes and have been for too long although their client is there: one of each lane, and
-- not many. Reads the beginning of each lane's part of a small index.
SELECT due.id
FROM client_sessions s
JOIN client_lanes l ON l.client_id = s.client_id
CROSS JOIN LATERAL (
    SELECT c.id, greatest(c.created_at, c.not_before) AS since
    FROM commands c
    WHERE c.client_id = l.client_id AND c.lane = l.lane AND c.status = 'pending' AND NOT c.scheduled
    ORDER BY c.priority DESC, c.id
    LIMIT 1
) due
WHERE s.presence = 'online' AND due.since < floorhub_now() - make_interval(secs => %(longer_than_s)s)
LIMIT %(most)s;
