-- Which tool kinds a component declares, from the revision that brought it: `part` is `rule`, `guard` or `step`. Written once for each
-- component and never taken away, so that it can be told which kinds a plugin ever decided about. One row without a kind stands for a
-- component that was looked at and declares none. Components from before this table have 0 for their revision.
-- A component whose bytes are lost keeps its rows, so they do not refer to the table of components.
CREATE TABLE component_kind (
    digest TEXT NOT NULL,
    part   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    plugin TEXT NOT NULL,
    since  INTEGER NOT NULL,
    PRIMARY KEY (digest, part, kind)
) STRICT, WITHOUT ROWID;
