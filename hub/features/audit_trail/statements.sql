-- The audit trail and security events, as people read them.

-- Whoever tampers may write times that no program can read: the list shows the nearest that it can.

-- fragment: entry
-- The name comes from a look-up by primary key, which only the id of a user or an integration reaches.
a.id, least(greatest(a.at, '0001-01-02'), '9999-12-30') AS at, a.principal_id, p.name AS principal, a.action, a.resource,
    a.resource_id,
    (SELECT n.name FROM principals n WHERE n.id = CASE
        WHEN a.resource IN ('user', 'integration', 'principal')
            AND a.resource_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        THEN a.resource_id::uuid END) AS resource_name,
    a.address, a.detail, a.digest IS NOT NULL AS erased

-- fragment: wanted
(%(principal_id)s::uuid IS NULL OR a.principal_id = %(principal_id)s)
    AND (%(action)s::text IS NULL OR a.action = %(action)s)
    AND (%(resource)s::text IS NULL OR a.resource = %(resource)s)
    AND (%(resource_id)s::text IS NULL OR a.resource_id = %(resource_id)s)
    AND (%(address)s::text IS NULL OR a.address = %(address)s)
    AND (%(since)s::timestamptz IS NULL OR a.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR a.at < %(until)s)
    AND (%(text)s::text IS NULL OR strpos(lower(concat_ws(' ', a.action, a.resource, a.resource_id, a.address,
        a.detail::text)), lower(%(text)s)) > 0)

-- name: page
SELECT {entry}
FROM audit_logs a LEFT JOIN principals p ON p.id = a.principal_id
WHERE (%(before)s::bigint IS NULL OR a.id < %(before)s) AND {wanted}
ORDER BY a.id DESC
LIMIT %(most)s;

-- name: following
-- For an export: oldest first, up to a row that was the newest when it began.
SELECT {entry}
FROM audit_logs a LEFT JOIN principals p ON p.id = a.principal_id
WHERE a.id > %(after)s AND a.id <= %(last)s AND {wanted}
ORDER BY a.id
LIMIT %(most)s;

-- name: newest
SELECT coalesce(max(id), 0) FROM audit_logs;

-- name: one
SELECT {entry} FROM audit_logs a LEFT JOIN principals p ON p.id = a.principal_id WHERE a.id = %(id)s;

-- name: security_page
SELECT s.id, least(greatest(s.at, '0001-01-02'), '9999-12-30') AS at, s.kind, s.severity, s.principal_id, p.name AS principal, s.client_id, s.address, s.detail, s.number
FROM security_events s LEFT JOIN principals p ON p.id = s.principal_id
WHERE (%(before)s::bigint IS NULL OR s.id < %(before)s)
    AND (%(severity)s::text IS NULL OR s.severity = %(severity)s)
    AND (%(kind)s::text IS NULL OR s.kind = %(kind)s)
    AND (%(client_id)s::text IS NULL OR s.client_id = %(client_id)s)
    AND (%(since)s::timestamptz IS NULL OR s.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR s.at < %(until)s)
ORDER BY s.id DESC
LIMIT %(most)s;

-- name: principal
SELECT p.id, p.name, u.login, p.disabled_at IS NOT NULL AS disabled
FROM principals p LEFT JOIN users u ON u.principal_id = p.id
WHERE p.id::text = %(name)s OR p.name = %(name)s OR u.login = %(name)s
ORDER BY p.id::text = %(name)s DESC, p.name = %(name)s DESC
LIMIT 1;

-- name: forget_name
-- Nobody has these names again, and the row stays, so that what was done keeps a doer.
WITH renamed AS (
    UPDATE principals SET name = 'erased-' || id::text WHERE id = %(id)s AND disabled_at IS NOT NULL RETURNING id
)
UPDATE users u SET login = 'erased-' || u.principal_id::text, password_hash = NULL
FROM renamed WHERE u.principal_id = renamed.id;
