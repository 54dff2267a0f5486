// `vendor/loadout/wit/context.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/context@0.1.0' {
  export interface Rendered {
    text: string;
    unresolved: string[];
  }
  export function get(key: string): string | undefined;
  export function hasRole(role: string): boolean;
  export function hasLicence(licence: string): boolean;
  export function channel(): string | undefined;
  export function workstream(): string | undefined;
  export function entity(): string | undefined;
  export function sessionTemplate(): string | undefined;
  export function profile(): string;
  export function language(): number;
  export function baseLanguage(): number;
  export function app(): string;
  export function render(template: string): Rendered;
}
