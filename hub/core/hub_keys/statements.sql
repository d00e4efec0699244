-- What is not here is built with SQLModel.

-- name: lock
-- One process at a time decides which keys are the hub's; readers do not wait.
LOCK TABLE hub_keys IN SHARE ROW EXCLUSIVE MODE;

-- name: in_use
-- Whether somebody relies on keys that an earlier version has used without recording them.
SELECT EXISTS (SELECT FROM clients WHERE status <> 'retired') OR EXISTS (SELECT FROM principals) AS in_use;
