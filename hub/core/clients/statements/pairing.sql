-- Codes and tokens that connect machines. Whoever claims one locks its row first, so that of several at a time one gets
-- it.

-- fragment: pairing
SELECT
    p.id, p.client_id, p.replaces, p.name, p.kind, p.zone, p.tags, p.groups, p.policy, p.created_by, p.created_by_key,
    a.name AS created_by_name, p.created_at, p.expires_at, p.revoked_at, p.ended_by, p.tries, p.public_key, p.proved_at,
    p.agent, p.address, p.commitment, p.nonce, p.opening, p.number, p.confirmed_at, p.used_at,
    p.expires_at <= floorhub_now() AS expired, floorhub_now() AS now
FROM pairings p
JOIN principals a ON a.id = p.created_by

-- fragment: enrolment
SELECT
    e.id, e.name, e.naming, e.kind, e.zone, e.tags, e.groups, e.policy, e.created_by, e.created_by_key,
    a.name AS created_by_name, e.created_at, e.expires_at, e.revoked_at, e.most, e.used,
    e.expires_at <= floorhub_now() AS expired, floorhub_now() AS now
FROM enrolments e
JOIN principals a ON a.id = e.created_by

-- name: insert_pairing
INSERT INTO pairings (
    id, code_hash, stretched_hash, token_sha256, client_id, replaces, name, kind, zone, tags, groups, policy,
    created_by, created_by_key, created_at, expires_at, tries
)
VALUES (
    %(id)s, %(code_hash)s, %(stretched_hash)s, %(token_sha256)s, %(client_id)s, %(replaces)s, %(name)s, %(kind)s,
    %(zone)s, %(tags)s, %(groups)s, %(policy)s, %(created_by)s, %(created_by_key)s, floorhub_now(),
    floorhub_now() + %(lasts)s, 0
);

-- name: open_pairings
SELECT count(*) AS number
FROM pairings
WHERE expires_at > floorhub_now() AND revoked_at IS NULL AND used_at IS NULL;

-- name: pairing_by_id
{pairing}
WHERE p.id = %(id)s;

-- name: lock_pairing
{pairing}
WHERE p.id = %(id)s
FOR UPDATE OF p;

-- name: pairing_by_code
{pairing}
WHERE p.code_hash = %(hash)s;

-- name: pairing_by_stretched
{pairing}
WHERE p.stretched_hash = %(hash)s;

-- name: pairing_by_token
{pairing}
WHERE p.token_sha256 = %(hash)s;

-- name: page_of_pairings
-- Newest first, which ids are in order of. A limited caller sees what his principal made.
{pairing}
WHERE (%(after)s::uuid IS NULL OR p.id < %(after)s)
    AND (%(owner)s::uuid IS NULL OR p.created_by = %(owner)s)
    AND (NOT %(open)s OR (p.expires_at > floorhub_now() AND p.revoked_at IS NULL AND p.used_at IS NULL))
ORDER BY p.id DESC
LIMIT %(limit)s;

-- name: lock_of_client
-- All codes of a code's client, in the order of their ids: the one that is used ends the others, and two that are used at
-- once would each wait for the other.
SELECT p.id FROM pairings p
WHERE p.client_id = (SELECT own.client_id FROM pairings own WHERE own.id = %(id)s)
ORDER BY p.id
FOR UPDATE;

-- name: end_pairing
UPDATE pairings SET revoked_at = floorhub_now(), ended_by = %(by)s
WHERE id = %(id)s AND revoked_at IS NULL AND used_at IS NULL;

-- name: end_others
-- Open codes of a client that a machine has just become: nobody waits for them.
UPDATE pairings SET revoked_at = floorhub_now(), ended_by = 'superseded'
WHERE client_id = %(client_id)s AND id <> %(id)s
    AND revoked_at IS NULL AND used_at IS NULL AND expires_at > floorhub_now();

-- name: count_try
UPDATE pairings SET
    tries = tries + 1,
    revoked_at = CASE
        WHEN tries + 1 >= %(most)s AND revoked_at IS NULL AND used_at IS NULL THEN floorhub_now() ELSE revoked_at
    END,
    ended_by = CASE WHEN tries + 1 >= %(most)s AND revoked_at IS NULL AND used_at IS NULL THEN 'tries' ELSE ended_by END
WHERE id = %(id)s;

-- name: use_pairing
UPDATE pairings SET
    used_at = coalesce(used_at, floorhub_now()),
    public_key = %(public_key)s,
    proved_at = %(proved_at)s,
    agent = %(agent)s,
    address = %(address)s
WHERE id = %(id)s;

-- name: ask_confirmation
UPDATE pairings SET
    public_key = %(public_key)s,
    proved_at = %(proved_at)s,
    agent = %(agent)s,
    address = %(address)s,
    commitment = %(commitment)s,
    nonce = %(nonce)s,
    opening = %(opening)s,
    number = %(number)s
WHERE id = %(id)s;

-- name: confirm_pairing
UPDATE pairings SET confirmed_at = floorhub_now(), confirmed_by = %(by)s
WHERE id = %(id)s AND confirmed_at IS NULL;

-- name: delete_pairings
WITH old AS MATERIALIZED (
    SELECT ctid FROM pairings
    WHERE expires_at < %(before)s
    ORDER BY expires_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM pairings p USING old WHERE p.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'pairing', 'id', p.id, 'client_id', p.client_id)::text AS line;

-- name: count_pairings
SELECT count(*) AS number FROM pairings WHERE expires_at < %(before)s;

-- name: insert_enrolment
INSERT INTO enrolments (
    id, token_sha256, name, naming, kind, zone, tags, groups, policy, created_by, created_by_key, created_at,
    expires_at, most, used
)
VALUES (
    %(id)s, %(token_sha256)s, %(name)s, %(naming)s, %(kind)s, %(zone)s, %(tags)s, %(groups)s, %(policy)s,
    %(created_by)s, %(created_by_key)s, floorhub_now(), floorhub_now() + %(lasts)s, %(most)s, 0
);

-- name: enrolment_by_id
{enrolment}
WHERE e.id = %(id)s;

-- name: enrolment_by_token
{enrolment}
WHERE e.token_sha256 = %(hash)s;

-- name: lock_enrolment
{enrolment}
WHERE e.id = %(id)s
FOR UPDATE OF e;

-- name: page_of_enrolments
{enrolment}
WHERE (%(after)s::uuid IS NULL OR e.id < %(after)s) AND (%(owner)s::uuid IS NULL OR e.created_by = %(owner)s)
ORDER BY e.id DESC
LIMIT %(limit)s;

-- name: revoke_enrolment
UPDATE enrolments SET revoked_at = floorhub_now() WHERE id = %(id)s AND revoked_at IS NULL;

-- name: use_enrolment
UPDATE enrolments SET used = used + 1 WHERE id = %(id)s;

-- name: delete_enrolments
WITH old AS MATERIALIZED (
    SELECT ctid FROM enrolments
    WHERE expires_at < %(before)s
    ORDER BY expires_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM enrolments e USING old WHERE e.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'enrolment', 'id', e.id, 'name', e.name)::text AS line;

-- name: count_enrolments
SELECT count(*) AS number FROM enrolments WHERE expires_at < %(before)s;

-- name: enrolled_as
-- The client that a key was enrolled as before, and whether the key is still its own.
SELECT k.client_id, k.revoked_at, k.proved_at
FROM client_keys k
WHERE k.enrolment_id = %(enrolment_id)s AND k.kid = %(kid)s;

-- name: taken_ids
SELECT id FROM clients WHERE id = ANY (%(ids)s);

-- name: revoke_keys
-- Of a client, all but one: those of machines that were replaced.
UPDATE client_keys SET revoked_at = floorhub_now()
WHERE client_id = %(client_id)s AND revoked_at IS NULL AND kid <> %(but)s;

-- name: put_key
INSERT INTO client_keys (client_id, kid, public_key, created_at, pairing_id, enrolment_id, proved_at)
VALUES (
    %(client_id)s, %(kid)s, %(public_key)s, floorhub_now(), %(pairing_id)s, %(enrolment_id)s, %(proved_at)s
)
ON CONFLICT (client_id, kid) DO UPDATE SET
    revoked_at = NULL,
    pairing_id = excluded.pairing_id,
    enrolment_id = excluded.enrolment_id,
    proved_at = excluded.proved_at;

-- name: key_of
SELECT public_key FROM client_keys WHERE client_id = %(client_id)s AND revoked_at IS NULL;

-- name: without_key
-- Machines that may connect, and have no key of their own: the first few, and how many there are.
SELECT c.id, count(*) OVER () AS number
FROM clients c
WHERE c.status = 'active' AND c.id <> %(but)s
    AND NOT EXISTS (SELECT FROM client_keys k WHERE k.client_id = c.id AND k.revoked_at IS NULL)
ORDER BY c.id
LIMIT %(most)s;

-- name: creator
-- Whether who made a code may still connect machines: not disabled, and with the key that he used, if it was one.
SELECT
    p.role, p.reach,
    p.disabled_at IS NULL AND (k.id IS NOT NULL OR %(key)s::uuid IS NULL) AS valid,
    k.permissions, coalesce(k.narrowed, false) AS narrowed
FROM principals p
LEFT JOIN api_keys k
    ON k.id = %(key)s AND k.principal_id = p.id
    AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
WHERE p.id = %(principal)s;

-- name: granted_places
SELECT target_kind AS kind, target AS name, tags
FROM grants
WHERE principal_id = %(principal)s AND access = 'command' AND actions IS NULL;

-- name: places_of_key
SELECT target_kind AS kind, target AS name, tags FROM api_key_targets WHERE key_id = %(key)s;

-- name: known_groups
SELECT id FROM client_groups WHERE id = ANY (%(ids)s) ORDER BY id;
