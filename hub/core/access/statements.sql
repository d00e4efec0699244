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

-- name: audit
INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
VALUES (floorhub_now(), %(principal_id)s, %(action)s, %(resource)s, %(resource_id)s, %(address)s, %(detail)s);

-- name: audit_many
-- The same of several commands at once.
INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
SELECT floorhub_now(), %(principal_id)s, %(action)s, 'command', r.id::text, %(address)s, r.detail
FROM jsonb_to_recordset(%(rows)s) AS r (id uuid, detail jsonb);
