-- name: facts
-- What the server says of itself. `used`: connections of everybody, against what is left for roles without privileges.
SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::integer AS number,
    pg_database_size(current_database()) AS bytes,
    now() AS at,
    (
        SELECT count(*) FROM pg_stat_activity
        WHERE usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
    ) AS used,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS most;

-- name: unknown_reports
-- Reports of the last days about commands that this database does not have, as after a restore.
SELECT command_id::text AS command_id, max(client_id) AS client_id
FROM report_quarantine
WHERE reason = 'unknown_command' AND command_id IS NOT NULL AND at > now() - make_interval(days => %(days)s)
GROUP BY command_id
ORDER BY command_id;
