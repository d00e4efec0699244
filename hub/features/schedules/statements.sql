-- Administration of schedules is built with SQLModel. Firing stays as it is: the look runs all the time on an index of its
-- own, and what is due is locked together with how its principal stands.

-- name: due
-- What has come, the oldest first. Locks nothing; asked all the time.
SELECT
    s.id, s.version, s.next_at, s.request, s.runs_as, coalesce(p.kind, '') AS kind, coalesce(p.name, '') AS name,
    coalesce(p.role, '') AS role
FROM schedules s
LEFT JOIN principals p ON p.id = s.runs_as
WHERE s.next_at <= floorhub_now() AND s.next_at IS NOT NULL
    AND (s.next_at, s.id) > (%(after_at)s, %(after_id)s)
ORDER BY s.next_at, s.id
LIMIT %(most)s;

-- name: lock_due
-- One of them that is still as it was, unless somebody else has it just now; and how its principal stands now.
-- By its id: many schedules may have the same time, and IS NOT DISTINCT FROM keeps a plan away from that index.
SELECT
    s.cron, s.time_zone, s.misfire, s.grace_s, floorhub_now() AS now,
    CASE WHEN p.disabled_at IS NULL THEN p.role END AS role
FROM schedules s
LEFT JOIN principals p ON p.id = s.runs_as
WHERE s.id = %(id)s AND s.version = %(version)s AND s.next_at IS NOT DISTINCT FROM %(next_at)s
FOR UPDATE OF s SKIP LOCKED;

-- name: move
-- A schedule that is locked, in the transaction of what came of it.
UPDATE schedules
SET
    next_at = %(next_at)s,
    last_at = %(last_at)s,
    last_batch_id = coalesce(%(batch_id)s, last_batch_id),
    last_error = %(error)s
WHERE id = %(id)s;
