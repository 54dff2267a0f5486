-- The tool kinds that a component declares, from the revision that installed it: `part` is `rule`, `guard` or `step`.
-- Written once for each component and never deleted, so that all kinds stay known about which a plugin ever decided.
-- One row without a kind stands for a component that declares none. Components from before this table have revision 0.
-- A component whose bytes are lost keeps its rows, so they do not refer to the table of components.
CREATE TABLE component_kind (
    digest TEXT NOT NULL,
    part   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    plugin TEXT NOT NULL,
    since  INTEGER NOT NULL,
    PRIMARY KEY (digest, part, kind)
) STRICT, WITHOUT ROWID;
