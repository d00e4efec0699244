-- Sign-ins that failed lately. They are counted before a password is looked at, so that many at a time do not pass.

-- name: count_attempts
-- Counts one more in each bucket (sorted, so that nobody waits for another in a circle), or names those that are full.
WITH asked AS (
    SELECT bucket, most, lasts
    FROM unnest(%(buckets)s::bytea[], %(most)s::int[], %(lasts)s::interval[]) AS a (bucket, most, lasts)
), full_ones AS (
    SELECT f.resets_at
    FROM sign_in_failures f
    JOIN asked a ON a.bucket = f.bucket
    WHERE f.resets_at > floorhub_now() AND f.failures >= a.most
), counted AS (
    INSERT INTO sign_in_failures AS f (bucket, failures, resets_at)
    SELECT bucket, 1, floorhub_now() + lasts
    FROM asked
    WHERE NOT EXISTS (SELECT FROM full_ones)
    ORDER BY bucket
    ON CONFLICT (bucket) DO UPDATE SET
        failures = CASE WHEN f.resets_at > floorhub_now() THEN f.failures + 1 ELSE 1 END,
        resets_at = CASE WHEN f.resets_at > floorhub_now() THEN f.resets_at ELSE excluded.resets_at END
    RETURNING f.bucket, f.failures, f.resets_at
)
SELECT
    COALESCE(
        (SELECT max(resets_at) FROM full_ones),
        -- Others counted between the look and the write.
        (SELECT max(c.resets_at) FROM counted c JOIN asked a ON a.bucket = c.bucket WHERE c.failures > a.most)
    ) AS resets_at,
    floorhub_now() AS now;

-- name: was_here
-- Whether somebody has signed in with a login from an address lately: as long as rows of sessions are kept.
SELECT EXISTS (
    SELECT FROM sessions s JOIN users u ON u.principal_id = s.principal_id
    WHERE u.login = %(login)s AND s.address = %(address)s AND s.created_at > floorhub_now() - interval '30 days'
) AS was_here;

-- name: forgive_attempts
-- After a sign-in that succeeded: it was no failure.
UPDATE sign_in_failures SET failures = failures - 1
WHERE bucket IN (
    SELECT bucket FROM sign_in_failures WHERE bucket = ANY (%(buckets)s) ORDER BY bucket FOR UPDATE
) AND failures > 0;

-- name: delete_failures
WITH old AS MATERIALIZED (
    SELECT ctid FROM sign_in_failures
    WHERE resets_at < %(before)s
    ORDER BY resets_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM sign_in_failures f USING old WHERE f.ctid = old.ctid
RETURNING jsonb_build_object('kind', 'sign_in_failures', 'failures', f.failures)::text AS line;

-- name: count_failures
SELECT count(*) AS number FROM sign_in_failures WHERE resets_at < %(before)s;
