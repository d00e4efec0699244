-- The hub's tables. `clients` and what hangs on it change rarely; `commands`, `command_logs`, `client_sessions` and
-- `client_usage` are hot and are written by named statements only.

-- The only clock that decides anything in the hub. A session may shift it: SET floorhub.clock_shift = '2 hours'.
CREATE FUNCTION floorhub_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT statement_timestamp()
        + coalesce(nullif(current_setting('floorhub.clock_shift', true), ''), '0')::interval
$$;

CREATE TABLE principals (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('user', 'integration')),
    name text NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz
);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    principal_id uuid NOT NULL REFERENCES principals (id),
    prefix text NOT NULL,
    sha256 bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE clients (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND id !~ '\n'),
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('printer_pc', 'pda', 'kiosk', 'other')),
    status text NOT NULL CHECK (status IN ('active', 'disabled', 'retired')),
    zone text,
    tags text[] NOT NULL,
    metadata jsonb NOT NULL,
    secret_sha256 bytea NOT NULL,
    mqtt_password text NOT NULL,
    mqtt_salt text NOT NULL,
    mqtt_iterations integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retired_at timestamptz
);
CREATE INDEX clients_zone ON clients (zone) WHERE zone IS NOT NULL;
CREATE INDEX clients_tags ON clients USING gin (tags);

CREATE TABLE client_permissions (
    client_id text PRIMARY KEY REFERENCES clients (id),
    -- NULL: every action that its agent offers.
    allowed_actions text[],
    rate_limit integer NOT NULL CHECK (rate_limit >= 0),
    max_commands_per_day integer NOT NULL CHECK (max_commands_per_day >= 0),
    updated_at timestamptz NOT NULL
);

-- Counters that the submit statement takes from. They count for `day` (UTC) and `minute` only.
CREATE TABLE client_usage (
    client_id text PRIMARY KEY REFERENCES clients (id),
    day date NOT NULL,
    day_used integer NOT NULL,
    minute timestamptz NOT NULL,
    minute_used integer NOT NULL
) WITH (fillfactor = 50);

-- Evidence of presence, the journal's identity, and what the agent last said of itself.
CREATE TABLE client_sessions (
    client_id text PRIMARY KEY REFERENCES clients (id),
    presence text NOT NULL CHECK (presence IN ('online', 'offline', 'unknown')),
    presence_reason text NOT NULL,
    presence_since timestamptz,
    heard_at timestamptz,
    level text NOT NULL CHECK (level IN ('basic', 'full')),
    session text,
    connection integer NOT NULL,
    journal text,
    epoch_issued bigint NOT NULL,
    epoch_confirmed bigint NOT NULL,
    keep_away text,
    agent_name text,
    agent_version text,
    clock_skew_s double precision,
    state jsonb,
    state_at timestamptz
) WITH (fillfactor = 50);

-- Only the dispatcher locks these rows, so that no heartbeat and no submit makes it skip a client.
CREATE TABLE client_dispatch (
    client_id text PRIMARY KEY REFERENCES clients (id)
);

CREATE TABLE client_lanes (
    client_id text NOT NULL,
    lane text NOT NULL,
    claims bigint NOT NULL,
    PRIMARY KEY (client_id, lane)
) WITH (fillfactor = 50);

CREATE TABLE client_status_history (
    client_id text NOT NULL,
    at timestamptz NOT NULL,
    presence text NOT NULL,
    reason text NOT NULL,
    session text,
    connection integer
);
CREATE INDEX client_status_history_client ON client_status_history (client_id, at DESC);

CREATE TABLE batches (
    id uuid PRIMARY KEY,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    target jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'paused', 'cancelled', 'finished')),
    total integer NOT NULL
);

CREATE TABLE documents (
    id uuid PRIMARY KEY,
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    content_type text NOT NULL,
    filename text,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX documents_sha256 ON documents (sha256);
-- In the database, not in a folder: replicas share it, a backup has it, and a row is there only when it is whole.
CREATE TABLE document_chunks (
    document_id uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    position integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (document_id, position)
);
ALTER TABLE document_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE commands (
    id uuid PRIMARY KEY,
    client_id text NOT NULL REFERENCES clients (id),
    batch_id uuid,
    action text NOT NULL,
    lane text NOT NULL,
    payload jsonb NOT NULL,
    document_ids uuid[] NOT NULL,
    priority smallint NOT NULL CHECK (priority BETWEEN 1 AND 10),
    status text NOT NULL CHECK (status IN (
        'pending', 'queued', 'running', 'completed', 'failed', 'cancelled', 'expired', 'rejected', 'unknown'
    )),
    version integer NOT NULL,
    attempt integer NOT NULL CHECK (attempt >= 1),
    max_retries integer NOT NULL CHECK (max_retries BETWEEN 0 AND 100),
    not_before timestamptz,
    -- True while `not_before` lies ahead: keeps what is not due out of the index that dispatch reads.
    scheduled boolean NOT NULL,
    expires_at timestamptz NOT NULL,
    timeout_s double precision NOT NULL CHECK (timeout_s > 0),
    on_interrupt text NOT NULL CHECK (on_interrupt IN ('rerun', 'unknown')),
    order_key text,
    when_offline text NOT NULL CHECK (when_offline IN ('queue', 'fail')),
    reference text,
    tags text[] NOT NULL,
    estimated_duration_s double precision,
    traceparent text,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    queued_at timestamptz,
    journal text,
    sent_at timestamptz,
    sends integer NOT NULL,
    lease_until timestamptz,
    accepted_at timestamptz,
    started_at timestamptz,
    held_reasons text[],
    finished_at timestamptz,
    deadline_at timestamptz,
    cancel_requested_at timestamptz,
    cancel_id uuid,
    cancel_lease_until timestamptz,
    cancel_sends integer NOT NULL,
    progress jsonb,
    result jsonb,
    error jsonb,
    unknown_reason text,
    dead_letter_reason text,
    dead_letter_closed_at timestamptz,
    dead_letter_closed_by text,
    replay_of uuid UNIQUE,
    CHECK ((finished_at IS NULL) = (status IN ('pending', 'queued', 'running'))),
    CHECK ((deadline_at IS NULL) = (status NOT IN ('pending', 'queued', 'running')))
) WITH (fillfactor = 70);

-- Dispatch: what is due in a lane, best first.
CREATE INDEX commands_due ON commands (client_id, lane, priority DESC, id)
    WHERE status = 'pending' AND NOT scheduled;
-- Dispatch: how full the windows are; documents: what an unfinished command names.
CREATE INDEX commands_handed_out ON commands (client_id, lane) WHERE status IN ('queued', 'running');
-- Dispatch: what a birth offers again besides; without it each birth would read the client's whole history.
CREATE INDEX commands_no_word ON commands (client_id)
    WHERE status = 'unknown' AND unknown_reason = 'no_word' AND dead_letter_closed_at IS NULL;
CREATE INDEX commands_lease ON commands (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX commands_cancel_lease ON commands (cancel_lease_until) WHERE cancel_lease_until IS NOT NULL;
-- Reaper: every unfinished command has a deadline.
CREATE INDEX commands_deadline ON commands (deadline_at) WHERE deadline_at IS NOT NULL;
CREATE INDEX commands_scheduled ON commands (not_before) WHERE scheduled;
CREATE INDEX commands_order_key ON commands (client_id, order_key, id) WHERE order_key IS NOT NULL
    AND (status IN ('pending', 'queued', 'running')
        OR (dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL));
-- People: lists and look-ups.
CREATE INDEX commands_client ON commands (client_id, id DESC);
CREATE INDEX commands_reference ON commands (reference, id DESC) WHERE reference IS NOT NULL;
CREATE INDEX commands_batch ON commands (batch_id, id) WHERE batch_id IS NOT NULL;
CREATE INDEX commands_dead_letters ON commands (id) WHERE dead_letter_reason IS NOT NULL
    AND dead_letter_closed_at IS NULL;

-- One row for each change of a command, unique by its version. No foreign key: it would cost a look-up for each row
-- of the hottest insert, and only retention deletes commands, together with these.
CREATE TABLE command_logs (
    command_id uuid NOT NULL,
    version integer NOT NULL,
    at timestamptz NOT NULL,
    event text NOT NULL,
    status text NOT NULL,
    attempt integer NOT NULL,
    report_id uuid,
    detail jsonb,
    PRIMARY KEY (command_id, version)
);

-- Reports that could not be used, with the reason; they got a receipt all the same.
CREATE TABLE report_quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id text NOT NULL,
    report_id uuid,
    command_id uuid,
    at timestamptz NOT NULL,
    reason text NOT NULL,
    report text NOT NULL
);
CREATE INDEX report_quarantine_at ON report_quarantine (at);

CREATE TABLE idempotency_keys (
    principal_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    command_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (principal_id, route, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- Appended without order by the statement that causes the row; `seq` and `hash` are for the sealer to fill.
CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    principal_id uuid,
    action text NOT NULL,
    resource text NOT NULL,
    resource_id text,
    address text,
    detail jsonb,
    seq bigint UNIQUE,
    hash bytea
);
CREATE INDEX audit_logs_at ON audit_logs (at);

CREATE TABLE security_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    client_id text,
    address text,
    detail jsonb
);

-- Changes that the broker has yet to learn, in order.
CREATE TABLE broker_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    client_id text NOT NULL,
    change text NOT NULL CHECK (change IN ('put', 'disable', 'remove')),
    -- The client's secret for `put`, encrypted with a key that is not in the database; emptied when the broker has it.
    sealed_secret bytea,
    done_at timestamptz,
    error text
);
CREATE INDEX broker_outbox_open ON broker_outbox (id) WHERE done_at IS NULL;
