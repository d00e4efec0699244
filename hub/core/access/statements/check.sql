-- What may be done, and why. The decision is always that of floorhub_allows, which enforcement asks, too; the rest of an
-- answer are the facts that it goes by.

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
        SELECT g.grant_id FROM granted_clients g
        WHERE g.principal_id = %(principal_id)s
            AND g.client_id = %(client)s
            AND (%(want)s = 'read' OR g.access = 'command')
            AND (%(action)s::text IS NULL OR g.actions IS NULL OR %(action)s = ANY (g.actions))
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
-- What may be done with each client that can be read. No client's action is called '*', so that who may do that may do
-- everything.
WITH named AS (
    SELECT DISTINCT action FROM (
        SELECT unnest(g.actions) AS action FROM grants g WHERE g.principal_id = %(principal_id)s
        UNION
        SELECT unnest(k.actions) FROM api_keys k WHERE k.id = %(key_id)s
    ) both_kinds
)
SELECT
    c.id AS client_id,
    floorhub_allows(%(principal_id)s, %(key_id)s, 'read', c.id, NULL) AS read,
    CASE WHEN floorhub_allows(%(principal_id)s, %(key_id)s, 'command', c.id, '*') THEN NULL ELSE ARRAY(
        SELECT n.action FROM named n
        WHERE floorhub_allows(%(principal_id)s, %(key_id)s, 'command', c.id, n.action)
        ORDER BY n.action
    ) END AS actions
FROM clients c
WHERE c.status <> 'retired'
    AND (%(after)s::text IS NULL OR c.id > %(after)s)
    AND (
        floorhub_allows(%(principal_id)s, %(key_id)s, 'read', c.id, NULL)
        OR floorhub_allows(%(principal_id)s, %(key_id)s, 'command', c.id, NULL)
    )
ORDER BY c.id
LIMIT %(limit)s;
