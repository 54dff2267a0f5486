// `vendor/loadout/wit/library.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/library@0.1.0' {
  export function item(kind: string, uniqueName: string): string | undefined;
  export function links(kind: string, uniqueName: string, attribute: string): string[];
  export function names(kind: string): string[];
}
