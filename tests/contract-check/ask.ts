// Asks a server for experiences with types that were generated from its own document.

import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

declare const process: { argv: string[] };

const [baseUrl, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

/** The body of an answer, which must be one of success. */
function read<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) {
    throw new Error(JSON.stringify(answer.error));
  }
  return answer.data;
}

const app = "customer-service-workspace";
const seen = read(
  await client.GET("/api/v1/users/{login}/experience", { params: { path: { login: "kayla" }, query: { app } } }),
);
const asked = read(await client.POST("/api/v1/experience", { body: { user: "kayla", app } }));

const desk = { params: { path: { uniqueName: "typed-desk" } } };
read(await client.PUT("/api/v1/queues/{uniqueName}", { ...desk, body: { name: "Desk" } }));
const queue = read(await client.GET("/api/v1/queues/{uniqueName}", desk));

console.log(
  asked.profile?.uniqueName,
  asked.profile?.assignment.method,
  seen.decisionId === asked.decisionId,
  queue.name === "Desk" && queue.meta.layer === "custom",
);
