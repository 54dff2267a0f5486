-- The process that holds the lease on an event of the outbox, until `taken`. A process that is gone holds nothing.
ALTER TABLE outbox ADD COLUMN holder TEXT;
