-- What is not here is built with SQLModel. These stay as they are: the outbox is the broker's, whose class stands above
-- clients; and `broker_clients` and `outbox_all_done` are run by programs of ours, too, without the hub's pool.

-- name: broker_clients
-- What the broker needs of every client; a disabled one is known there, so that it can be enabled again.
SELECT id, mqtt_password, mqtt_salt, mqtt_iterations, status = 'disabled' AS disabled
FROM clients
WHERE status <> 'retired'
ORDER BY id;

-- name: outbox_add
INSERT INTO broker_outbox (at, client_id, change, sealed_secret)
VALUES (floorhub_now(), %(client_id)s, %(change)s, %(sealed_secret)s)
RETURNING id;

-- name: outbox_all_done
-- A freshly rendered broker knows everything up to here.
UPDATE broker_outbox SET done_at = floorhub_now(), sealed_secret = NULL WHERE done_at IS NULL;

-- name: hold_outbox
-- Until the transaction ends, no hub tells a broker anything: see `take_turn` of the broker's statements.
SELECT pg_advisory_xact_lock(hashtext('floorhub/broker'));

-- name: broker_clients_and_done
-- Both of one snapshot: a change is in the answer, or stays in the outbox.
WITH done AS (
    UPDATE broker_outbox SET done_at = floorhub_now(), sealed_secret = NULL WHERE done_at IS NULL
)
SELECT id, mqtt_password, mqtt_salt, mqtt_iterations, status = 'disabled' AS disabled
FROM clients
WHERE status <> 'retired'
ORDER BY id;

-- name: outbox_state
SELECT done_at IS NOT NULL AS done, error FROM broker_outbox WHERE id = %(id)s;
