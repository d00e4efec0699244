-- What is not here is built with SQLModel. What is left of a limit stays as it is: a clock of its own, windows of
-- counters, and the same rule as in the submit statement, with which it is to be compared.

-- name: left
-- What a client may be asked, and what it was asked in this minute and on this day. A counter that is one ahead of this
-- clock counts, as it does for the submit statement.
SELECT
    p.client_id, p.allowed_actions, p.rate_limit, p.max_commands_per_day, p.updated_at,
    CASE WHEN u.minute IN (t.minute, t.minute + interval '1 minute') THEN u.minute_used ELSE 0 END AS minute_used,
    CASE WHEN u.day IN (t.day, t.day + 1) THEN u.day_used ELSE 0 END AS day_used,
    t.minute + interval '1 minute' AS minute_reset,
    t.day_reset
FROM client_permissions p
JOIN client_usage u ON u.client_id = p.client_id
CROSS JOIN (
    SELECT date_trunc('minute', now.at) AS minute, q.day, q.day_reset
    FROM (SELECT floorhub_now() AS at) now, floorhub_quota_day(now.at) q
) t
WHERE p.client_id = %(client_id)s;
