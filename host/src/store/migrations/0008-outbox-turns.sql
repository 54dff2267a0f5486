-- Of which chain a question is: the revision that began it, and the plugins whose proposals led to the change it is about.
-- `size` is that of its body, so that what waits can be counted without reading it.
ALTER TABLE outbox ADD COLUMN root INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN led_by TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET root = revision, size = length(CAST(body AS BLOB));

DROP INDEX outbox_due;
CREATE INDEX outbox_of_plugin ON outbox (state, plugin, due, size);
CREATE INDEX outbox_of_root ON outbox (root);

-- How often a plugin was asked about what proposals of steps changed, by chain. The rows of a chain go with its last question.
CREATE TABLE outbox_chain (
    root   INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    asked  INTEGER NOT NULL,
    PRIMARY KEY (root, plugin)
) STRICT, WITHOUT ROWID;
