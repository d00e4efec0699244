-- name: insert
-- Nothing comes of it when the name is taken.
INSERT INTO schedules (
    id, name, cron, time_zone, request, document_ids, misfire, grace_s, enabled, next_at, runs_as, created_by,
    created_at, updated_at, version
)
VALUES (
    %(id)s, %(name)s, %(cron)s, %(time_zone)s, %(request)s, %(document_ids)s, %(misfire)s, %(grace_s)s, %(enabled)s,
    %(next_at)s, %(runs_as)s, %(runs_as)s, floorhub_now(), floorhub_now(), 1
)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: find
-- One schedule, or a page of them, newest first; filters that are NULL let everything through.
SELECT
    id, name, cron, time_zone, request, misfire, grace_s, enabled, next_at, last_at, last_batch_id, last_error, runs_as,
    created_by, created_at, updated_at, version
FROM schedules
WHERE (%(id)s::uuid IS NULL OR id = %(id)s)
    AND (%(before)s::uuid IS NULL OR id < %(before)s)
    AND (%(name)s::text IS NULL OR name = %(name)s)
    AND (%(enabled)s::boolean IS NULL OR enabled = %(enabled)s)
ORDER BY id DESC
LIMIT %(limit)s;

-- name: lock
-- A schedule that somebody changes. Waits for a firing that is under way.
SELECT
    name, cron, time_zone, request, document_ids, misfire, grace_s, enabled, next_at, last_at, runs_as,
    floorhub_now() AS now
FROM schedules
WHERE id = %(id)s
FOR UPDATE;

-- name: change
-- A schedule that is locked.
UPDATE schedules
SET
    name = %(name)s,
    cron = %(cron)s,
    time_zone = %(time_zone)s,
    request = %(request)s,
    document_ids = %(document_ids)s,
    misfire = %(misfire)s,
    grace_s = %(grace_s)s,
    enabled = %(enabled)s,
    next_at = %(next_at)s,
    runs_as = %(runs_as)s,
    updated_at = floorhub_now(),
    version = version + 1
WHERE id = %(id)s;

-- name: delete
-- A schedule that is locked.
DELETE FROM schedules WHERE id = %(id)s;

-- name: due
-- What has come, the oldest first. Locks nothing; asked all the time.
SELECT s.id, s.version, s.next_at, s.request, s.runs_as, p.kind, p.name, p.role
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
    s.cron, s.time_zone, s.misfire, s.grace_s, floorhub_now() AS now, p.role,
    p.id IS NOT NULL AND p.disabled_at IS NULL AS principal_active
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
