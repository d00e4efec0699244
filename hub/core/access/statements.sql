-- name: insert_principal
INSERT INTO principals (id, kind, name, role, created_at)
VALUES (%(id)s, %(kind)s, %(name)s, %(role)s, floorhub_now())
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id;

-- name: insert_key
INSERT INTO api_keys (id, principal_id, prefix, sha256, created_at)
VALUES (%(id)s, %(principal_id)s, %(prefix)s, %(sha256)s, floorhub_now());

-- name: revoke_keys
UPDATE api_keys SET revoked_at = floorhub_now() WHERE principal_id = %(principal_id)s AND revoked_at IS NULL;

-- name: by_key
SELECT p.id, p.kind, p.name, p.role
FROM api_keys k
JOIN principals p ON p.id = k.principal_id
WHERE k.sha256 = %(sha256)s AND k.revoked_at IS NULL AND p.disabled_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > floorhub_now());

-- name: touch_keys
UPDATE api_keys SET last_used_at = floorhub_now() WHERE sha256 = ANY (%(hashes)s);

-- name: find_idempotent
-- The command that an idempotency key stands for, with the hash of the request that made it.
SELECT command_id, request_sha256
FROM idempotency_keys
WHERE principal_id = %(principal_id)s AND route = %(route)s AND key = %(key)s;

-- name: delete_idempotency_keys
WITH old AS MATERIALIZED (
    SELECT ctid FROM idempotency_keys
    WHERE created_at < %(before)s
    ORDER BY created_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency_keys k USING old WHERE k.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'key', 'id', k.principal_id || '/' || k.route || '/' || k.key, 'row', to_jsonb(k))::text
    AS line;

-- name: count_idempotency_keys
SELECT count(*) AS number FROM idempotency_keys WHERE created_at < %(before)s;
