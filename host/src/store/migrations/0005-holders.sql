-- Who holds a question of the outbox, until `taken`: a process, as in a lease. One that is gone holds nothing.
ALTER TABLE outbox ADD COLUMN holder TEXT;
