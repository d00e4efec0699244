-- Security events: how grave, whose, and, when too many come, how many one row stands for.
ALTER TABLE security_events
    ADD COLUMN severity text NOT NULL DEFAULT 'warning' CHECK (severity IN ('info', 'warning', 'critical')),
    ADD COLUMN principal_id uuid,
    ADD COLUMN number integer NOT NULL DEFAULT 1,
    ADD COLUMN counted_from timestamptz;
CREATE INDEX security_events_kind ON security_events (kind, at);
CREATE UNIQUE INDEX security_events_counted ON security_events (kind, coalesce(address, ''), counted_from)
    WHERE counted_from IS NOT NULL;
