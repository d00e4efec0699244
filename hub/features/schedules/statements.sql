-- What is written of schedules by people is built with SQLModel. Firing stays as it is: the look runs all the time on an
-- index of its own, and what is due is locked together with how its principal stands. Who sees one is decided by the
-- clients that it means, which one reads here.

-- fragment: schedule_columns
s.id, s.name, s.cron, s.time_zone, s.request, s.misfire, s.grace_s, s.enabled, s.next_at, s.last_at, s.last_batch_id,
s.last_error, s.runs_as, s.created_by, s.created_at, s.updated_at, s.version

-- fragment: own
-- Whether schedule `s` is the caller's: with a key for some clients or actions only, one that such a key has made.
coalesce(
    %(scope_owner)s IN (s.created_by, s.runs_as)
        OR (s.runs_by_key IS NOT NULL AND floorhub_same_scope(s.runs_by_key, %(scope_key)s)),
    false
)

-- fragment: seen
-- Whether a caller sees schedule `s`: its maker, whom it runs as, and who may read all that it means, if it means
-- anybody.
(
    NOT %(limited)s
    OR {own}
    OR (
        EXISTS (SELECT FROM floorhub_targets(s.request))
        AND NOT EXISTS (
            SELECT FROM floorhub_targets(s.request) t
            WHERE NOT floorhub_allows(%(scope_principal)s, %(scope_key)s, %(scope_sees)s, t.client_id, t.action)
        )
    )
)

-- name: find
SELECT {schedule_columns} FROM schedules s WHERE s.id = %(id)s AND {seen};

-- name: page
-- Newest first; a filter that is NULL lets everything through.
SELECT {schedule_columns}
FROM schedules s
WHERE (%(before)s::uuid IS NULL OR s.id < %(before)s)
    AND (%(name)s::text IS NULL OR s.name = %(name)s)
    AND (%(enabled)s::boolean IS NULL OR s.enabled = %(enabled)s)
    AND {seen}
ORDER BY s.id DESC
LIMIT %(limit)s;

-- name: beyond
-- A client that a schedule means and that a caller may not command; nothing for whose schedule it is: he may always stop
-- it, and what it sends is judged when it fires.
SELECT t.client_id, t.action
FROM schedules s
CROSS JOIN LATERAL floorhub_targets(s.request) t
LEFT JOIN floorhub_reach(%(scope_principal)s, %(scope_key)s, 'command') r ON r.client_id = t.client_id
WHERE %(limited)s
    AND s.id = %(id)s
    AND NOT {own}
    AND (r.client_id IS NULL OR t.action <> ALL (r.actions))
LIMIT 1;

-- name: means_somebody
SELECT EXISTS (SELECT FROM schedules s CROSS JOIN LATERAL floorhub_targets(s.request) WHERE s.id = %(id)s) AS found;

-- name: due
-- What has come, the oldest first. Locks nothing; asked all the time. A key that has ended is followed by one of the same
-- principal with the same scope: keys are replaced by such.
SELECT
    s.id, s.version, s.next_at, s.request, s.runs_as, coalesce(p.kind, '') AS kind, coalesce(p.name, '') AS name,
    coalesce(p.role, '') AS role, coalesce(p.reach, 'granted') AS reach, coalesce(held.id, s.runs_by_key) AS key_id
FROM schedules s
LEFT JOIN principals p ON p.id = s.runs_as
LEFT JOIN LATERAL (
    SELECT k.id
    FROM api_keys k
    WHERE k.principal_id = s.runs_as
        AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
        AND floorhub_same_scope(s.runs_by_key, k.id)
    ORDER BY k.id = s.runs_by_key DESC, k.id DESC
    LIMIT 1
) held ON s.runs_by_key IS NOT NULL
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
