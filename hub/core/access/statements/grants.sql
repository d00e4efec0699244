-- Grants as people see them; and whether what they name is there, which stands in tables of the clients.

-- fragment: grant
SELECT
    g.id, g.principal_id, p.name AS principal, p.kind AS principal_kind,
    CASE g.target_kind
        WHEN 'all' THEN '{"all": true}'::jsonb
        WHEN 'tags' THEN jsonb_build_object('tags', g.tags)
        ELSE jsonb_build_object(g.target_kind, g.target)
    END AS target,
    g.actions, g.access, g.created_at, g.created_by
FROM grants g JOIN principals p ON p.id = g.principal_id

-- name: get
{grant} WHERE g.id = %(id)s;

-- name: page
{grant}
WHERE (%(after)s::uuid IS NULL OR g.id > %(after)s)
    AND (%(principal_id)s::uuid IS NULL OR g.principal_id = %(principal_id)s)
    -- By a key for some clients: those that are for no other clients.
    AND (%(within_key)s::uuid IS NULL OR EXISTS (
        SELECT FROM api_key_targets own
        WHERE own.key_id = %(within_key)s
            AND own.target_kind = g.target_kind
            AND (own.target = g.target OR g.tags @> own.tags)
    ))
    AND (
        %(client)s::text IS NULL
        OR g.id IN (SELECT c.grant_id FROM granted_clients c WHERE c.client_id = %(client)s)
    )
ORDER BY g.id
LIMIT %(limit)s;

-- name: find_same
{grant}
WHERE g.principal_id = %(principal_id)s
    AND g.target_kind = %(target_kind)s
    AND g.target IS NOT DISTINCT FROM %(target)s
    AND g.tags IS NOT DISTINCT FROM %(tags)s::text[]
    AND g.actions IS NOT DISTINCT FROM %(actions)s::text[]
    AND g.access = %(access)s;

-- name: present_clients
SELECT id FROM clients WHERE id = ANY (%(names)s) AND status <> 'retired';

-- name: present_groups
-- Whoever removes one of them waits until the transaction ends, and ends what names it.
SELECT id FROM client_groups WHERE id = ANY (%(names)s) FOR KEY SHARE;

-- name: of_group
{grant} WHERE g.target_kind = 'group' AND g.target = %(group_id)s ORDER BY g.id;

-- name: end_of_group
DELETE FROM grants WHERE id = ANY (%(ids)s);

-- name: leave_group_out
-- Keys that are for a group that is no more: they stay narrowed, to the rest of what they name.
DELETE FROM api_key_targets WHERE target_kind = 'group' AND target = %(group_id)s;
