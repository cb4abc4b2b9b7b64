// One process that opens a store and drafts from it, for the suite `store`. Times are the processor's: the machine may be
// busy with something else.
//   store-once.ts STORE MODEL
import process from "node:process";
import { RestDrafter } from "../plugins/drafters/rest.ts";
import { openModel } from "../src/model/open.ts";
import { fingerprintOf } from "../src/store/fingerprint.ts";
import { Store } from "../src/store/store.ts";

const DRAFTS = 2000;
const PLAN = { nodes: 16, depth: 8 };

const [path, model] = process.argv.slice(2);
const { tokenizer } = await openModel(model, {});
tokenizer.encode("Why is the sky blue?"); // as a command has done by then
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
let started = cpu();
const lap = () => {
  const now = cpu();
  const taken = now - started;
  started = now;
  return taken;
};
fingerprintOf(tokenizer);
const fingerprint = lap();
const store = Store.open(path, console.error);
const open = lap();
const drafter = new RestDrafter(store, { longest: 16, shortest: 2, tokens: 10 });
const draft = () => {
  drafter.begin(Int32Array.from({ length: 20 }, () => Math.floor(store.vocab * Math.random() ** 3)));
  drafter.draft(PLAN);
};
draft();
const first = lap();
const before = process.memoryUsage().rss;
for (let i = 0; i < DRAFTS; i++) draft();
const later = lap() / DRAFTS;
const memory = (process.memoryUsage().rss - before) / 1e6;
console.log(JSON.stringify({ fingerprint, open, first, later, memory }));
