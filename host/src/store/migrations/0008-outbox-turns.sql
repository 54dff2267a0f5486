-- The chain of an event: the revision that began it, and the plugins whose proposals led to the change it is about.
-- `size` is that of its body, so that waiting events can be counted without reading their bodies.
ALTER TABLE outbox ADD COLUMN root INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN led_by TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET root = revision, size = length(CAST(body AS BLOB));

DROP INDEX outbox_due;
CREATE INDEX outbox_of_plugin ON outbox (state, plugin, due, size);
CREATE INDEX outbox_of_root ON outbox (root);

-- The number of events for a plugin in a chain of proposals of steps. The rows of a chain are deleted with its last
-- event.
CREATE TABLE outbox_chain (
    root   INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    asked  INTEGER NOT NULL,
    PRIMARY KEY (root, plugin)
) STRICT, WITHOUT ROWID;
