// `vendor/loadout/wit/trace.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/trace@0.1.0' {
  export type Level = 'debug' | 'info' | 'warning';
  export function log(level: Level, message: string): void;
}
