-- fragment: takes_commands
-- Of `clients c` and `client_sessions s`.
-- Nothing goes to a journal of which no epoch was confirmed: nobody knows yet whether it exists.
c.status = 'active' AND s.keep_away IS NULL AND s.journal IS NOT NULL AND s.epoch_confirmed >= s.journal_epoch
AND s.presence <> 'offline'

-- fragment: run_columns
-- Of `commands c`: what a run message says.
c.id, c.client_id, c.attempt, c.lane, c.action, c.payload, c.priority, c.queued_at AS issued_at, c.expires_at,
c.timeout_s, c.on_interrupt, c.journal, c.order_key, c.traceparent

-- fragment: goes_by_its_order_key
-- A command with an order key waits while an older one of its key is unfinished or waits for a person; a replay has the
-- place of what it replays.
(c.order_key IS NULL OR NOT EXISTS (
    SELECT FROM commands o
    WHERE o.client_id = c.client_id AND o.order_key = c.order_key
        AND coalesce(o.order_place, o.id) < coalesce(c.order_place, c.id)
        AND (o.status IN ('pending', 'queued', 'running')
            OR (o.dead_letter_reason IS NOT NULL AND o.dead_letter_closed_at IS NULL))
))

-- name: clients_with_work
-- Clients that have something due, found by hopping over the index from client to client: the poll behind the events.
WITH RECURSIVE hop AS (
    (
        SELECT client_id FROM commands
        WHERE status = 'pending' AND NOT scheduled
        ORDER BY client_id LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT c.client_id FROM commands c
        WHERE c.status = 'pending' AND NOT c.scheduled AND c.client_id > hop.client_id
        ORDER BY c.client_id LIMIT 1
    )
    FROM hop WHERE hop.client_id IS NOT NULL
)
SELECT h.client_id
FROM hop h
JOIN client_sessions s ON s.client_id = h.client_id
JOIN clients c ON c.id = h.client_id
WHERE {takes_commands};

-- name: lock_clients
-- First statement of a claim: the clients whose windows this worker fills now. In id order; whoever another worker
-- holds is left out and comes again. The transaction itself keeps the list for the second statement, so that both can
-- be sent at once.
SELECT set_config('floorhub.locked_clients', coalesce(string_agg(client_id, ','), ''), true) AS locked
FROM (
    SELECT d.client_id
    FROM client_dispatch d
    WHERE d.client_id = ANY (%(client_ids)s)
    ORDER BY d.client_id
    FOR UPDATE OF d SKIP LOCKED
) held;

-- name: claim
-- Second statement, with a fresh snapshot: pending -> queued up to the free window of each lane and client. Without the
-- first one, by a worker that is the only one, it is given the clients itself.
-- Urgent commands (priority >= urgent) go first and find one more slot in each lane, beyond the client's window, too.
-- When a lane's count of claims passes a multiple of `oldest_every`, its oldest command takes a slot.
WITH clock AS MATERIALIZED (
    SELECT floorhub_now() AS at
),
ready AS MATERIALIZED (
    SELECT s.client_id, s.journal
    FROM client_sessions s
    JOIN clients c ON c.id = s.client_id
    WHERE s.client_id = ANY (
            coalesce(%(client_ids)s::text[], string_to_array(current_setting('floorhub.locked_clients', true), ','))
        )
        AND {takes_commands}
),
held_by_agent AS MATERIALIZED (
    SELECT c.client_id, c.lane, count(*) AS used
    FROM commands c
    WHERE c.status IN ('queued', 'running') AND c.client_id IN (SELECT client_id FROM ready)
    GROUP BY c.client_id, c.lane
),
lanes AS MATERIALIZED (
    SELECT
        l.client_id, l.lane, l.claims,
        greatest(%(per_lane)s - coalesce(h.used, 0), 0) AS free,
        greatest(%(per_lane)s + 1 - coalesce(h.used, 0), 0) AS urgent_free
    FROM client_lanes l
    JOIN ready USING (client_id)
    LEFT JOIN held_by_agent h ON h.client_id = l.client_id AND h.lane = l.lane
),
candidates AS (
    SELECT lanes.*, best.id, best.priority, false AS by_age
    FROM lanes
    CROSS JOIN LATERAL (
        SELECT c.id, c.priority
        FROM commands c
        WHERE c.client_id = lanes.client_id AND c.lane = lanes.lane AND c.status = 'pending' AND NOT c.scheduled
            AND {goes_by_its_order_key}
        ORDER BY c.priority DESC, c.id
        LIMIT lanes.urgent_free
    ) best
    UNION ALL
    SELECT lanes.*, oldest.id, oldest.priority, true
    FROM lanes
    CROSS JOIN LATERAL (
        -- One probe of the index per priority finds the oldest without reading a long queue.
        SELECT head.id, head.priority
        FROM generate_series(1, %(urgent)s - 1) AS p (priority)
        CROSS JOIN LATERAL (
            SELECT c.id, c.priority
            FROM commands c
            WHERE c.client_id = lanes.client_id AND c.lane = lanes.lane AND c.status = 'pending' AND NOT c.scheduled
                AND c.priority = p.priority::smallint
                AND {goes_by_its_order_key}
            ORDER BY c.id
            LIMIT 1
        ) head
        ORDER BY head.id
        LIMIT 1
    ) oldest
    WHERE lanes.free > 0
        AND (lanes.claims + lanes.free) / %(oldest_every)s > lanes.claims / %(oldest_every)s
),
ranked AS (
    SELECT
        client_id, lane, free, urgent_free, id, priority,
        row_number() OVER (
            PARTITION BY client_id, lane
            ORDER BY (priority >= %(urgent)s) DESC, bool_or(by_age) DESC, priority DESC, id
        ) AS lane_place
    FROM candidates
    GROUP BY client_id, lane, free, urgent_free, id, priority
),
fitting AS (
    SELECT
        ranked.*,
        row_number() OVER (
            PARTITION BY client_id ORDER BY (priority >= %(urgent)s) DESC, lane_place, priority DESC, id
        ) AS client_place
    FROM ranked
    WHERE lane_place <= CASE WHEN priority >= %(urgent)s THEN urgent_free ELSE free END
),
chosen AS MATERIALIZED (
    SELECT f.id
    FROM fitting f
    LEFT JOIN (SELECT client_id, sum(used) AS used FROM held_by_agent GROUP BY client_id) h USING (client_id)
    WHERE f.priority >= %(urgent)s OR f.client_place <= %(per_client)s - coalesce(h.used, 0)
),
locked AS MATERIALIZED (
    -- What somebody decides about just now is left to them; to wait here, in order of priority, could deadlock with
    -- whoever locks several in order of their ids.
    SELECT c.id, c.client_id, c.lane
    FROM chosen
    JOIN commands c ON c.id = chosen.id
    -- Looked at again when the lock is held: its batch may have been paused meanwhile.
    WHERE c.status = 'pending' AND NOT c.scheduled
    FOR UPDATE OF c SKIP LOCKED
),
counted AS (
    UPDATE client_lanes l
    SET claims = l.claims + t.taken
    FROM (SELECT client_id, lane, count(*) AS taken FROM locked GROUP BY client_id, lane) t
    WHERE l.client_id = t.client_id AND l.lane = t.lane
),
claimed AS (
    UPDATE commands c
    SET
        status = 'queued', version = c.version + 1, queued_at = clock.at, journal = ready.journal, sends = 1,
        lease_until = clock.at + make_interval(secs => %(lease_s)s), sent_at = NULL, accepted_at = NULL,
        started_at = NULL,
        deadline_at = c.expires_at + make_interval(secs => %(grace_s)s)
    FROM locked, clock, ready
    WHERE c.id = locked.id AND ready.client_id = c.client_id
    RETURNING c.*
),
logged AS (
    INSERT INTO command_logs (command_id, version, at, event, status, attempt)
    SELECT id, version, queued_at, 'queued', 'queued', attempt FROM claimed
),
left_over AS MATERIALIZED (
    -- The order is the index's, so that it is read from its beginning, and not more of it than a claim can take.
    SELECT DISTINCT lanes.client_id
    FROM lanes
    CROSS JOIN LATERAL (
        SELECT c.id
        FROM commands c
        WHERE c.client_id = lanes.client_id AND c.lane = lanes.lane AND c.status = 'pending' AND NOT c.scheduled
        ORDER BY c.priority DESC, c.id
        LIMIT %(per_lane)s + 2
    ) due
    WHERE due.id NOT IN (SELECT id FROM locked)
)
SELECT
    {run_columns}, c.version, c.max_retries, c.back_off, c.created_at, c.deadline_at,
    c.client_id IN (SELECT client_id FROM left_over) AS left_over
FROM claimed c
ORDER BY c.client_id, c.priority DESC, c.id;

-- name: resend
-- Commands handed out whose lease ran out without a word: the same attempt goes again, the next lease is longer
-- (5, 10, 20, then 30 s). Claiming never changes the attempt. An unknown one without word is offered once per birth.
WITH clock AS MATERIALIZED (
    SELECT floorhub_now() AS at
),
due AS (
    SELECT c.id
    FROM commands c
    JOIN client_sessions s ON s.client_id = c.client_id
    CROSS JOIN clock
    WHERE c.lease_until <= clock.at
        AND s.presence <> 'offline' AND s.keep_away IS NULL
    ORDER BY c.lease_until
    LIMIT %(most)s
    FOR UPDATE OF c SKIP LOCKED
)
UPDATE commands c
SET
    sends = c.sends + 1,
    lease_until = CASE
        WHEN c.status <> 'unknown' THEN clock.at + make_interval(secs => least(5 * 2 ^ least(c.sends, 3), 30))
    END
FROM due, clock
WHERE c.id = due.id AND c.status IN ('queued', 'running', 'unknown')
RETURNING
    {run_columns},
    -- An agent that knows less than this has an older copy of its journal. What may run twice need not be told.
    CASE
        WHEN c.on_interrupt = 'rerun' THEN NULL
        WHEN c.started_at IS NOT NULL THEN 'started'
        WHEN c.accepted_at IS NOT NULL THEN 'accepted'
    END AS heard;

-- name: resend_cancels
-- Cancels that the agent has not answered: delivered again until it does.
WITH clock AS MATERIALIZED (
    SELECT floorhub_now() AS at
),
due AS (
    SELECT c.id
    FROM commands c
    JOIN client_sessions s ON s.client_id = c.client_id
    CROSS JOIN clock
    WHERE c.cancel_lease_until <= clock.at
        AND s.presence <> 'offline' AND s.keep_away IS NULL
    ORDER BY c.cancel_lease_until
    LIMIT %(most)s
    FOR UPDATE OF c SKIP LOCKED
)
UPDATE commands c
SET
    cancel_sends = c.cancel_sends + 1,
    cancel_id = coalesce(c.cancel_id, gen_random_uuid()),
    cancel_lease_until = CASE
        WHEN c.status IN ('queued', 'running')
            THEN clock.at + make_interval(secs => least(5 * 2 ^ least(c.cancel_sends, 3), 30))
    END
FROM due, clock
WHERE c.id = due.id
RETURNING c.id, c.client_id, c.cancel_id, c.status;

-- name: offer_again
-- After a birth: what was handed out to this client, also unknown without word, goes again at once so that its
-- journal answers; cancels first. What is still handed out belongs to the client's present journal: after the loss
-- of a journal only commands that may run twice are left.
WITH held AS MATERIALIZED (
    SELECT id FROM commands
    WHERE client_id = %(client_id)s
        AND (status IN ('queued', 'running')
            OR (status = 'unknown' AND unknown_reason = 'no_word' AND dead_letter_closed_at IS NULL))
    ORDER BY id
    FOR UPDATE
)
UPDATE commands c
SET
    journal = CASE WHEN c.status = 'unknown' THEN c.journal ELSE %(journal)s END,
    lease_until = floorhub_now(),
    cancel_lease_until = CASE WHEN c.cancel_requested_at IS NOT NULL AND c.status <> 'unknown' THEN floorhub_now() END
FROM held
WHERE c.id = held.id
RETURNING c.id;

-- name: ask_again
-- After a start: what the agents have, as far as this database knows. It may come from a backup, and what became of these
-- may have been receipted since, so that no agent tells of it unasked. Spread over some seconds.
WITH held AS MATERIALIZED (
    SELECT c.id
    FROM commands c
    JOIN client_sessions s ON s.client_id = c.client_id
    WHERE s.presence <> 'offline' AND s.keep_away IS NULL
        AND (c.status = 'running' OR (c.status = 'queued' AND c.accepted_at IS NOT NULL))
    ORDER BY c.id
    FOR UPDATE OF c SKIP LOCKED
)
UPDATE commands c
SET lease_until = least(c.lease_until, floorhub_now() + random() * make_interval(secs => %(spread_s)s))
FROM held
WHERE c.id = held.id
RETURNING c.id;

-- name: mark_sent
-- PUBACK says that the broker had it once: a time for people, nothing else.
-- `ages_s` says how many seconds ago each PUBACK came: they are written down a little later, together.
WITH sent AS MATERIALIZED (
    SELECT c.id, i.age_s
    FROM unnest(%(ids)s::uuid[], %(ages_s)s::float[]) AS i (id, age_s)
    JOIN commands c ON c.id = i.id
    WHERE c.sent_at IS NULL
    ORDER BY c.id
    FOR UPDATE OF c
)
UPDATE commands c
SET sent_at = floorhub_now() - make_interval(secs => sent.age_s)
FROM sent
WHERE c.id = sent.id;

-- name: wake_scheduled
-- What has become due enters the index that dispatch reads, unless its batch holds it back. Answers with the clients
-- that have work now.
WITH due AS MATERIALIZED (
    SELECT id FROM commands
    WHERE scheduled AND NOT on_hold AND not_before <= floorhub_now()
    ORDER BY not_before
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
UPDATE commands c
SET scheduled = false
FROM due
WHERE c.id = due.id
RETURNING c.client_id;

-- name: next_due
-- Seconds until the next scheduled command or deadline is due; NULL when there is none.
SELECT extract(epoch FROM least(
    (SELECT min(not_before) FROM commands WHERE scheduled AND NOT on_hold),
    (SELECT min(deadline_at) FROM commands WHERE deadline_at IS NOT NULL)
) - floorhub_now())::double precision AS seconds;
