-- fragment: locked_columns
-- Of `commands c`: what decisions about a command depend on, and the clock. `restored`: the last restore that could
-- compare nothing is younger than the command, so that the client may know more of it than the hub.
c.id, c.client_id, c.status, c.version, c.attempt, c.max_retries, c.back_off, c.expires_at, c.timeout_s, c.on_interrupt,
c.cancel_requested_at, c.held_reasons, c.accepted_at, c.unknown_reason, c.deadline_at, c.created_at, c.finished_at,
c.dead_letter_reason, c.dead_letter_closed_by, c.lease_until, c.goodbye_at, floorhub_now() AS now,
coalesce(c.created_at <= (SELECT max(at) FROM restores WHERE NOT compared), false) AS restored

-- name: lock
-- Commands about which something is to be decided, locked in id order so that two workers cannot deadlock, with the
-- database's clock and the reports of this batch that already left a row in the log.
SELECT
    {locked_columns},
    ARRAY(
        SELECT l.report_id FROM command_logs l
        WHERE l.command_id = c.id AND l.report_id = ANY (%(report_ids)s)
    ) AS seen
FROM commands c
WHERE c.id = ANY (%(ids)s)
ORDER BY c.id
FOR UPDATE OF c;

-- name: lock_overdue
-- Commands whose deadline has passed; what another worker decides just now is left to it.
SELECT {locked_columns}, ARRAY[]::uuid[] AS seen
FROM commands c
WHERE c.deadline_at <= floorhub_now()
ORDER BY c.deadline_at
LIMIT %(most)s
FOR UPDATE OF c SKIP LOCKED;

-- name: lock_handed_out
-- What a client holds, when its journal turns out to be lost.
SELECT {locked_columns}, ARRAY[]::uuid[] AS seen
FROM commands c
WHERE c.client_id = %(client_id)s AND c.status IN ('queued', 'running')
ORDER BY c.id
FOR UPDATE OF c;

-- name: lock_restored
-- What a restored database shows as not handed out, and what was not handed out since the restore either: the client's
-- journal of then may know more. Few databases were ever restored: then nothing of `commands` is read.
SELECT {locked_columns}, ARRAY[]::uuid[] AS seen
FROM commands c
WHERE c.client_id = %(client_id)s AND c.status = 'pending' AND c.deadline_at IS NOT NULL AND c.on_interrupt <> 'rerun'
    AND c.created_at <= (SELECT max(at) FROM restores WHERE NOT compared)
    AND coalesce(c.queued_at <= (SELECT max(at) FROM restores WHERE NOT compared), true)
ORDER BY c.id
FOR UPDATE OF c;

-- name: lock_shutdowns
-- The shutdowns that clients hold, when these say good-bye or come back (`said`: a good-bye was heard already). The
-- good-bye must have come when the agent's delay was over: what takes it away before that is something else. Half a
-- minute of play, since the word of its start may have come late.
SELECT {locked_columns}, ARRAY[]::uuid[] AS seen
FROM commands c
JOIN client_sessions s ON s.client_id = c.client_id AND s.keep_away IS NULL
WHERE c.client_id = ANY (%(client_ids)s) AND c.status IN ('queued', 'running') AND c.action = 'shutdown'
    AND (c.goodbye_at IS NOT NULL) = %(said)s::boolean
    AND (%(said)s::boolean OR floorhub_now() >= coalesce(c.started_at, c.queued_at)
        + make_interval(secs => coalesce((c.payload ->> 'delay_s')::double precision, 0) - 30))
ORDER BY c.id
FOR UPDATE OF c;

-- name: lock_reboots
-- The reboots that a client has begun, whose delay is over: what boots a machine before that is something else. Where
-- the word of the start came late, the agent itself says what became of it.
SELECT {locked_columns}, ARRAY[]::uuid[] AS seen
FROM commands c
WHERE c.client_id = %(client_id)s AND c.status = 'running' AND c.action = 'reboot'
    AND floorhub_now() >= c.started_at + make_interval(secs => coalesce((c.payload ->> 'delay_s')::double precision, 3))
ORDER BY c.id
FOR UPDATE OF c;

-- name: apply
-- The guarded move: to `status` if the command is still in `from_status` with `from_attempt`, `from_version` and
-- `from_deadline_at`: whatever a decision depends on changes one of them, so it may rest on a memory of the row.
-- The rows that come back are the ones that moved, whole where it has ended and somebody here awaits that (not where a replay
-- closed it, whose id is in another row). Each entry of `logs` becomes a row of command_logs with the
-- versions after `from_version`; a change without a log row keeps the version.
WITH input AS MATERIALIZED (
    SELECT r.*
    FROM jsonb_to_recordset(%(rows)s) AS r (
        id uuid, from_status text, from_attempt integer, from_version integer, status text, attempt integer,
        not_before timestamptz, scheduled boolean, lease_until timestamptz, accepted_at timestamptz,
        started_at timestamptz, held_reasons text[], finished_at timestamptz, deadline_at timestamptz,
        cancel_requested_at timestamptz, cancel_lease_until timestamptz, progress jsonb, result jsonb, error jsonb,
        unknown_reason text, dead_letter_reason text, dead_letter_closed_at timestamptz, dead_letter_closed_by text,
        sent_at timestamptz, goodbye_at timestamptz, from_deadline_at timestamptz, answered boolean, next_lease_until timestamptz,
        logs jsonb
    )
),
moved AS (
    UPDATE commands c
    SET
        status = i.status,
        version = c.version + jsonb_array_length(i.logs),
        attempt = i.attempt,
        not_before = coalesce(i.not_before, c.not_before),
        scheduled = coalesce(i.scheduled, c.scheduled),
        lease_until = CASE
            -- The agent's word ends the sending, or puts it off while it has not begun: whether it answers this offer or
            -- tells what it knew before, nobody can say, so what is due stays due. `busy` and a lost journal set a time.
            WHEN i.lease_until IS NOT NULL AND i.status IN ('queued', 'running') THEN i.lease_until
            WHEN i.status = 'queued' AND i.answered AND c.lease_until > floorhub_now() THEN i.next_lease_until
            WHEN i.status = 'queued' OR (i.status = 'running' AND NOT i.answered) THEN c.lease_until
        END,
        sent_at = coalesce(c.sent_at, i.sent_at),
        accepted_at = coalesce(i.accepted_at, c.accepted_at),
        started_at = coalesce(i.started_at, c.started_at),
        held_reasons = i.held_reasons,
        finished_at = i.finished_at,
        deadline_at = i.deadline_at,
        cancel_requested_at = coalesce(i.cancel_requested_at, c.cancel_requested_at),
        cancel_lease_until = CASE
            WHEN i.status IN ('queued', 'running') THEN coalesce(i.cancel_lease_until, c.cancel_lease_until)
        END,
        progress = coalesce(i.progress, c.progress),
        result = coalesce(i.result, c.result),
        error = CASE WHEN i.status = 'completed' THEN NULL ELSE coalesce(i.error, c.error) END,
        unknown_reason = i.unknown_reason,
        goodbye_at = i.goodbye_at,
        dead_letter_reason = coalesce(i.dead_letter_reason, c.dead_letter_reason),
        dead_letter_closed_at = coalesce(i.dead_letter_closed_at, c.dead_letter_closed_at),
        dead_letter_closed_by = coalesce(i.dead_letter_closed_by, c.dead_letter_closed_by)
    FROM input i
    WHERE c.id = i.id AND c.status = i.from_status AND c.attempt = i.from_attempt AND c.version = i.from_version
        AND c.deadline_at IS NOT DISTINCT FROM i.from_deadline_at
    RETURNING
        c.id, i.from_version, i.logs,
        CASE
            WHEN c.finished_at IS NOT NULL AND c.id = ANY (%(awaited)s) AND c.dead_letter_closed_by IS DISTINCT FROM 'replayed'
            THEN to_jsonb(c)
        END AS ended
),
logged AS (
    INSERT INTO command_logs (command_id, version, at, event, status, attempt, report_id, detail)
    SELECT
        m.id, m.from_version + l.place::integer, floorhub_now(), l.entry ->> 'event', l.entry ->> 'status',
        (l.entry ->> 'attempt')::integer, (l.entry ->> 'report_id')::uuid, nullif(l.entry -> 'detail', 'null'::jsonb)
    FROM moved m
    CROSS JOIN LATERAL jsonb_array_elements(m.logs) WITH ORDINALITY AS l (entry, place)
)
SELECT id, floorhub_now() AS now, ended FROM moved;

-- name: quarantine
-- Reports that could not be used; the sender gets its receipt, people get the reason.
INSERT INTO report_quarantine (client_id, report_id, command_id, at, reason, report)
SELECT r.client_id, r.report_id, r.command_id, floorhub_now(), r.reason, r.report
FROM jsonb_to_recordset(%(rows)s) AS r (client_id text, report_id uuid, command_id uuid, reason text, report text);

-- name: delete_quarantine
WITH old AS MATERIALIZED (
    SELECT ctid FROM report_quarantine
    WHERE at < %(before)s
    ORDER BY at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM report_quarantine q USING old WHERE q.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'quarantined_report', 'id', q.id, 'row', to_jsonb(q))::text AS line;

-- name: count_quarantine
SELECT count(*) AS number FROM report_quarantine WHERE at < %(before)s;
