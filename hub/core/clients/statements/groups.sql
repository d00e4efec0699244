-- name: insert
INSERT INTO client_groups (id, name, created_at, updated_at)
VALUES (%(id)s, %(name)s, floorhub_now(), floorhub_now())
ON CONFLICT DO NOTHING
RETURNING id;

-- name: rename
UPDATE client_groups SET name = %(name)s, updated_at = floorhub_now() WHERE id = %(id)s RETURNING id;

-- name: touch
-- Before its members are changed: one change at a time, since two that add and remove the same clients could deadlock.
UPDATE client_groups SET updated_at = floorhub_now() WHERE id = %(id)s RETURNING id;

-- name: delete
-- Its members lose nothing but the membership.
DELETE FROM client_groups WHERE id = %(id)s RETURNING id;

-- name: find
-- One group, or a page of groups in order of their ids. Retired clients do not count.
SELECT
    g.id, g.name, g.created_at, g.updated_at,
    (
        SELECT count(*) FROM client_group_members m JOIN clients c ON c.id = m.client_id
        WHERE m.group_id = g.id AND c.status <> 'retired'
    ) AS members
FROM client_groups g
WHERE (%(id)s::text IS NULL OR g.id = %(id)s) AND (%(after)s::text IS NULL OR g.id > %(after)s)
ORDER BY g.id
LIMIT %(limit)s;

-- name: members
-- A page of a group's clients, in order of their ids.
SELECT m.client_id, c.name, c.status, s.presence
FROM client_group_members m
JOIN clients c ON c.id = m.client_id
JOIN client_sessions s ON s.client_id = m.client_id
WHERE m.group_id = %(id)s AND c.status <> 'retired' AND (%(after)s::text IS NULL OR m.client_id > %(after)s)
ORDER BY m.client_id
LIMIT %(limit)s;

-- name: join
INSERT INTO client_group_members (group_id, client_id)
SELECT %(id)s, client_id FROM unnest(%(client_ids)s::text[]) AS client_id
ON CONFLICT DO NOTHING;

-- name: leave
DELETE FROM client_group_members WHERE group_id = %(id)s AND client_id = ANY (%(client_ids)s);

-- name: present
-- Which of these clients there are; a retired one only where that does not matter.
SELECT id FROM clients WHERE id = ANY (%(client_ids)s) AND (%(with_retired)s OR status <> 'retired');

-- name: matching
-- The clients that fit every condition given, in order of their ids.
SELECT c.id
FROM clients c
WHERE c.status <> 'retired'
    AND (%(group)s::text IS NULL OR EXISTS (
        SELECT FROM client_group_members m WHERE m.group_id = %(group)s AND m.client_id = c.id
    ))
    AND (%(zone)s::text IS NULL OR c.zone = %(zone)s)
    AND (%(tags_all)s::text[] IS NULL OR c.tags @> %(tags_all)s)
    AND (%(tags_any)s::text[] IS NULL OR c.tags && %(tags_any)s)
ORDER BY c.id
LIMIT %(most)s;
