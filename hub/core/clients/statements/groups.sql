-- What is not here is built with SQLModel. Matching stays as it is: it runs for every batch, over whatever combination
-- of conditions, and one reads here which of them an index serves.

-- name: matching
-- The clients that fit every condition given, in order of their ids; of these those with which a limited caller may do
-- what he wants.
SELECT c.id
FROM clients c
WHERE c.status <> 'retired'
    AND (%(group)s::text IS NULL OR EXISTS (
        SELECT FROM client_group_members m WHERE m.group_id = %(group)s AND m.client_id = c.id
    ))
    AND (%(zone)s::text IS NULL OR c.zone = %(zone)s)
    AND (%(tags_all)s::text[] IS NULL OR c.tags @> %(tags_all)s)
    AND (%(tags_any)s::text[] IS NULL OR c.tags && %(tags_any)s)
    AND (NOT %(limited)s OR c.id IN (
        SELECT r.client_id
        FROM floorhub_reach(%(scope_principal)s, %(scope_key)s, %(want)s) r
        WHERE %(action)s::text IS NULL OR r.actions IS NULL OR %(action)s = ANY (r.actions)
    ))
ORDER BY c.id
LIMIT %(most)s;
