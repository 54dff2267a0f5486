// `vendor/loadout/wit/tool-rule.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/tool-rule@0.1.0' {
  export type Decision = { tag: 'shown'; val: Presentation } | { tag: 'hidden'; val: Reason };
  export interface Presentation {
    payload: string;
    items: ItemReference[];
  }
  export interface ItemReference {
    kind: string;
    uniqueName: string;
  }
  export interface Reason {
    code: string;
    text: string;
  }
  /** What `evaluate` throws where it cannot decide. */
  export interface Fault {
    code: string;
    message: string;
  }
  export function evaluate(settings: string): Decision;
}
