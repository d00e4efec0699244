-- Integrations with what belongs to them, counted. Named SQL: its counts read better so.

-- fragment: integration
SELECT
    p.id, p.name, p.role, p.reach, p.created_at, p.disabled_at,
    CASE WHEN p.disabled_at IS NULL THEN 'active' ELSE 'disabled' END AS status,
    (SELECT count(*) FROM grants g WHERE g.principal_id = p.id) AS grants,
    (
        SELECT count(*) FROM api_keys k
        WHERE k.principal_id = p.id
            AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
    ) AS keys,
    (SELECT max(k.last_used_at) FROM api_keys k WHERE k.principal_id = p.id) AS last_used_at
FROM principals p
WHERE p.kind = 'integration' AND p.removed_at IS NULL

-- name: get
{integration} AND p.id = %(id)s;

-- name: page
{integration}
    AND (%(after)s::uuid IS NULL OR p.id > %(after)s)
    AND (%(name)s::text IS NULL OR p.name = %(name)s)
    AND (%(status)s::text IS NULL OR (p.disabled_at IS NULL) = (%(status)s = 'active'))
ORDER BY p.id
LIMIT %(limit)s;
