-- name: put
-- Make or replace the policy of an action.
INSERT INTO action_policies (
    action, max_retries, first_delay_s, factor, cap_s, timeout_s, expires_in_s, updated_at, updated_by
)
VALUES (
    %(action)s, %(max_retries)s, %(first_delay_s)s, %(factor)s, %(cap_s)s, %(timeout_s)s, %(expires_in_s)s,
    floorhub_now(), %(updated_by)s
)
ON CONFLICT (action) DO UPDATE SET
    max_retries = excluded.max_retries,
    first_delay_s = excluded.first_delay_s,
    factor = excluded.factor,
    cap_s = excluded.cap_s,
    timeout_s = excluded.timeout_s,
    expires_in_s = excluded.expires_in_s,
    updated_at = excluded.updated_at,
    updated_by = excluded.updated_by;

-- name: delete
-- Forget the policy of an action.
DELETE FROM action_policies WHERE action = %(action)s RETURNING action;
