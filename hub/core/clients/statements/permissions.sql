-- name: find
-- What a client may be asked, and what it was asked in this minute and on this day. A counter that is one ahead of this
-- clock counts, as it does for the submit statement.
SELECT
    p.client_id, p.allowed_actions, p.rate_limit, p.max_commands_per_day, p.updated_at,
    CASE WHEN u.minute IN (t.minute, t.minute + interval '1 minute') THEN u.minute_used ELSE 0 END AS minute_used,
    CASE WHEN u.day IN (t.day, t.day + 1) THEN u.day_used ELSE 0 END AS day_used,
    t.minute + interval '1 minute' AS minute_reset,
    (t.day + 1)::timestamp AT TIME ZONE 'UTC' AS day_reset
FROM client_permissions p
JOIN client_usage u ON u.client_id = p.client_id
CROSS JOIN (
    SELECT date_trunc('minute', floorhub_now()) AS minute, (floorhub_now() AT TIME ZONE 'UTC')::date AS day
) t
WHERE p.client_id = %(client_id)s;

-- name: change
-- For many clients at once, retired ones left out; each leaves a row in the audit log. In order of ids, so that two
-- that change the same clients do not wait for each other in a circle.
WITH locked AS MATERIALIZED (
    SELECT p.client_id
    FROM client_permissions p
    JOIN clients c ON c.id = p.client_id
    WHERE p.client_id = ANY (%(client_ids)s) AND c.status <> 'retired'
    ORDER BY p.client_id
    FOR UPDATE OF p
),
changed AS (
    UPDATE client_permissions p
    SET
        allowed_actions = CASE
            WHEN %(set_allowed_actions)s THEN %(allowed_actions)s::text[] ELSE p.allowed_actions
        END,
        rate_limit = coalesce(%(rate_limit)s, p.rate_limit),
        max_commands_per_day = coalesce(%(max_commands_per_day)s, p.max_commands_per_day),
        updated_at = floorhub_now()
    FROM locked
    WHERE p.client_id = locked.client_id
    RETURNING p.client_id
),
audited AS (
    INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
    SELECT
        floorhub_now(), %(principal_id)s, 'client.permissions', 'client', client_id, %(address)s, %(detail)s::jsonb
    FROM changed
)
SELECT client_id FROM changed;
