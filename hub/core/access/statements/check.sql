-- What may be done, and why. The decision is always that of floorhub_allows and floorhub_reach, which enforcement asks,
-- too; the rest of an answer are the facts that they go by.

-- name: principal
SELECT id, kind, name, role, reach, CASE WHEN disabled_at IS NULL THEN 'active' ELSE 'disabled' END AS status
FROM principals
WHERE removed_at IS NULL AND (id = %(id)s OR name = %(name)s)
ORDER BY id IS NOT DISTINCT FROM %(id)s DESC
LIMIT 1;

-- name: client_policy
SELECT c.status, p.allowed_actions
FROM clients c LEFT JOIN client_permissions p ON p.client_id = c.id
WHERE c.id = %(client)s;

-- name: decide
SELECT
    floorhub_allows(%(principal_id)s, %(key_id)s, %(want)s, %(client)s, %(action)s) AS allowed,
    EXISTS (
        SELECT FROM key_clients n WHERE n.key_id = %(key_id)s AND n.client_id = %(client)s
    ) AS key_has_client,
    ARRAY(
        SELECT g.grant_id FROM granted_clients g LEFT JOIN api_keys k ON k.id = %(key_id)s
        WHERE g.principal_id = %(principal_id)s
            AND g.client_id = %(client)s
            AND (%(want)s = 'read' OR g.access = 'command')
            AND (
                g.actions IS NULL
                OR %(action)s = ANY (g.actions)
                OR (%(action)s::text IS NULL AND (k.actions IS NULL OR g.actions && k.actions))
            )
        ORDER BY g.grant_id
        LIMIT 100
    ) AS grants;

-- name: holders
-- Who may do something with a client, with the keys that may.
SELECT
    p.id, p.kind, p.name, p.role, p.reach,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'prefix', k.prefix) ORDER BY k.id), '[]')
        FROM (
            SELECT k.id, k.name, k.prefix FROM api_keys k
            WHERE k.principal_id = p.id
                AND k.revoked_at IS NULL
                AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
                AND floorhub_allows(p.id, k.id, %(want)s, %(client)s, %(action)s)
            ORDER BY k.id
            LIMIT 100
        ) k
    ) AS keys
FROM principals p
WHERE (%(after)s::uuid IS NULL OR p.id > %(after)s)
    AND floorhub_allows(p.id, NULL, %(want)s, %(client)s, %(action)s)
ORDER BY p.id
LIMIT %(limit)s;

-- name: reached
-- What may be done with each client. An empty list: no action may be commanded; NULL: all may.
SELECT
    c.id AS client_id,
    r.client_id IS NOT NULL AS read,
    CASE WHEN m.client_id IS NULL THEN '{}' ELSE m.actions END AS actions
FROM clients c
LEFT JOIN floorhub_reach(%(principal_id)s, %(key_id)s, 'read') r ON r.client_id = c.id
LEFT JOIN floorhub_reach(%(principal_id)s, %(key_id)s, 'command') m ON m.client_id = c.id
WHERE c.status <> 'retired'
    AND (r.client_id IS NOT NULL OR m.client_id IS NOT NULL)
    AND (%(after)s::text IS NULL OR c.id > %(after)s)
ORDER BY c.id
LIMIT %(limit)s;
