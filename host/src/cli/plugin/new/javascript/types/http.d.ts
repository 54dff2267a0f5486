// `vendor/loadout/wit/http.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/http@0.1.0' {
  export type HeaderValue =
    | { tag: 'text'; val: string }
    | { tag: 'secret'; val: string }
    | { tag: 'bearer'; val: string };
  export interface Request {
    method: string;
    url: string;
    headers: [string, HeaderValue][];
    body: Uint8Array;
  }
  export interface Response {
    status: number;
    headers: [string, string][];
    body: Uint8Array;
  }
  /** What `send` throws, as `payload` of an error. */
  export interface Refusal {
    code: string;
    message: string;
  }
  export function send(request: Request): Response;
}
