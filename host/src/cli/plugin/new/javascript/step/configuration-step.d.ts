// `vendor/loadout/wit/configuration-step.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/configuration-step@0.1.0' {
  export interface Event {
    id: string;
    step: string;
    message: string;
    stage: number;
    attempt: number;
    targets: Target[];
    configuration: string;
    shared: [string, string][];
    properties: [string, string][];
  }
  export interface Target {
    kind: string;
    uniqueName: string;
    changed: string[];
    values: string;
    images: [string, string][];
  }
  export type Outcome = { tag: 'proceed'; val: Proposal } | { tag: 'reject'; val: Rejection };
  export interface Proposal {
    patches: [number, string][];
    shared: [string, string][];
  }
  export interface Rejection {
    code: string;
    message: string;
    attribute: string;
  }
  /** What `execute` throws where it cannot decide. */
  export interface Fault {
    code: string;
    message: string;
    retryAfter?: number;
  }
  export function execute(event: Event): Outcome;
}
