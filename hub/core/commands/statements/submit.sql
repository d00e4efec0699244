-- name: submit
-- Accept commands: judge each, take the quota, write command, log, audit, idempotency key and lane in one statement.
-- Nothing -> pending; in a batch also nothing -> rejected, so that each target has its row. One input row per command, in
-- order of `n` (its place); several requests share one call (group commit).
-- A key that exists already: the row is refused as `repeated`; a key that comes into being meanwhile makes the whole
-- statement fail (unique violation), which takes everything back.
-- Rows of client_usage are locked in client-id order, so overlapping calls cannot deadlock.
-- Of a client that is out of its principal's reach nothing is read or locked: the answer is that of one that there is not.
WITH clock AS MATERIALIZED (
    SELECT floorhub_now() AS at
),
input AS MATERIALIZED (
    SELECT
        r.*,
        NOT r.limited OR floorhub_allows(r.created_by, r.scope_key, 'command', r.client_id, r.action) AS allowed
    FROM ROWS FROM (jsonb_to_recordset(%(rows)s) AS (
        id uuid, client_id text, batch_id uuid, action text, lane text, payload jsonb, document_ids uuid[],
        priority smallint, max_retries integer, not_before timestamptz, expires_at timestamptz, expires_in_s float,
        timeout_s float, on_interrupt text, order_key text, when_offline text, reference text, tags text[],
        estimated_duration_s float, traceparent text, created_by uuid, address text,
        idempotency_route text, idempotency_key text, request_sha256 text, replay_of uuid, order_place uuid, back_off jsonb,
        limited boolean, scope_key uuid
    )) WITH ORDINALITY AS r (
        id, client_id, batch_id, action, lane, payload, document_ids, priority, max_retries, not_before, expires_at,
        expires_in_s, timeout_s, on_interrupt, order_key, when_offline, reference, tags, estimated_duration_s,
        traceparent, created_by, address, idempotency_route, idempotency_key, request_sha256, replay_of, order_place,
        back_off, limited, scope_key, n
    )
),
today AS MATERIALIZED (
    SELECT q.day, q.day_reset, date_trunc('minute', clock.at) AS minute FROM clock, floorhub_quota_day(clock.at) q
),
usage AS MATERIALIZED (
    -- Whoever waited for the row over the turn of a minute or day finds it one ahead of the own clock and counts
    -- there: to begin anew would take back what others have counted. What lies further ahead was written before the
    -- clock was set back, and no longer counts.
    SELECT
        u.client_id,
        CASE WHEN u.day = t.day + 1 THEN u.day ELSE t.day END AS day,
        CASE WHEN u.day IN (t.day, t.day + 1) THEN u.day_used ELSE 0 END AS day_used,
        CASE WHEN u.minute = t.minute + interval '1 minute' THEN u.minute ELSE t.minute END AS minute,
        CASE WHEN u.minute IN (t.minute, t.minute + interval '1 minute') THEN u.minute_used ELSE 0 END AS minute_used,
        CASE WHEN u.refused_day IN (t.day, t.day + 1) THEN u.day_refused ELSE 0 END AS day_refused
    FROM client_usage u, today t
    WHERE u.client_id IN (SELECT client_id FROM input WHERE allowed)
    ORDER BY u.client_id
    FOR UPDATE OF u
),
judged AS (
    SELECT
        i.n,
        i.client_id,
        p.rate_limit AS minute_limit,
        p.max_commands_per_day AS day_limit,
        p.rate_limit - usage.minute_used AS minute_left,
        p.max_commands_per_day - usage.day_used AS day_left,
        coalesce(i.expires_at, greatest(coalesce(i.not_before, clock.at), clock.at) + make_interval(secs => i.expires_in_s))
            AS expires_at,
        coalesce(i.not_before > clock.at, false) AS scheduled,
        clock.at,
        CASE
            WHEN k.command_id IS NOT NULL THEN 'repeated'
            WHEN c.id IS NULL AND i.allowed THEN 'client_not_found'
            -- Asked of a client that there is not, too: the answer takes as long.
            WHEN NOT i.allowed THEN CASE
                WHEN floorhub_allows(i.created_by, i.scope_key, 'read', i.client_id, NULL) AND c.id IS NOT NULL
                    THEN 'grant_missing'
                ELSE 'client_not_found'
            END
            WHEN c.status = 'retired' THEN 'client_retired'
            WHEN c.status = 'disabled' THEN 'client_disabled'
            WHEN p.allowed_actions IS NOT NULL AND NOT i.action = ANY (p.allowed_actions) THEN 'action_not_allowed'
            WHEN i.when_offline = 'fail' AND s.presence <> 'online' THEN 'client_offline'
            WHEN i.expires_at <= clock.at THEN 'already_expired'
            WHEN i.expires_at <= i.not_before THEN 'never_due'
            WHEN (
                SELECT count(*) FROM documents d
                WHERE d.id = ANY (i.document_ids)
                    AND (NOT i.limited OR floorhub_reads_document(i.created_by, i.scope_key, true, d.id))
            ) < cardinality(i.document_ids) THEN 'document_not_found'
        END AS refusal
    FROM input i
    CROSS JOIN clock
    LEFT JOIN clients c ON c.id = i.client_id
    LEFT JOIN client_permissions p ON p.client_id = i.client_id
    LEFT JOIN client_sessions s ON s.client_id = i.client_id
    LEFT JOIN usage ON usage.client_id = i.client_id
    LEFT JOIN idempotency_keys k
        ON k.principal_id = i.created_by AND k.route = i.idempotency_route AND k.key = i.idempotency_key
),
placed AS (
    SELECT judged.*, row_number() OVER (PARTITION BY client_id, refusal IS NULL ORDER BY n) AS place
    FROM judged
),
decided AS MATERIALIZED (
    SELECT
        placed.*,
        coalesce(
            refusal,
            CASE WHEN place > day_left THEN 'quota_exceeded' WHEN place > minute_left THEN 'rate_limited' END
        ) AS verdict
    FROM placed
),
kept AS MATERIALIZED (
    -- What becomes a row: what is accepted, and what a batch was refused, except for clients that there are not.
    SELECT i.*, d.verdict, d.at, d.expires_at AS until, d.scheduled
    FROM input i
    JOIN decided d USING (n)
    WHERE d.verdict IS NULL OR (i.batch_id IS NOT NULL AND d.verdict <> 'client_not_found')
),
taken AS (
    -- What is refused takes nothing of the limit, but it is counted; see `suspect`.
    UPDATE client_usage u
    SET
        day = usage.day,
        day_used = usage.day_used + t.accepted,
        minute = usage.minute,
        minute_used = usage.minute_used + t.accepted,
        day_refused = usage.day_refused + t.over,
        refused_day = usage.day
    FROM (
        SELECT
            client_id,
            count(*) FILTER (WHERE verdict IS NULL) AS accepted,
            count(*) FILTER (WHERE verdict = 'quota_exceeded') AS over
        FROM decided
        WHERE verdict IS NULL OR verdict = 'quota_exceeded'
        GROUP BY client_id
    ) t
    JOIN usage USING (client_id)
    WHERE u.client_id = t.client_id
),
written AS (
    INSERT INTO commands (
        id, client_id, batch_id, action, lane, payload, document_ids, priority, status, version, attempt, max_retries,
        not_before, scheduled, expires_at, timeout_s, on_interrupt, order_key, when_offline, reference, tags,
        estimated_duration_s, traceparent, created_by, created_at, sends, deadline_at, cancel_sends, replay_of,
        order_place, back_off, finished_at, error
    )
    SELECT
        id, client_id, batch_id, action, lane, payload, document_ids, priority,
        CASE WHEN verdict IS NULL THEN 'pending' ELSE 'rejected' END, 1, 1,
        max_retries, not_before, scheduled AND verdict IS NULL, until, timeout_s, on_interrupt, order_key,
        when_offline, reference, tags, estimated_duration_s, traceparent, created_by, at, 0,
        CASE WHEN verdict IS NULL THEN until END, 0, replay_of, order_place, back_off,
        CASE WHEN verdict IS NOT NULL THEN at END,
        CASE WHEN verdict IS NOT NULL
            THEN jsonb_build_object('code', verdict, 'message', 'refused when the batch was accepted', 'retryable', false)
        END
    FROM kept
),
logged AS (
    INSERT INTO command_logs (command_id, version, at, event, status, attempt, detail)
    SELECT
        id, 1, at,
        CASE WHEN verdict IS NULL THEN 'created' ELSE 'rejected' END,
        CASE WHEN verdict IS NULL THEN 'pending' ELSE 'rejected' END,
        1,
        CASE WHEN verdict IS NOT NULL THEN jsonb_build_object('code', verdict) END
    FROM kept
),
audited AS (
    INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
    SELECT
        d.at, i.created_by, 'command.refused', 'client', i.client_id, i.address,
        jsonb_build_object('action', i.action, 'code', d.verdict)
    FROM input i JOIN decided d USING (n) WHERE d.verdict IS NOT NULL AND d.verdict <> 'repeated'
    UNION ALL
    SELECT
        d.at, i.created_by, 'command.create', 'command', i.id::text, i.address,
        jsonb_build_object('client_id', i.client_id, 'action', i.action)
    FROM input i JOIN decided d USING (n) WHERE d.verdict IS NULL
),
keyed AS (
    INSERT INTO idempotency_keys (principal_id, route, key, request_sha256, command_id, created_at)
    SELECT i.created_by, i.idempotency_route, i.idempotency_key, decode(i.request_sha256, 'hex'), i.id, d.at
    FROM input i JOIN decided d USING (n)
    WHERE d.verdict IS NULL AND i.idempotency_key IS NOT NULL
    -- A key that another call has just taken is waited for, so all calls take theirs in the same order.
    ORDER BY i.created_by, i.idempotency_route, i.idempotency_key
),
laned AS (
    INSERT INTO client_lanes (client_id, lane, claims)
    SELECT DISTINCT i.client_id, i.lane, 0
    FROM input i
    JOIN decided d USING (n)
    LEFT JOIN client_lanes l ON l.client_id = i.client_id AND l.lane = i.lane
    WHERE d.verdict IS NULL AND l.lane IS NULL
    ORDER BY i.client_id, i.lane
    ON CONFLICT DO NOTHING
)
SELECT
    d.n,
    d.verdict,
    d.at,
    d.expires_at,
    d.minute_limit,
    d.day_limit,
    greatest(d.minute_left - count(*) FILTER (WHERE d.verdict IS NULL) OVER client, 0) AS minute_left,
    greatest(d.day_left - count(*) FILTER (WHERE d.verdict IS NULL) OVER client, 0) AS day_left,
    date_trunc('minute', d.at) + interval '1 minute' AS minute_reset,
    today.day_reset
FROM decided d
CROSS JOIN today
WINDOW client AS (PARTITION BY d.client_id)
ORDER BY d.n;

-- name: suspect
-- For clients that were just refused for their day's limit: half as much again as it allows looks like an attack, or a
-- program that has gone wild, and is said once a day. If this is never reached, the next refusal says it. Rows are locked
-- as `submit` locks them.
WITH asked AS MATERIALIZED (
    SELECT u.client_id, p.max_commands_per_day AS day_limit, u.day_used + u.day_refused AS in_all, r.address
    FROM unnest(%(client_ids)s::text[], %(addresses)s::text[]) AS r (client_id, address)
    JOIN client_usage u ON u.client_id = r.client_id
    JOIN client_permissions p ON p.client_id = r.client_id
    WHERE u.refused_day = u.day
        AND u.suspicious_day IS DISTINCT FROM u.day
        AND p.max_commands_per_day > 0
        AND u.day_used + u.day_refused > p.max_commands_per_day * 1.5
    ORDER BY u.client_id
    FOR UPDATE OF u
),
said AS (
    UPDATE client_usage u SET suspicious_day = u.day FROM asked WHERE u.client_id = asked.client_id
)
INSERT INTO security_events (at, kind, client_id, address, detail)
SELECT
    floorhub_now(), 'suspicious_activity', client_id, address,
    jsonb_build_object(
        'clientId', client_id, 'reason', 'Exceeds daily command quota by 50' || chr(37), 'limit', day_limit, 'asked', in_all
    )
FROM asked;

-- name: plan_for_many
-- For the rest of a transaction that submits thousands of rows: planned for these rows and with hashes, since walking
-- indexes row by row takes a time that grows with their square.
SELECT
    set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('enable_hashjoin', 'on', true);
