-- Security events: how grave, whose, and, when too many come, how many one row stands for.
ALTER TABLE security_events
    ADD COLUMN severity text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
    ADD COLUMN principal_id uuid,
    ADD COLUMN number integer NOT NULL DEFAULT 1,
    ADD COLUMN counted_from timestamptz;
CREATE INDEX security_events_kind ON security_events (kind, at);
CREATE INDEX security_events_at ON security_events (at);
CREATE UNIQUE INDEX security_events_counted ON security_events (kind, coalesce(address, ''), counted_from)
    WHERE counted_from IS NOT NULL;

-- The salt makes the digest of a row's texts tell nothing once they are erased; the digest is there only then. Two steps,
-- so that the rows that are there are not rewritten: the sealer gives them theirs.
ALTER TABLE audit_logs ADD COLUMN salt uuid, ADD COLUMN digest bytea;
ALTER TABLE audit_logs ALTER COLUMN salt SET DEFAULT gen_random_uuid();
CREATE INDEX audit_logs_principal ON audit_logs (principal_id, id);
CREATE INDEX audit_logs_resource ON audit_logs (resource, resource_id, id);

-- The chain. Appended by whichever hub comes first; nobody updates it.
CREATE TABLE audit_seals (
    number bigint PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('rows', 'cut', 'key', 'restore', 'break')),
    at timestamptz NOT NULL,
    -- The rows of this block, and the highest that any block has until here.
    ids int8multirange NOT NULL,
    high bigint NOT NULL,
    rows integer NOT NULL,
    rows_hash bytea NOT NULL,
    -- The first 8 bytes of each row's hash, in the order of their ids: they tell which row is not what it was.
    marks bytea NOT NULL,
    -- What a block of another kind says, as JSON; the seal covers its bytes, hence text.
    content text,
    previous bytea NOT NULL,
    kid text NOT NULL,
    hash bytea NOT NULL,
    signature bytea NOT NULL
);
CREATE INDEX audit_seals_kind ON audit_seals (kind, number) WHERE kind <> 'rows';

-- Which key seals: the public half. What proves a seal is the key beside the database, this only refuses a wrong folder.
CREATE TABLE audit_keys (
    kid text PRIMARY KEY,
    public_key text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz
);
CREATE UNIQUE INDEX audit_keys_one ON audit_keys ((until IS NULL)) WHERE until IS NULL;

-- What the hub's own role may do to the trail besides adding to it. Each runs as the owner of the tables.

CREATE FUNCTION floorhub_audit_salt(ids bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE audit_logs SET salt = gen_random_uuid() WHERE id = ANY (ids) AND salt IS NULL AND digest IS NULL
$$;

-- Erase the texts of rows; their digests keep the chain whole. The caller leaves a row that says so, see `erase`.
CREATE FUNCTION floorhub_audit_erase(ids bigint[], digests bytea[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    WITH erased AS (
        UPDATE audit_logs a SET address = NULL, detail = NULL, salt = NULL, digest = e.digest
        FROM unnest(ids, digests) AS e (id, digest)
        WHERE a.id = e.id AND a.digest IS NULL AND a.action <> 'audit.erase'
        RETURNING a.id
    )
    SELECT count(*) FROM erased
$$;

-- Delete the oldest blocks with their rows, which a seal of kind `cut` has named with the hash of the last of them, so
-- that the chain goes on from it. Nothing that is younger than a day.
CREATE FUNCTION floorhub_audit_cut(through bigint) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM audit_seals c JOIN audit_seals s ON s.number = through
        WHERE c.kind = 'cut' AND c.number > through
            AND (c.content::jsonb ->> 'through')::bigint = through
            AND c.content::jsonb ->> 'hash' = encode(s.hash, 'hex')
    ) THEN
        RAISE EXCEPTION 'no seal says that the audit trail is cut at %', through;
    END IF;
    IF EXISTS (
        SELECT FROM audit_seals s CROSS JOIN LATERAL unnest(s.ids) AS r JOIN audit_logs a
            ON a.id >= lower(r) AND a.id < upper(r)
        WHERE s.number <= through AND a.at > floorhub_now() - interval '1 day'
    ) THEN
        RAISE EXCEPTION 'rows of the audit trail that are younger than a day stay';
    END IF;
    RETURN QUERY
        DELETE FROM audit_logs a
        USING (
            SELECT lower(r) AS low, upper(r) AS high FROM audit_seals s CROSS JOIN LATERAL unnest(s.ids) AS r
            WHERE s.number <= through
        ) b
        WHERE a.id >= b.low AND a.id < b.high
        RETURNING jsonb_build_object('kind', 'audit', 'id', a.id, 'row', to_jsonb(a))::text;
    DELETE FROM audit_seals s WHERE s.number <= through;
END
$$;
REVOKE EXECUTE ON FUNCTION floorhub_audit_salt(bigint[]), floorhub_audit_erase(bigint[], bytea[]), floorhub_audit_cut(bigint)
    FROM PUBLIC;

-- The oldest program that may use these tables, by the newest revision that it knows. `migrate` writes it.
CREATE TABLE schema_compatibility (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    oldest text NOT NULL
);
