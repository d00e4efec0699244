-- name: page
-- The printers of all clients as each client last reported its own, in order of the client's id and then as reported.
-- What stands in the report is the client's: a list may be missing, and any value may have another type.
SELECT found.*
FROM (
    SELECT
        c.id AS client_id, c.name AS client_name, c.zone, s.presence, s.state_at AS reported_at, p.place, p.printer,
        CASE
            WHEN p.printer ->> 'state' IN ('idle', 'processing', 'stopped', 'unreachable') THEN p.printer ->> 'state'
            ELSE 'unknown'
        END AS state
    FROM clients c
    JOIN client_sessions s ON s.client_id = c.id
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(s.state -> 'printers') WHEN 'array' THEN s.state -> 'printers' ELSE '[]'::jsonb END
    ) WITH ORDINALITY AS p (printer, place)
    WHERE c.status <> 'retired'
        AND (
            NOT %(limited)s
            OR c.id IN (SELECT readable FROM floorhub_clients(%(scope_principal)s, %(scope_key)s, 'read') AS readable)
        )
        AND (%(client_id)s::text IS NULL OR c.id = %(client_id)s)
        AND (%(zone)s::text IS NULL OR c.zone = %(zone)s)
        AND (%(tag)s::text IS NULL OR c.tags @> ARRAY[%(tag)s::text])
        AND (%(group)s::text IS NULL OR EXISTS (
            SELECT FROM client_group_members m WHERE m.group_id = %(group)s AND m.client_id = c.id
        ))
        AND (%(presence)s::text IS NULL OR s.presence = %(presence)s)
) AS found
WHERE (%(name)s::text IS NULL OR printer ->> 'name' = %(name)s)
    AND (%(model)s::text IS NULL OR position(lower(%(model)s) IN lower(printer ->> 'model')) > 0)
    AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
    AND (%(reason)s::text IS NULL OR EXISTS (
        SELECT FROM jsonb_array_elements(
            CASE jsonb_typeof(printer -> 'reasons') WHEN 'array' THEN printer -> 'reasons' ELSE '[]'::jsonb END
        ) AS r (told)
        WHERE coalesce(r.told ->> 'reason', r.told #>> '{}') = %(reason)s
    ))
    AND (%(after_client)s::text IS NULL OR (client_id, place) > (%(after_client)s::text, %(after_place)s::bigint))
ORDER BY client_id, place
LIMIT %(most)s;
