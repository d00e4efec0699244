-- Records are written in the transaction of whatever they tell of, a cancel on the hot path, too; and clean-up takes rows
-- by the hundred, each kind by an index of its own, with the line that the archive keeps.

-- name: record
INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
VALUES (floorhub_now(), %(principal_id)s, %(action)s, %(resource)s, %(resource_id)s, %(address)s, %(detail)s);

-- name: record_many
-- The same of several commands at once.
INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
SELECT floorhub_now(), %(principal_id)s, %(action)s, 'command', r.id::text, %(address)s, r.detail
FROM jsonb_to_recordset(%(rows)s) AS r (id uuid, detail jsonb);

-- name: record_details
-- The same of several things, each with its detail.
INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
SELECT floorhub_now(), %(principal_id)s, %(action)s, %(resource)s, r.id, %(address)s, r.detail
FROM jsonb_to_recordset(%(rows)s) AS r (id text, detail jsonb);

-- name: record_each
-- The same of several things, with one detail.
INSERT INTO audit_logs (at, principal_id, action, resource, resource_id, address, detail)
SELECT floorhub_now(), %(principal_id)s, %(action)s, %(resource)s, resource_id, %(address)s, %(detail)s::jsonb
FROM unnest(%(resource_ids)s::text[]) AS resource_id;

-- name: delete_security_events
WITH old AS MATERIALIZED (
    SELECT ctid FROM security_events
    WHERE at < %(before)s
    ORDER BY at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM security_events s USING old WHERE s.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'security_event', 'id', s.id, 'row', to_jsonb(s))::text AS line;

-- name: count_security_events
SELECT count(*) AS number FROM security_events WHERE at < %(before)s;

-- name: record_security
-- A flood must not fill the table: past so many of a kind in a minute, from one address or in all, they are counted in
-- one row of that minute.
WITH asked AS (
    SELECT floorhub_now() AS at, %(kind)s::text AS kind, %(address)s::text AS address
),
recent AS (
    SELECT
        count(*) AS everywhere,
        count(*) FILTER (WHERE e.address IS NOT DISTINCT FROM asked.address) AS here
    FROM asked
    JOIN security_events e ON e.kind = asked.kind AND e.at > asked.at - interval '1 minute' AND e.counted_from IS NULL
)
INSERT INTO security_events (at, kind, severity, principal_id, client_id, address, detail, counted_from)
SELECT
    asked.at, asked.kind, %(severity)s,
    CASE WHEN NOT over.any THEN %(principal_id)s::uuid END,
    CASE WHEN NOT over.any THEN %(client_id)s::text END,
    CASE WHEN recent.everywhere < %(most_of_kind)s THEN asked.address END,
    CASE WHEN NOT over.any THEN %(detail)s::jsonb END,
    CASE WHEN over.any THEN date_trunc('minute', asked.at) END
FROM asked, recent,
    LATERAL (SELECT recent.here >= %(most_of_address)s OR recent.everywhere >= %(most_of_kind)s AS any) over
ON CONFLICT (kind, coalesce(address, ''), counted_from) WHERE counted_from IS NOT NULL
DO UPDATE SET number = security_events.number + 1, at = excluded.at;
