-- name: counts
-- How much there is; nothing of what it says.
SELECT 'commands ' || status AS name, count(*) AS number FROM commands GROUP BY status
UNION ALL
SELECT 'commands waiting ' || action, count(*) FROM commands WHERE status IN ('pending', 'queued', 'running') GROUP BY action
UNION ALL
SELECT 'clients ' || c.status || ' ' || s.presence || ' ' || s.level, count(*)
FROM clients c JOIN client_sessions s ON s.client_id = c.id GROUP BY c.status, s.presence, s.level
UNION ALL
SELECT 'dead letters ' || dead_letter_reason, count(*) FROM commands
WHERE dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL GROUP BY dead_letter_reason
UNION ALL
SELECT 'quarantined ' || reason, count(*) FROM report_quarantine GROUP BY reason
UNION ALL
SELECT 'security events ' || kind, count(*) FROM security_events GROUP BY kind
UNION ALL
SELECT 'audit seals ' || kind, count(*) FROM audit_seals GROUP BY kind
UNION ALL
SELECT 'batches ' || status, count(*) FROM batches GROUP BY status
UNION ALL
SELECT 'documents', count(*) FROM documents
UNION ALL
SELECT 'broker changes open', count(*) FROM broker_outbox WHERE done_at IS NULL
ORDER BY name;

-- name: failures
-- What ended badly of late: codes and times, no payloads, results, references and texts.
SELECT id, client_id, action, status, attempt, error ->> 'code' AS code, unknown_reason, dead_letter_reason, created_at,
    queued_at, sent_at, started_at, finished_at
FROM commands
WHERE dead_letter_reason IS NOT NULL
ORDER BY id DESC
LIMIT 200;

-- name: tables
SELECT relname AS name, n_live_tup AS rows, n_dead_tup AS dead, pg_total_relation_size(relid) AS bytes, last_autovacuum
FROM pg_stat_user_tables
ORDER BY relname;
