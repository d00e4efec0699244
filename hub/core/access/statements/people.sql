-- People and what they sign in with.

-- fragment: person
SELECT
    p.id, p.name, u.login, p.role, p.reach, p.disabled_at IS NOT NULL AS disabled, u.password_hash IS NOT NULL AS has_password,
    p.created_at, u.updated_at, u.password_changed_at,
    (SELECT max(s.seen_at) FROM sessions s WHERE s.principal_id = p.id) AS seen_at
FROM principals p
JOIN users u ON u.principal_id = p.id

-- name: get_person
{person}
WHERE p.id = %(id)s;

-- name: list_people
{person}
WHERE p.id > %(after)s AND (%(login)s::text IS NULL OR u.login = %(login)s)
ORDER BY p.id
LIMIT %(limit)s;

-- name: find_person
-- By a login, or None; whether he may sign in is judged after his password was.
SELECT p.id, u.login, u.password_hash, u.password_changed_at, p.disabled_at IS NOT NULL AS disabled
FROM users u
JOIN principals p ON p.id = u.principal_id
WHERE u.login = %(login)s;

-- name: find_person_by_id
SELECT p.id, u.login, u.password_hash, u.password_changed_at, p.disabled_at IS NOT NULL AS disabled
FROM users u
JOIN principals p ON p.id = u.principal_id
WHERE p.id = %(id)s;

-- name: insert_principal
INSERT INTO principals (id, kind, name, role, reach, created_at)
VALUES (%(id)s, 'user', %(name)s, %(role)s, %(reach)s, floorhub_now())
ON CONFLICT (name) DO NOTHING;

-- name: insert_user
INSERT INTO users (principal_id, login, password_hash, password_changed_at, updated_at)
VALUES (
    %(id)s, %(login)s, %(password_hash)s,
    CASE WHEN %(password_hash)s::text IS NULL THEN NULL ELSE floorhub_now() END, floorhub_now()
)
ON CONFLICT (login) DO NOTHING;

-- name: name_taken
SELECT EXISTS (SELECT FROM principals WHERE name = %(name)s AND id <> %(id)s) AS taken;

-- name: login_taken
SELECT EXISTS (SELECT FROM users WHERE login = %(login)s AND principal_id <> %(id)s) AS taken;

-- name: lock_people
-- Who is an administrator, and what people are called, is decided by one at a time.
SELECT pg_advisory_xact_lock(hashtext('floorhub/people'));

-- name: other_administrators
-- Administrators who can sign in, without this one.
SELECT count(*) AS number
FROM principals p
JOIN users u ON u.principal_id = p.id
WHERE p.kind = 'user' AND p.role = 'admin' AND p.disabled_at IS NULL AND u.password_hash IS NOT NULL
    AND p.id IS DISTINCT FROM %(id)s;

-- name: change_principal
UPDATE principals SET
    name = %(name)s, role = %(role)s, reach = %(reach)s,
    disabled_at = CASE WHEN %(disabled)s THEN COALESCE(disabled_at, floorhub_now()) END
WHERE id = %(id)s;

-- name: change_user
UPDATE users SET login = %(login)s, updated_at = floorhub_now() WHERE principal_id = %(id)s;

-- name: set_password
UPDATE users SET password_hash = %(password_hash)s, password_changed_at = floorhub_now(), updated_at = floorhub_now()
WHERE principal_id = %(id)s;

-- name: replace_password
-- The same by its holder, unless it was changed since he gave the one of before.
UPDATE users SET password_hash = %(password_hash)s, password_changed_at = floorhub_now(), updated_at = floorhub_now()
WHERE principal_id = %(id)s AND password_changed_at IS NOT DISTINCT FROM %(changed_at)s;

-- name: hold_password
-- A person, if the password is still that of a time; until the transaction ends nobody changes it. Whether he is disabled
-- has to be asked after that.
SELECT principal_id FROM users
WHERE principal_id = %(id)s AND password_changed_at IS NOT DISTINCT FROM %(changed_at)s
FOR SHARE;

-- name: rehash
-- The same password under newer parameters, unless it was changed meanwhile.
UPDATE users SET password_hash = %(new)s WHERE principal_id = %(id)s AND password_hash = %(old)s;

-- name: insert_link
INSERT INTO one_time_links (sha256, purpose, principal_id, created_at, expires_at)
VALUES (%(sha256)s, %(purpose)s, %(principal_id)s, floorhub_now(), floorhub_now() + %(lasts)s)
RETURNING expires_at;

-- name: spend_link
DELETE FROM one_time_links
WHERE sha256 = %(sha256)s AND purpose = %(purpose)s AND expires_at > floorhub_now()
RETURNING sha256, principal_id;

-- name: find_link
SELECT sha256, principal_id FROM one_time_links
WHERE sha256 = %(sha256)s AND purpose = %(purpose)s AND expires_at > floorhub_now();

-- name: drop_links
DELETE FROM one_time_links WHERE purpose = %(purpose)s AND principal_id IS NOT DISTINCT FROM %(principal_id)s;

-- name: delete_links
WITH old AS MATERIALIZED (
    SELECT ctid FROM one_time_links
    WHERE expires_at < %(before)s
    ORDER BY expires_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM one_time_links l USING old WHERE l.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'one_time_link', 'purpose', l.purpose, 'principal', l.principal_id)::text AS line;

-- name: count_links
SELECT count(*) AS number FROM one_time_links WHERE expires_at < %(before)s;
