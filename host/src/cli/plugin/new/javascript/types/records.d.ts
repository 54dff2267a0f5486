// `vendor/loadout/wit/records.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/records@0.1.0' {
  /** What `lookUp` throws, as `payload` of an error. */
  export interface Refusal {
    code: string;
    message: string;
  }
  export function lookUp(entity: string, attribute: string, options: string): string | undefined;
}
