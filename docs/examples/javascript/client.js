// A basic Floorhub client: it reports its state and prints into a folder. Needs Node 20 and MQTT.js 5.
// node client.js ID SECRET [--broker 127.0.0.1:1883] [--hub http://127.0.0.1:8080] [--folder printed]

import { createHash, randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import mqtt from "mqtt";

const text = (fallback) => ({ type: "string", default: fallback });
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  strict: false, // unknown options are refused below
  options: { broker: text("127.0.0.1:1883"), hub: text("http://127.0.0.1:8080"), folder: text("printed") },
});
if (positionals.length !== 2 || Object.keys(options).length !== 3 || Object.values(options).includes(true)) {
  console.error("usage: node client.js ID SECRET [--broker HOST:PORT] [--hub URL] [--folder FOLDER]");
  process.exit(2);
}
const [ID, SECRET] = positionals;
const TOPIC = `floorhub/v1/clients/${ID}/`;
const SESSION = randomUUID(); // new with each start of the program, the same for all its connections
const KEPT = { qos: 1, retain: true };

let link = null;
let stopping = false;
let work = Promise.resolve(); // runs accepted commands one after the other
const reportsOf = new Map(); // command and attempt -> its reports, for as long as we run
const unreceipted = new Map(); // report id -> report
const cancelled = new Set();

const now = () => new Date().toISOString();
const message = (kind, fields) => JSON.stringify({ kind, v: 1, client_id: ID, session: SESSION, ...fields });

function send(reports) {
  if (link?.connected && reports.length > 0) link.publish(TOPIC + "reports", message("reports", { reports }), { qos: 1 });
}

/** Keep a report until its receipt, and send it. */
function report(run, status, fields = {}) {
  const { command_id, attempt } = run;
  const entry = { report_id: randomUUID(), command_id, attempt, status, at: now(), ...fields };
  reportsOf.get(`${command_id} ${attempt}`).push(entry);
  unreceipted.set(entry.report_id, entry);
  send([entry]);
}

const failed = (run, code, text, retryable = false) =>
  report(run, "failed", { error: { code, message: String(text), retryable } });

const actions = {
  status: async () => ({ uptime_s: process.uptime() }),
  /** Fetch the document from the hub, and lay it into the folder whole. */
  print: async (run) => {
    const { path, size, sha256 } = run.payload.document;
    const authorization = "Basic " + Buffer.from(`${ID}:${SECRET}`).toString("base64");
    const answer = await fetch(options.hub + path, { headers: { authorization }, signal: AbortSignal.timeout(30_000) });
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
    const content = Buffer.from(await answer.arrayBuffer());
    if (content.length !== size || createHash("sha256").update(content).digest("hex") !== sha256)
      throw new Error("the document is not the one that was named");
    await mkdir(options.folder, { recursive: true });
    const file = `${run.command_id}-${run.attempt}`;
    await writeFile(join(options.folder, file + ".part"), content);
    await rename(join(options.folder, file + ".part"), join(options.folder, file));
    return { file };
  },
};

/** One delivery of an attempt, the first or a further one. */
function take(run) {
  const attempt = `${run.command_id} ${run.attempt}`;
  if (reportsOf.has(attempt)) return send(reportsOf.get(attempt)); // resend the reports, never repeat the effect
  reportsOf.set(attempt, []);
  report(run, "accepted");
  work = work.then(() => carryOut(run));
}

async function carryOut(run) {
  if (cancelled.has(run.command_id)) return report(run, "cancelled");
  if (Date.parse(run.expires_at) <= Date.now()) return report(run, "expired");
  if (!Object.hasOwn(actions, run.action)) return failed(run, "unsupported_action", `no ${run.action} here`);
  report(run, "started");
  try {
    report(run, "completed", { result: { data: await actions[run.action](run), message: "done" } });
  } catch (problem) {
    failed(run, "not_printed", problem); // all raised before the effect
  }
}

function onMessage(topic, payload, packet) {
  if (packet.retain) return;
  const received = JSON.parse(payload.toString().replace(/^[^{]*\n/, "")); // without the signature line
  if (received.kind === "run") take(received);
  if (received.kind === "receipt") received.report_ids.forEach((id) => unreceipted.delete(id));
  if (received.kind === "cancel") {
    cancelled.add(received.command_id);
    for (const [attempt, kept] of reportsOf) if (attempt.startsWith(received.command_id)) send(kept);
  }
}

/** A new MQTT client for each connection, since its will names the connection. */
function connect(connection) {
  const client = (link = mqtt.connect(`mqtt://${options.broker}`, {
    protocolVersion: 5,
    clientId: ID,
    username: ID,
    password: SECRET,
    clean: true,
    keepalive: 12,
    reconnectPeriod: 0,
    will: { topic: TOPIC + "presence", payload: message("will", { connection }), ...KEPT },
  }));
  client.on("message", onMessage);
  client.on("error", (problem) => console.log("no connection:", problem.message));
  client.on("connect", async () => {
    client.stream.setNoDelay(true);
    const about = { level: "basic", connection, agent: { name: "example-javascript", version: "1" }, clock: now() };
    const state = { at: now(), capabilities: Object.keys(actions) };
    try {
      await client.subscribeAsync([TOPIC + "commands", TOPIC + "receipts"], { qos: 1 });
      await client.publishAsync(TOPIC + "presence", message("birth", about), KEPT);
      await client.publishAsync(TOPIC + "state", message("state", state), KEPT);
      send([...unreceipted.values()]);
    } catch (problem) {
      client.end(true); // the next connection sends it again
    }
  });
  client.on("close", () => stopping || setTimeout(connect, 1000, connection + 1));
  for (const name of ["SIGTERM", "SIGINT"]) process.removeAllListeners(name).once(name, () => stop(connection));
}

async function stop(connection) {
  stopping = true;
  setTimeout(() => process.exit(0), 2000); // when the broker is down
  await link.publishAsync(TOPIC + "presence", message("offline", { connection }), KEPT);
  await link.endAsync();
  process.exit(0);
}

/** What has no receipt goes again after 1, 2, 4 ... 30 s. */
function again(pause) {
  send([...unreceipted.values()]);
  const next = unreceipted.size > 0 ? Math.min(pause * 2, 30) : 1;
  setTimeout(again, next * 1000, next);
}

connect(1);
setTimeout(again, 1000, 1);
