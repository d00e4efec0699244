-- Keys as people see them, and what a request's key stands for.

-- fragment: key
SELECT
    k.id, k.principal_id, p.name AS principal, p.kind AS principal_kind, k.name, k.prefix,
    k.permissions, k.actions, k.addresses,
    CASE WHEN k.narrowed THEN (
        SELECT coalesce(jsonb_agg(
            CASE t.target_kind
                WHEN 'tags' THEN jsonb_build_object('tags', t.tags)
                ELSE jsonb_build_object(t.target_kind, t.target)
            END
            ORDER BY t.target_kind, t.target, t.tags
        ), '[]')
        FROM api_key_targets t WHERE t.key_id = k.id
    ) END AS targets,
    CASE
        WHEN k.revoked_at IS NOT NULL THEN 'revoked'
        WHEN k.expires_at <= floorhub_now() THEN 'expired'
        WHEN p.disabled_at IS NOT NULL THEN 'disabled'
        ELSE 'active'
    END AS status,
    k.created_at, k.created_by, k.expires_at, k.last_used_at, k.last_address, k.revoked_at
FROM api_keys k JOIN principals p ON p.id = k.principal_id

-- name: get
{key} WHERE k.id = %(id)s;

-- name: page
{key}
WHERE (%(after)s::uuid IS NULL OR k.id > %(after)s)
    AND (%(principal_id)s::uuid IS NULL OR k.principal_id = %(principal_id)s)
    -- By a key for some clients: those that name no others.
    AND (%(within_key)s::uuid IS NULL OR NOT EXISTS (
        SELECT FROM api_key_targets t
        WHERE t.key_id = k.id
            AND NOT EXISTS (
                SELECT FROM api_key_targets own
                WHERE own.key_id = %(within_key)s
                    AND own.target_kind = t.target_kind
                    AND (own.target = t.target OR t.tags @> own.tags)
            )
    ))
    AND (%(prefix)s::text IS NULL OR k.prefix = %(prefix)s)
    AND (
        %(unused_since)s::timestamptz IS NULL
        OR coalesce(k.last_used_at, k.created_at) < %(unused_since)s
    )
    AND (
        %(status)s::text IS NULL
        OR %(status)s = CASE
            WHEN k.revoked_at IS NOT NULL THEN 'revoked'
            WHEN k.expires_at <= floorhub_now() THEN 'expired'
            WHEN p.disabled_at IS NOT NULL THEN 'disabled'
            ELSE 'active'
        END
    )
ORDER BY k.id
LIMIT %(limit)s;

-- name: add_target
INSERT INTO api_key_targets (key_id, target_kind, target, tags)
VALUES (%(key_id)s, %(target_kind)s, %(target)s, %(tags)s);

-- name: touch
-- At most once a minute for each key, whichever of the hubs were asked.
UPDATE api_keys k
SET last_used_at = floorhub_now(), last_address = u.address
FROM unnest(%(ids)s::uuid[], %(addresses)s::text[]) AS u (id, address)
WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < floorhub_now() - interval '1 minute');

-- fragment: holder
SELECT
    p.id, p.kind, p.name, p.role, p.reach, k.id AS key_id, k.permissions, k.actions, k.narrowed, k.addresses, k.expires_at
FROM api_keys k JOIN principals p ON p.id = k.principal_id
WHERE k.revoked_at IS NULL AND p.disabled_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())

-- name: valid_by_secret
-- For every request whose key was not looked up just before.
{holder} AND k.sha256 = %(sha256)s;

-- name: valid_by_id
{holder} AND k.id = %(id)s;
