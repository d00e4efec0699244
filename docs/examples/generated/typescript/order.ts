// Uploads a document, prints it, and asks for what an order system needs. Usage:
//   FLOORHUB_KEY=... node order.ts http://127.0.0.1:8080 CLIENT PRINTER FILE.pdf
import { readFile } from "node:fs/promises";
import process from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./floorhub.js";

type PrintPayload = components["schemas"]["PrintPayload"];
type Problem = components["schemas"]["Problem"];

const [baseUrl, clientId, printer, file] = process.argv.slice(2);
if (!baseUrl || !clientId || !printer || !file) {
  throw new Error("usage: node order.ts URL CLIENT PRINTER FILE.pdf");
}
const hub = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${process.env["FLOORHUB_KEY"]}` } });

/** What an answer contains; an error of the hub is thrown with its code and what to do. */
function ok<Data>(answer: { data?: Data; error?: Problem }): Data {
  if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.detail}`);
  if (answer.data === undefined) throw new Error("the hub answered without a body");
  return answer.data;
}

// The bytes go out as they are: without bodySerializer openapi-fetch would make JSON of them.
const document = ok(
  await hub.POST("/api/documents", {
    params: { query: { filename: "order.pdf" } },
    headers: { "Content-Type": "application/pdf" },
    body: await readFile(file),
    bodySerializer: (bytes) => bytes,
  }),
);
console.log("document", document.content_type, document.size);

// The type PrintPayload checks the fields; `payload` alone takes any object, for actions of your own.
const payload: PrintPayload = { printer, document: document.id, copies: 2 };
const reference = `order-${crypto.randomUUID()}`;
const printed = ok(
  await hub.POST("/api/commands", {
    params: { query: { wait: 30 }, header: { "Idempotency-Key": `${reference}-1` } },
    body: { client_id: clientId, action: "print", payload, reference },
  }),
);
console.log("print", printed.status, printed.error?.code ?? "-");

const refused = await hub.POST("/api/commands", {
  headers: { "Accept-Language": "ko" },
  body: { client_id: clientId, action: "print", payload: { ...payload, copies: 0 }, priority: 11 },
});
const fields = refused.error?.errors?.map((wrong) => `${wrong.field}:${wrong.code}`) ?? [];
console.log("refused", refused.response.status, refused.error?.code, fields.join(" "));
const missing = await hub.GET("/api/commands/{command_id}", { params: { path: { command_id: document.id } } });
console.log("missing", missing.response.status, missing.error?.code);

const page = ok(await hub.GET("/api/commands", { params: { query: { reference, status: ["completed"] } } }));
console.log("list", page.items.length, page.items[0]?.id === printed.id, page.next_cursor);

const batch = ok(
  await hub.POST("/api/batches", { body: { target: { clients: [clientId] }, command: { action: "status" } } }),
);
console.log("batch", "accepted" in batch ? batch.accepted : 0);

const schedule = ok(
  await hub.POST("/api/schedules", {
    body: {
      name: `Status of ${reference}`,
      cron: "0 7 * * 1-5",
      time_zone: "Asia/Seoul",
      request: { target: { clients: [clientId] }, command: { action: "status" } },
    },
  }),
);
const removed = ok(
  await hub.DELETE("/api/schedules/{schedule_id}", { params: { path: { schedule_id: schedule.id } } }),
);
console.log("schedule", schedule.time_zone, schedule.enabled, removed.id === schedule.id);
