-- name: all
-- Every policy; there are as many as actions that somebody has given one.
SELECT action, max_retries, first_delay_s, factor, cap_s, timeout_s, expires_in_s, updated_at
FROM action_policies
ORDER BY action;
