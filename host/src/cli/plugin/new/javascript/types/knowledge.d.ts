// `vendor/loadout/wit/knowledge.wit` as JavaScript sees it: the reference is there.

declare module 'loadout:plugin/knowledge@0.1.0' {
  export interface Article {
    id: string;
    title: string;
    url?: string;
    excerpt: string;
  }
  /** What `search` throws, as `payload` of an error. */
  export interface Refusal {
    code: string;
    message: string;
  }
  export function search(source: string, text: string, limit: number): Article[];
}
