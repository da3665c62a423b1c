// The pure modules of the console, without a browser: node --test-reporter=tap modules.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { whatWords, whoWords } from "../../console/lib/audit_words.js";
import { curl } from "../../console/lib/curl.js";
import { ago, bytes, dateTime, length, milliseconds, percent } from "../../console/lib/format.js";
import { indent, items, members } from "../../console/lib/json_text.js";
import { fromInput, readFilter, toInput, toQuery } from "../../console/lib/log_filter.js";
import { gather } from "../../console/lib/samples.js";
import { hasType, setAll, setCategory, setType } from "../../console/lib/selection.js";
import { NEW, editBody, merge, newBody, toBody, toForm } from "../../console/lib/webhook_form.js";
import { jobWords, sentence } from "../../console/lib/words.js";

const CATALOGUE = {
  categories: [{ name: "a" }, { name: "b" }],
  types: [
    { name: "a1", category: "a" },
    { name: "a2", category: "a" },
    { name: "b1", category: "b" },
  ],
};
const [A1] = CATALOGUE.types;

test("indenting keeps every number and escape as it was", () => {
  const text = '{"n":12345678901234567890,"f":1.0,"s":"a\\u00e9\\"}{,:","e":{},"l":[],"d":[1,[2]]}';
  const pretty = indent(text);
  assert.ok(pretty.includes("12345678901234567890") && pretty.includes("1.0"));
  assert.ok(pretty.includes('"a\\u00e9\\"}{,:"'));
  assert.deepEqual(JSON.parse(pretty), JSON.parse(text));
  assert.equal(indent("no JSON {"), "no JSON {");
});

test("members and items are the exact texts", () => {
  const found = members(' {"id": "x", "data" : {"n": 1.0, "l": [1, 2]}, "end":null } ');
  assert.equal(found.get("data"), '{"n": 1.0, "l": [1, 2]}');
  assert.equal(found.get("end"), "null");
  assert.deepEqual(items('[ {"a":[1,2]}, "x,y" , 3]'), ['{"a":[1,2]}', '"x,y"', "3"]);
  assert.deepEqual(items("[]"), []);
  assert.equal(members("{}").size, 0);
});

test("a shell takes the curl command as one command", () => {
  const made = curl({ url: "https://x/$(id)", headers: { A: "b'c" }, body: '{"it\'s":1}' });
  assert.equal(
    made,
    "curl -sS -i -X POST 'https://x/$(id)' \\\n  -H 'A: b'\\''c' \\\n" +
      "  --data-binary '{\"it'\\''s\":1}'",
  );
});

test("a success rate is never rounded up to all", () => {
  assert.equal(percent(99999, 100000), "99.9 %");
  assert.equal(percent(5, 5), "100 %");
  assert.equal(percent(0, 0), null);
  assert.equal(percent(1, 3), "33.3 %");
});

test("lengths of time and sizes", () => {
  assert.equal(length(7500000), "2 h 5 min");
  assert.equal(length(3600000), "1 h");
  assert.equal(milliseconds(1234), "1.23 s");
  assert.equal(ago(0, 7500000), "2 h ago");
  assert.equal(ago(60000, 0), "in 1 min");
  assert.equal(bytes(1048576), "1.0 MiB");
});

test("a category is whole, or its types by name", () => {
  let chosen = setCategory([], CATALOGUE, "a", true);
  assert.deepEqual(chosen, ["category:a"]);
  chosen = setType(chosen, CATALOGUE, A1, false);
  assert.deepEqual(chosen, ["a2"]);
  assert.deepEqual(setCategory(chosen, CATALOGUE, "a", true), ["category:a"]);
  assert.deepEqual(setCategory(["*"], CATALOGUE, "a", false), ["category:b"]);
  assert.deepEqual(setType(["*"], CATALOGUE, A1, false), ["category:b", "a2"]);
  assert.ok(hasType(setAll([], true), A1));
});

test("what stands in the form is what is sent", () => {
  const form = {
    ...NEW,
    name: " crm ",
    url: "https://x.example/",
    event_types: ["*"],
    headers: "A: b\n\nC:d",
    retry_schedule: "60, 300",
  };
  assert.deepEqual(newBody(form).body, {
    name: "crm",
    url: "https://x.example/",
    event_types: ["*"],
    batch_size: 100,
    retry_schedule: [60, 300],
    headers: { A: "b", C: "d" },
  });
  const { errors } = toBody({
    ...NEW,
    batch_size: "many",
    headers: "no colon",
    retry_schedule: "1,x",
  });
  assert.deepEqual(Object.keys(errors).sort(), [
    "batch_size",
    "event_types",
    "headers",
    "name",
    "retry_schedule",
    "url",
  ]);
});

const WEBHOOK = { ...toBody({ ...NEW, name: "n", url: "https://x", event_types: ["a1"] }).body };

test("an edit sends what was changed", () => {
  const base = toForm(WEBHOOK);
  assert.deepEqual(editBody(base, { ...base, timeout_ms: "9000" }).body, { timeout_ms: 9000 });
  assert.deepEqual(editBody(base, base).body, {});
});

test("two edits at once: nothing is lost", () => {
  const base = toForm(WEBHOOK);
  const mine = { ...base, name: "mine", timeout_ms: "9000" };
  const theirs = { ...base, name: "theirs", batch_size: "7" };
  const { form, conflicts, taken } = merge(base, mine, theirs);
  assert.deepEqual([form.name, form.timeout_ms, form.batch_size], ["mine", "9000", "7"]);
  assert.deepEqual([conflicts, taken], [["name"], ["batch_size"]]);
});

test("a search is for an id or a member", () => {
  const query = (q) => toQuery(readFilter(new URLSearchParams({ q })), "default");
  assert.equal(query("61f1dfbd0c709aac1851b526").event, "61f1dfbd0c709aac1851b526");
  assert.equal(query(" m-17 ").member, "m-17");
});

test("what is no moment is an empty field", () => {
  const [at, text] = ["2026-07-01T10:00:00.000Z", "2026-07-01T10:00"];
  assert.deepEqual([toInput(at, true), fromInput(text, true)], [text, at]);
  assert.equal(fromInput(toInput(at, false), false), at);
  for (const none of ["", "24h", "2026-99-99", "12026-11-26T04:12"])
    assert.deepEqual([toInput(none, true), fromInput(none, false)], ["", ""]);
});

test("the audit log is told in words, also of what is not known any more", () => {
  const names = { webhooks: new Map([["w1", "crm"]]), tokens: new Map([["t1", "shop"]]) };
  assert.equal(whoWords("user:anna", names), "anna");
  assert.equal(whoWords("token:t1", names), "token shop");
  assert.equal(whoWords("token:t2", names), "token t2");
  assert.equal(whoWords("command line", names), "The command line");
  assert.equal(whoWords("lua", names), "A Lua program");
  assert.equal(whoWords("deploy", names), "deploy");
  const what = (what, object, who = "user:anna") => whatWords({ what, object, who }, names);
  assert.deepEqual(what("webhook.edit", "w1"), {
    done: "edited webhook",
    object: { name: "crm", to: "/webhooks/w1" },
  });
  assert.deepEqual(what("login.begin", "anna"), { done: "signed in", object: null });
  assert.deepEqual(what("later.kind", "x"), {
    done: "later.kind",
    object: { name: "x", to: null },
  });
});

test("a retry that left some over does not say that each is sent anew", () => {
  const ended = { total: 264, finished_at: "2026-11-26T03:39:09Z" };
  const [said, next] = jobWords({ ...ended, retried: 3, left_over: 261 });
  assert.equal(said, "3 requests retried, 261 left over because their webhook is not enabled.");
  assert.ok(next.endsWith("Enable the webhook, then retry the rest."));
  const [, none] = jobWords({ ...ended, retried: 0, left_over: 1 });
  assert.ok(none.startsWith("Nothing is sent anew."));
  assert.equal(jobWords({ ...ended, retried: 1, left_over: 0 })[0], "1 request retried.");
});

test("samples are kept by key, with a gap where nobody looked", () => {
  gather("a", { at: 0, depth: 1 });
  gather("b", { at: 2, depth: 7 });
  assert.deepEqual(gather("a", { at: 5, depth: 2 }), [
    { at: 0, depth: 1 },
    { at: 5, depth: 2 },
  ]);
  assert.deepEqual(gather("a", { at: 95, depth: 3 }).slice(2), [{ at: 6 }, { at: 95, depth: 3 }]);
  let all = [];
  for (let at = 100; at < 6000; at += 5) all = gather("a", { at, depth: 0 });
  assert.equal(all.length, 720);
});

test("a sentence begins large, and no stranger turns its direction", () => {
  assert.equal(sentence("it answered \u202e500\u2069"), "It answered \\u202e500\\u2069");
  assert.equal(sentence(null), "");
});

test("a time in brief has no seconds, and its year only if it is another", () => {
  const year = new Date().getFullYear();
  const brief = (date) => dateTime(date, { brief: true });
  assert.ok(!brief(new Date(year, 5, 7, 8, 9, 10)).includes(year));
  assert.ok(!brief(new Date(year, 5, 7, 8, 9, 43)).includes("43"));
  assert.ok(brief(new Date(2001, 5, 7)).includes("2001"));
  assert.equal(dateTime(991900800000), dateTime(new Date(991900800000)));
  const midnight = Date.UTC(2001, 0, 1, 0, 5);
  assert.ok(dateTime(midnight, { utc: true }).includes("00:05"), "midnight is not 24:05");
  const before = Date.UTC(year, 0, 1) - 1;
  assert.ok(dateTime(before, { utc: true, brief: true }).includes(year - 1));
});
