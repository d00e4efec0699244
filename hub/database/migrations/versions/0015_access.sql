-- A principal reaches all clients, or those of its grants.
ALTER TABLE principals ADD COLUMN reach text NOT NULL DEFAULT 'all'
    CHECK (reach IN ('all', 'granted'))
    CONSTRAINT principals_admin_reach CHECK (role <> 'admin' OR reach = 'all');
-- Removed for good: rows of the past name it, so it stays, without keys, and its name is free again.
ALTER TABLE principals ADD COLUMN removed_at timestamptz;

-- A key may do what its principal may, within its scope. NULL: everything of that kind.
ALTER TABLE api_keys
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN permissions text[],
    ADD COLUMN actions text[],
    ADD COLUMN narrowed boolean NOT NULL DEFAULT false,
    ADD COLUMN addresses text[],
    ADD COLUMN last_address text,
    ADD COLUMN created_by uuid;
CREATE INDEX api_keys_principal ON api_keys (principal_id);

CREATE TABLE users (
    principal_id uuid PRIMARY KEY REFERENCES principals (id),
    login text NOT NULL UNIQUE,
    password_hash text,
    password_changed_at timestamptz,
    updated_at timestamptz NOT NULL
);

-- A sign-in: of a page (an opaque cookie) or of a program (access and refresh tokens).
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES principals (id),
    kind text NOT NULL CHECK (kind IN ('page', 'token')),
    cookie_sha256 bytea UNIQUE,
    screen_id text,
    address text,
    user_agent text,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    confirmed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text
);
CREATE INDEX sessions_principal ON sessions (principal_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- The refresh tokens of one session are one family: one of them is unused.
CREATE TABLE refresh_tokens (
    sha256 bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires_at);

-- What access tokens are signed with: Ed25519 keys (JWK), sealed by a key outside the database. The newest signs.
CREATE TABLE token_keys (
    kid text PRIMARY KEY,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- Secrets that are good once: for the first administrator, or for a new password of somebody.
CREATE TABLE one_time_links (
    sha256 bytea PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('first_administrator', 'password')),
    principal_id uuid REFERENCES principals (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX one_time_links_expires ON one_time_links (expires_at);

-- Sign-ins that failed lately, counted by the hash of a login, of an address, and of both.
CREATE TABLE sign_in_failures (
    bucket bytea PRIMARY KEY,
    failures integer NOT NULL,
    resets_at timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_resets ON sign_in_failures (resets_at);

CREATE TABLE grants (
    id uuid PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES principals (id),
    target_kind text NOT NULL CHECK (target_kind IN ('client', 'group', 'zone', 'tags', 'all')),
    target text,
    tags text[],
    actions text[],
    access text NOT NULL CHECK (access IN ('read', 'command')),
    created_at timestamptz NOT NULL,
    created_by uuid,
    CONSTRAINT grants_target CHECK (
        CASE target_kind
            WHEN 'all' THEN target IS NULL AND tags IS NULL
            WHEN 'tags' THEN target IS NULL AND cardinality(tags) > 0
            ELSE target IS NOT NULL AND tags IS NULL
        END
    )
);
CREATE INDEX grants_principal ON grants (principal_id);

-- The clients that a narrowed key is for.
CREATE TABLE api_key_targets (
    key_id uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    target_kind text NOT NULL CHECK (target_kind IN ('client', 'group', 'zone', 'tags')),
    target text,
    tags text[],
    CONSTRAINT api_key_targets_target CHECK (
        CASE target_kind
            WHEN 'tags' THEN target IS NULL AND cardinality(tags) > 0
            ELSE target IS NOT NULL AND tags IS NULL
        END
    )
);
CREATE INDEX api_key_targets_key ON api_key_targets (key_id);

-- Each client that a grant names, by whichever kind of target; each branch is one look into an index.
CREATE VIEW granted_clients AS
    SELECT g.principal_id, c.id AS client_id, g.actions, g.access, g.id AS grant_id
    FROM grants g JOIN clients c ON c.id = g.target WHERE g.target_kind = 'client'
    UNION ALL
    SELECT g.principal_id, m.client_id, g.actions, g.access, g.id AS grant_id
    FROM grants g JOIN client_group_members m ON m.group_id = g.target WHERE g.target_kind = 'group'
    UNION ALL
    SELECT g.principal_id, c.id, g.actions, g.access, g.id AS grant_id
    FROM grants g JOIN clients c ON c.zone = g.target WHERE g.target_kind = 'zone'
    UNION ALL
    SELECT g.principal_id, c.id, g.actions, g.access, g.id AS grant_id
    FROM grants g JOIN clients c ON c.tags @> g.tags WHERE g.target_kind = 'tags'
    UNION ALL
    SELECT g.principal_id, c.id, g.actions, g.access, g.id AS grant_id
    FROM grants g CROSS JOIN clients c WHERE g.target_kind = 'all';

CREATE VIEW key_clients AS
    SELECT t.key_id, c.id AS client_id
    FROM api_key_targets t JOIN clients c ON c.id = t.target WHERE t.target_kind = 'client'
    UNION ALL
    SELECT t.key_id, m.client_id
    FROM api_key_targets t JOIN client_group_members m ON m.group_id = t.target WHERE t.target_kind = 'group'
    UNION ALL
    SELECT t.key_id, c.id
    FROM api_key_targets t JOIN clients c ON c.zone = t.target WHERE t.target_kind = 'zone'
    UNION ALL
    SELECT t.key_id, c.id
    FROM api_key_targets t JOIN clients c ON c.tags @> t.tags WHERE t.target_kind = 'tags';

-- THE rule: whether a principal, with one of its keys (NULL: by a session, or by what it left behind, such as a
-- schedule), may `read`, `command` or `decide` an action of a client. `act` NULL: any action. Role AND grants AND the
-- key's scope. Every statement that shows or takes something for a caller asks this one, or floorhub_reach, which is its
-- set. In PL/pgSQL, which keeps its plans: a function in SQL is planned anew for each statement that calls it.
CREATE FUNCTION floorhub_allows(principal uuid, key uuid, want text, client text, act text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    asking record;
    shown record;
BEGIN
    SELECT p.role, p.reach INTO asking FROM principals p WHERE p.id = principal AND p.disabled_at IS NULL;
    IF NOT FOUND OR (want <> 'read' AND asking.role NOT IN ('admin', 'operator')) THEN
        RETURN false;
    END IF;
    SELECT NULL::text[] AS actions INTO shown;
    IF key IS NOT NULL THEN
        SELECT k.actions, k.narrowed INTO shown
        FROM api_keys k
        WHERE k.id = key AND k.principal_id = principal
            AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
            AND (k.permissions IS NULL OR want = ANY (k.permissions));
        IF NOT FOUND OR act <> ALL (shown.actions) THEN
            RETURN false;
        END IF;
        IF shown.narrowed AND NOT EXISTS (
            SELECT FROM key_clients n WHERE n.key_id = key AND n.client_id = client
        ) THEN
            RETURN false;
        END IF;
    END IF;
    RETURN asking.reach = 'all' OR EXISTS (
        SELECT FROM granted_clients g
        WHERE g.principal_id = principal
            AND g.client_id = client
            AND (want = 'read' OR g.access = 'command')
            AND (
                g.actions IS NULL
                OR act = ANY (g.actions)
                OR (act IS NULL AND (shown.actions IS NULL OR g.actions && shown.actions))
            )
    );
END
$$;

-- The set of the rule: each client of which a principal may read or command something, with the actions (NULL: all).
CREATE FUNCTION floorhub_reach(principal uuid, key uuid, want text) RETURNS TABLE (client_id text, actions text[])
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 AS $$
#variable_conflict use_column
DECLARE
    asking record;
    shown record;
BEGIN
    SELECT p.role, p.reach INTO asking FROM principals p WHERE p.id = principal AND p.disabled_at IS NULL;
    IF NOT FOUND OR (want <> 'read' AND asking.role NOT IN ('admin', 'operator')) THEN
        RETURN;
    END IF;
    SELECT NULL::text[] AS actions, false AS narrowed INTO shown;
    IF key IS NOT NULL THEN
        SELECT k.actions, k.narrowed INTO shown
        FROM api_keys k
        WHERE k.id = key AND k.principal_id = principal
            AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
            AND (k.permissions IS NULL OR want = ANY (k.permissions));
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF asking.reach = 'all' AND shown.narrowed THEN
        RETURN QUERY SELECT DISTINCT n.client_id, shown.actions FROM key_clients n WHERE n.key_id = key;
    ELSIF asking.reach = 'all' THEN
        RETURN QUERY SELECT c.id, shown.actions FROM clients c;
    ELSE
        RETURN QUERY
        SELECT
            g.client_id,
            CASE WHEN NOT bool_or(g.actions IS NULL AND shown.actions IS NULL) THEN array_agg(DISTINCT a.name) END
        FROM granted_clients g
        LEFT JOIN LATERAL unnest(coalesce(g.actions, shown.actions)) AS a (name) ON true
        WHERE g.principal_id = principal
            AND (want = 'read' OR g.access = 'command')
            AND (g.actions IS NULL OR shown.actions IS NULL OR a.name = ANY (shown.actions))
            AND (
                NOT shown.narrowed
                OR g.client_id IN (SELECT n.client_id FROM key_clients n WHERE n.key_id = key)
            )
        GROUP BY g.client_id;
    END IF;
END
$$;

-- Whether that set is all that there is: then nobody needs to go through it.
CREATE FUNCTION floorhub_reaches_all(principal uuid, key uuid, want text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM principals p
        WHERE p.id = principal AND p.disabled_at IS NULL
            AND (want = 'read' OR p.role IN ('admin', 'operator'))
            AND (p.reach = 'all' OR EXISTS (
                SELECT FROM grants g
                WHERE g.principal_id = principal AND g.target_kind = 'all' AND g.actions IS NULL
                    AND (want = 'read' OR g.access = 'command')
            ))
    ) AND (key IS NULL OR EXISTS (
        SELECT FROM api_keys k
        WHERE k.id = key AND k.principal_id = principal
            AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
            AND (k.permissions IS NULL OR want = ANY (k.permissions))
            AND NOT k.narrowed AND k.actions IS NULL
    ));
END
$$;

-- Its clients alone.
CREATE FUNCTION floorhub_clients(principal uuid, key uuid, want text) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT r.client_id FROM floorhub_reach(principal, key, want) r
$$;

-- Changes by which somebody may reach fewer clients, or more: who keeps the commands of revoked principals takes these
-- rows, with whose commit they appear. By triggers, since many subjects change what grants go by.
CREATE TABLE access_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION floorhub_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_changes DEFAULT VALUES;
    RETURN NULL;
END
$$;
CREATE TRIGGER grants_changed AFTER INSERT OR UPDATE OR DELETE ON grants
    FOR EACH STATEMENT EXECUTE FUNCTION floorhub_access_changed();
CREATE TRIGGER principals_changed AFTER UPDATE OF role, reach, disabled_at ON principals
    FOR EACH STATEMENT EXECUTE FUNCTION floorhub_access_changed();
CREATE TRIGGER client_group_members_changed AFTER INSERT OR UPDATE OR DELETE ON client_group_members
    FOR EACH STATEMENT EXECUTE FUNCTION floorhub_access_changed();
CREATE TRIGGER clients_changed AFTER UPDATE OF zone, tags ON clients
    FOR EACH STATEMENT EXECUTE FUNCTION floorhub_access_changed();

-- A command that is withheld is `on_hold` and `scheduled` besides, which every hub's dispatch knows.
ALTER TABLE commands ADD COLUMN withheld_at timestamptz;

-- Whether what somebody showed when he asked still stands: for what goes on after that, such as waits and streams.
CREATE FUNCTION floorhub_is_valid(principal uuid, key uuid, session uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM principals p WHERE p.id = principal AND p.disabled_at IS NULL)
        AND (key IS NULL OR EXISTS (
            SELECT FROM api_keys k
            WHERE k.id = key AND k.principal_id = principal
                AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > floorhub_now())
        ))
        AND (session IS NULL OR EXISTS (
            SELECT FROM sessions s
            WHERE s.id = session AND s.principal_id = principal
                AND s.ended_at IS NULL AND s.expires_at > floorhub_now()
        ));
END
$$;

-- Which clients, and which of their actions, a document was for: read by hopping from one to the next. A command names
-- at most one document. One that was refused made the document nobody's concern.
CREATE INDEX commands_document ON commands ((document_ids[1]), client_id, action)
    WHERE document_ids <> '{}' AND status <> 'rejected';
ALTER TABLE commands ADD CONSTRAINT commands_one_document CHECK (cardinality(document_ids) <= 1);

-- Whether a principal may read a document, and name it in a command: its creator, with a key within whose scope all is
-- that it was for, or who may read everything that it was for, if it was for anything. Not limited: any that there is.
CREATE FUNCTION floorhub_reads_document(principal uuid, key uuid, limited boolean, document_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    creator uuid;
    shown record;
    concerned bigint;
    others bigint;
BEGIN
    SELECT d.created_by INTO creator FROM documents d WHERE d.id = document_id;
    IF NOT FOUND OR NOT limited THEN
        RETURN FOUND;
    END IF;
    SELECT NULL::text[] AS actions, false AS narrowed INTO shown;
    IF creator = principal AND key IS NOT NULL THEN
        SELECT k.actions, k.narrowed INTO shown FROM api_keys k WHERE k.id = key AND k.principal_id = principal;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    IF creator = principal AND NOT shown.narrowed AND shown.actions IS NULL THEN
        RETURN true;
    END IF;
    WITH RECURSIVE hop AS (
        (
            SELECT c.client_id, c.action
            FROM commands c
            WHERE c.document_ids[1] = document_id AND c.document_ids <> '{}' AND c.status <> 'rejected'
            ORDER BY c.client_id, c.action
            LIMIT 1
        )
        UNION ALL
        SELECT next.client_id, next.action
        FROM hop
        CROSS JOIN LATERAL (
            SELECT c.client_id, c.action
            FROM commands c
            WHERE c.document_ids[1] = document_id AND c.document_ids <> '{}' AND c.status <> 'rejected'
                AND (c.client_id, c.action) > (hop.client_id, hop.action)
            ORDER BY c.client_id, c.action
            LIMIT 1
        ) next
    ),
    its AS (
        SELECT h.client_id, h.action FROM hop h
        UNION ALL
        SELECT u.client_id, c.action
        FROM uploads u JOIN commands c ON c.id = u.command_id
        WHERE u.document_id = floorhub_reads_document.document_id
    )
    SELECT
        count(*),
        count(*) FILTER (
            WHERE NOT CASE
                WHEN creator = principal THEN
                    (shown.actions IS NULL OR its.action = ANY (shown.actions))
                    AND (
                        NOT shown.narrowed
                        OR EXISTS (SELECT FROM key_clients n WHERE n.key_id = key AND n.client_id = its.client_id)
                    )
                ELSE floorhub_allows(principal, key, 'read', its.client_id, its.action)
            END
        )
    INTO concerned, others
    FROM its;
    RETURN others = 0 AND (concerned > 0 OR creator = principal);
END
$$;

-- The groups that a principal may see: those whose clients it may read, every one of them. One without a client is seen
-- by whom a grant, or the scope of the key, names it to.
CREATE FUNCTION floorhub_groups(principal uuid, key uuid) RETURNS SETOF text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT g.id
    FROM client_groups g
    WHERE (
            EXISTS (
                SELECT FROM client_group_members m JOIN clients c ON c.id = m.client_id
                WHERE m.group_id = g.id AND c.status <> 'retired'
            )
            OR EXISTS (
                SELECT FROM grants t
                WHERE t.principal_id = principal AND t.target_kind = 'group' AND t.target = g.id
            )
            OR EXISTS (
                SELECT FROM api_key_targets t WHERE t.key_id = key AND t.target_kind = 'group' AND t.target = g.id
            )
        )
        AND NOT EXISTS (
            SELECT FROM client_group_members m JOIN clients c ON c.id = m.client_id
            WHERE m.group_id = g.id
                AND c.status <> 'retired'
                AND m.client_id NOT IN (SELECT id FROM floorhub_clients(principal, key, 'read') AS readable (id))
        )
$$;

-- The texts of a JSON array; none of anything else, such as null.
CREATE FUNCTION floorhub_texts(list json) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN json_typeof(list) = 'array' THEN ARRAY(SELECT json_array_elements_text(list)) ELSE '{}' END
$$;

-- Whether a client with these tags fits the tags that the request of a schedule names.
CREATE FUNCTION floorhub_has_tags(request json, tags text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN tags @> floorhub_texts(request #> '{target,tags,all}')
        AND (
            cardinality(floorhub_texts(request #> '{target,tags,any}')) = 0
            OR tags && floorhub_texts(request #> '{target,tags,any}')
        );
END
$$;

-- The clients that the request of a schedule means now, and what it asks each to do: looked up by whichever condition
-- has an index; only one branch is walked. One SELECT, so that it becomes part of the statement that asks, which stops at
-- the first row that it needs.
CREATE FUNCTION floorhub_targets(request json) RETURNS TABLE (client_id text, action text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT e.each ->> 'client_id', e.each ->> 'action'
    FROM json_array_elements(
        CASE WHEN json_typeof(request -> 'commands') = 'array' THEN request -> 'commands' ELSE '[]' END
    ) AS e (each)
    UNION ALL
    SELECT c.id, request #>> '{command,action}'
    FROM clients c
    WHERE c.id = ANY (floorhub_texts(request #> '{target,clients}'))
    UNION ALL
    SELECT c.id, request #>> '{command,action}'
    FROM clients c
    WHERE request #>> '{target,clients}' IS NULL
        AND c.zone = request #>> '{target,zone}'
        AND c.status <> 'retired'
        AND floorhub_has_tags(request, c.tags)
        AND (
            request #>> '{target,group}' IS NULL
            OR EXISTS (
                SELECT FROM client_group_members m
                WHERE m.group_id = request #>> '{target,group}' AND m.client_id = c.id
            )
        )
    UNION ALL
    SELECT c.id, request #>> '{command,action}'
    FROM client_group_members m JOIN clients c ON c.id = m.client_id
    WHERE request #>> '{target,clients}' IS NULL
        AND request #>> '{target,zone}' IS NULL
        AND m.group_id = request #>> '{target,group}'
        AND c.status <> 'retired'
        AND floorhub_has_tags(request, c.tags)
    UNION ALL
    SELECT c.id, request #>> '{command,action}'
    FROM clients c
    WHERE cardinality(floorhub_texts(request #> '{target,tags,all}')) > 0
        AND c.tags @> floorhub_texts(request #> '{target,tags,all}')
        AND request #>> '{target,clients}' IS NULL
        AND request #>> '{target,zone}' IS NULL
        AND request #>> '{target,group}' IS NULL
        AND c.status <> 'retired'
        AND floorhub_has_tags(request, c.tags)
    UNION ALL
    SELECT c.id, request #>> '{command,action}'
    FROM clients c
    WHERE cardinality(floorhub_texts(request #> '{target,tags,all}')) = 0
        AND cardinality(floorhub_texts(request #> '{target,tags,any}')) > 0
        AND c.tags && floorhub_texts(request #> '{target,tags,any}')
        AND request #>> '{target,clients}' IS NULL
        AND request #>> '{target,zone}' IS NULL
        AND request #>> '{target,group}' IS NULL
        AND c.status <> 'retired'
    UNION ALL
    SELECT c.id, request #>> '{command,action}'
    FROM clients c
    WHERE json_typeof(request -> 'target') = 'object'
        AND cardinality(floorhub_texts(request #> '{target,tags,all}')) = 0
        AND cardinality(floorhub_texts(request #> '{target,tags,any}')) = 0
        AND request #>> '{target,clients}' IS NULL
        AND request #>> '{target,zone}' IS NULL
        AND request #>> '{target,group}' IS NULL
        AND c.status <> 'retired'
$$;

-- Whether two keys are of one principal and for the same: one has replaced the other.
CREATE FUNCTION floorhub_same_scope(one uuid, other uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM api_keys a JOIN api_keys b ON b.principal_id = a.principal_id
        WHERE a.id = one
            AND b.id = other
            AND b.permissions IS NOT DISTINCT FROM a.permissions
            AND b.actions IS NOT DISTINCT FROM a.actions
            AND b.narrowed = a.narrowed
    ) AND NOT EXISTS (
        SELECT FROM api_key_targets t
        WHERE t.key_id IN (one, other)
        GROUP BY t.target_kind, t.target, t.tags
        HAVING count(DISTINCT t.key_id) < CASE WHEN one = other THEN 1 ELSE 2 END
    )
$$;

-- A schedule's name is its principal's own: two shops may have the same.
ALTER TABLE schedules DROP CONSTRAINT schedules_name_key;
ALTER TABLE schedules ADD CONSTRAINT schedules_created_by_name_key UNIQUE (created_by, name);
-- The key, one for some clients or actions only, that said what it sends, or when: it fires within the scope of that key.
ALTER TABLE schedules ADD COLUMN runs_by_key uuid;
