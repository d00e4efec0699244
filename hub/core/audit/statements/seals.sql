-- The chain of seals. Nothing here updates a row or a seal.

-- Whoever tampers may write what no hub writes and no program can read, such as the time `infinity`. It is read as
-- something else that no hub writes, so that verification goes on and names it.

-- fragment: seal
number, kind, CASE WHEN at BETWEEN '0001-01-02' AND '9999-12-30' THEN at ELSE 'epoch' END AS at,
    (CASE WHEN lower_inf(ids) OR upper_inf(ids) THEN int8multirange() ELSE ids END)::text AS ids,
    high, rows, rows_hash, marks, content, previous, kid, hash, signature

-- fragment: row
a.id, CASE WHEN a.at BETWEEN '0001-01-02' AND '9999-12-30' THEN a.at ELSE 'epoch' END AS at,
    a.principal_id, a.action, a.resource, a.resource_id, a.address, a.detail::text AS detail, a.salt, a.digest,
    a.seq IS NOT NULL OR a.hash IS NOT NULL OR NOT a.at BETWEEN '0001-01-02' AND '9999-12-30' AS claimed

-- fragment: left_out
-- Range by range: as a join, the plan for any number of ranges reads the whole trail.
SELECT l.*
FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS r (low, high)
CROSS JOIN LATERAL (
    SELECT {row} FROM audit_logs a WHERE a.id >= r.low AND a.id < r.high ORDER BY a.id LIMIT %(most)s
) AS l
ORDER BY l.id
LIMIT %(most)s

-- fragment: drawn
(SELECT coalesce(pg_sequence_last_value('audit_logs_id_seq'), 0))

-- name: last
-- Above half of what there is nobody counts: such a number was written by hand.
SELECT {seal} FROM audit_seals WHERE number < 4611686018427387904 ORDER BY number DESC LIMIT 1;

-- name: from
SELECT {seal} FROM audit_seals WHERE number >= %(number)s ORDER BY number LIMIT %(most)s;

-- name: since
-- The blocks of a time, oldest first; of more than `most` the last ones.
SELECT * FROM (
    SELECT {seal} FROM audit_seals
    WHERE at > %(since)s AND number < 4611686018427387904
    ORDER BY number DESC
    LIMIT %(most)s
) s ORDER BY number;

-- name: special
-- All blocks of other kinds than rows, newest first.
SELECT {seal} FROM audit_seals WHERE kind <> 'rows' ORDER BY number DESC;

-- name: unsealed
-- The time, which transactions run (all below `oldest` have ended, and `next` has not begun), and the rows that have no
-- seal: those above the highest that has, and those of numbers that were left out. One statement sees one state: what a
-- transaction below `oldest` wrote is among these rows. Not those of numbers that were never drawn: somebody wrote them by
-- hand, and after one of the highest numbers no row would be above it any more.
-- `flushed` and `written`: how far the database's log has come, on its disk and at all, in bytes; and the hash of a block,
-- if it is there.
SELECT s.at AS now, s.oldest, s.next, s.flushed, s.written, s.block, r.*
FROM (
    SELECT
        floorhub_now() AS at,
        (pg_current_wal_flush_lsn() - '0/0')::bigint AS flushed,
        (pg_current_wal_insert_lsn() - '0/0')::bigint AS written,
        (SELECT b.hash FROM audit_seals b WHERE b.number = %(block)s) AS block,
        pg_snapshot_xmin(c)::text::bigint AS oldest,
        pg_snapshot_xmax(c)::text::bigint AS next
    FROM pg_current_snapshot() AS c
) s
LEFT JOIN LATERAL (
    ({left_out})
    UNION ALL
    (SELECT {row} FROM audit_logs a WHERE a.id > %(high)s AND a.id <= {drawn} ORDER BY a.id LIMIT %(most)s)
) r ON true
ORDER BY r.id;

-- name: late
{left_out};

-- name: ids
-- Which rows there are, page by page.
SELECT id FROM audit_logs WHERE id >= %(first)s AND id <= %(until)s ORDER BY id LIMIT %(most)s;

-- name: not_drawn
-- Rows of numbers that were never drawn.
SELECT id FROM audit_logs WHERE id > {drawn} ORDER BY id LIMIT %(most)s;

-- name: beyond
SELECT count(*) FROM audit_logs WHERE id > %(high)s AND id <= {drawn};

-- fragment: new_seal
INSERT INTO audit_seals (
    number, kind, at, ids, high, rows, rows_hash, marks, content, previous, kid, hash, signature
)
SELECT
    %(number)s, %(kind)s, %(at)s, %(ids)s::int8multirange, %(high)s, %(rows)s, %(rows_hash)s, %(marks)s, %(content)s,
    %(previous)s, %(kid)s, %(hash)s, %(signature)s

-- fragment: at_the_end
-- Two hubs may seal at the same moment: the number goes to one of them. Not onto a chain that has changed meanwhile, and
-- not with a key that was replaced.
WHERE (
        %(number)s = 1 AND NOT EXISTS (SELECT FROM audit_seals)
        OR EXISTS (SELECT FROM audit_seals WHERE number = %(number)s - 1 AND hash = %(previous)s)
    )
    AND EXISTS (SELECT FROM audit_keys WHERE kid = %(kid)s AND until IS NULL)
ON CONFLICT (number) DO NOTHING

-- name: append
{new_seal}
{at_the_end};

-- name: append_soon
-- The same without waiting for the disk: a commit of a command follows, or the database writes its log within a second.
-- A crash may take such a block, never its rows: those were on the disk before anybody could see them.
{new_seal}
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon
{at_the_end};

-- name: salt
SELECT floorhub_audit_salt(%(ids)s);

-- name: erasures
-- Every row that says that texts were erased, and which.
SELECT {row} FROM audit_logs a WHERE a.action = 'audit.erase' AND a.resource = 'principal' ORDER BY a.id;

-- name: of_person
-- Rows whose texts may tell of a person: by this principal, about it, or about its keys, grants and sign-ins, when they
-- name it; those that are erased already left out. A name counts only where one stands: somebody may be called as a role
-- or a field is, and what others did must stay.
SELECT {row} FROM audit_logs a
WHERE a.id > %(after)s AND a.digest IS NULL AND a.action <> 'audit.erase'
    AND (a.address IS NOT NULL OR a.detail IS NOT NULL)
    AND (
        a.principal_id = %(principal_id)s
        OR a.resource = ANY (%(resources)s) AND (
            a.resource_id = %(principal_id)s::text
            OR a.resource IN ('principal', 'login') AND a.resource_id = ANY (%(names)s)
            OR jsonb_path_exists(a.detail, '$.** ? (@ == $id)', jsonb_build_object('id', %(principal_id)s::text))
            OR EXISTS (
                SELECT FROM unnest(%(names)s::text[]) AS n (name)
                WHERE jsonb_path_exists(a.detail, '$.**.name ? (@ == $n)', jsonb_build_object('n', n.name))
                    OR jsonb_path_exists(a.detail, '$.**.login ? (@ == $n)', jsonb_build_object('n', n.name))
                    OR jsonb_path_exists(a.detail, '$.**.principal ? (@ == $n)', jsonb_build_object('n', n.name))
            )
        )
    )
ORDER BY a.id
LIMIT %(most)s;

-- name: erase
SELECT floorhub_audit_erase(%(ids)s, %(digests)s) AS number;

-- name: erase_security_events
UPDATE security_events SET address = NULL, detail = NULL
WHERE principal_id = %(principal_id)s AND (address IS NOT NULL OR detail IS NOT NULL);

-- name: oldest
-- The oldest blocks, each with whether any of its rows (or it itself, if it has none) is younger than that.
SELECT s.number, s.rows, s.hash,
    CASE WHEN s.rows = 0 THEN s.at >= %(before)s ELSE EXISTS (
        SELECT FROM unnest(s.ids) AS r
        CROSS JOIN LATERAL (SELECT a.at FROM audit_logs a WHERE a.id >= lower(r) AND a.id < upper(r) OFFSET 0) AS l
        WHERE l.at >= %(before)s
    ) END AS stays
FROM audit_seals s
ORDER BY s.number
OFFSET %(skip)s
LIMIT %(most)s;

-- name: cut
SELECT line FROM floorhub_audit_cut(%(through)s) AS line;

-- name: lock_keys
LOCK TABLE audit_keys IN SHARE ROW EXCLUSIVE MODE;

-- name: key
SELECT public_key FROM audit_keys WHERE until IS NULL;

-- name: retire_key
UPDATE audit_keys SET until = floorhub_now() WHERE until IS NULL AND kid <> %(kid)s;

-- name: add_key
INSERT INTO audit_keys (kid, public_key, since) VALUES (%(kid)s, %(public_key)s, floorhub_now())
ON CONFLICT (kid) DO UPDATE SET until = NULL;
