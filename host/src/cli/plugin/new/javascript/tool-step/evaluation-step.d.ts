// `vendor/loadout/wit/evaluation-step.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/evaluation-step@0.1.0' {
  export interface Question {
    step: string;
    configuration: string;
    tool: string;
    stage: number;
    settings: string;
    decision?: Decision;
    properties: [string, string][];
  }
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
  export type Outcome = { tag: 'proceed'; val: Changes } | { tag: 'hide'; val: Reason };
  export interface Changes {
    patch?: string;
    items?: ItemReference[];
  }
  /** What `execute` throws where it cannot decide. */
  export interface Fault {
    code: string;
    message: string;
  }
  export function execute(question: Question): Outcome;
}
