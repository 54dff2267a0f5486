// `vendor/loadout/wit/upgrade-step.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/upgrade-step@0.1.0' {
  export interface Page {
    rows: Row[];
    related: Row[];
  }
  export interface Row {
    table: string;
    id: string;
    values: [string, string][];
    lookUps: LookUp[];
    links: Link[];
  }
  export interface LookUp {
    column: string;
    table: string;
    id: string;
    label: string;
  }
  export interface Link {
    relationship: string;
    table: string;
    id: string;
  }
  export interface RowReference {
    table: string;
    id: string;
  }
  export interface Migration {
    upserts: Upsert[];
    quarantine: Quarantined[];
    notes: Note[];
  }
  export interface Upsert {
    kind: string;
    uniqueName: string;
    aliases: string[];
    merges: boolean;
    attributes: string;
    sources: RowReference[];
  }
  export interface Quarantined {
    row: RowReference;
    code: string;
    reason: string;
  }
  export interface Note {
    code: string;
    row?: RowReference;
    message: string;
  }
  /** What `check` and `migrate` throw where they cannot work on this environment. */
  export interface Fault {
    code: string;
    message: string;
  }
  export function check(page: Page): Note[];
  export function migrate(page: Page): Migration;
}
