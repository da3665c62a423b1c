// What the console shows is what the API answers and what the command line prints: the log for
// every filter, and the figures of dashboard and webhooks.

import { writeFileSync } from "node:fs";
import { base, check, cli, equal, quiet, script, signedIn, until, webhook } from "../browser.mjs";

const EARNED = "event_points_earned";
const TYPES = [EARNED, "event_member_enrol"];
const TABS = ["All", "Delivered", "Retrying", "Failed"];

// Three webhooks at rest, each in its way: one that gets everything, one that fails everything, and
// an ordered one whose first request waits for its retry, and its other events for that one.
async function prepare(folder) {
  const good = await webhook("good", { batch_size: 1 });
  const never = { retries_max: 0, retry_interval_s: 1, pause_after: 0 };
  const bad = await webhook("bad", { batch_size: 6, ...never }, [EARNED]);
  const fields = { batch_size: 1, retry_interval_s: 86400 };
  const late = await webhook("late", fields, ["category:member"], ["--ordered"]);
  for (const name of ["bad", "late"]) await script(`/${name}`, [500]);
  const lines = [];
  for (let number = 0; number < 60; number += 1) {
    const data = { member_info: { member_id: `m-${number % 7}` } };
    lines.push(JSON.stringify({ event_type: TYPES[number % 2], data }));
  }
  writeFileSync(`${folder}/events.ndjson`, `${lines.join("\n")}\n`);
  const { ids } = await cli("emit", "--ndjson", "events.ndjson", "--json");
  await until(async () => {
    const { per_webhook: rows } = await cli("stats", "--json");
    const of = (id) => rows.find((row) => row.webhook_id === id);
    const [first, second, third] = [good, bad, late].map(({ id }) => of(id).requests);
    const forming = of(good.id).waiting + of(bad.id).waiting + second.pending + second.sending;
    return forming === 0 && first.delivered === 60 && third.retrying === 1;
  }, "webhooks at rest");
  return { ids, webhooks: { good, bad, late } };
}

// ---- the log ----

// The rows of the table, as far as it shows what a request has.
const shown = (page) =>
  page.evaluate(() => {
    const frame = document.querySelector(".table-frame");
    if (!frame) return document.querySelector(".empty") ? [] : "no table yet";
    if (frame.getAttribute("aria-busy") === "true") return "busy";
    return [...frame.querySelectorAll("tbody tr")].map((row) => {
      const cell = (title) => row.querySelector(`[data-title="${title}"]`);
      const at = (title) => cell(title).querySelector("time")?.getAttribute("datetime") ?? null;
      return {
        request_id: cell("Request").querySelector("a").textContent,
        webhook: cell("Request").querySelector(".quiet").textContent,
        state: cell("State").querySelector(".badge").textContent.trim().toLowerCase(),
        total_count: Number(cell("Events").textContent),
        attempts_made: Number(cell("Attempts").textContent),
        created_at: at("Created"),
        when: at("Finished / next try"),
      };
    });
  });

// One list of requests in the words of the console's table.
const expected = (requests, names) =>
  requests.map((request) => ({
    request_id: request.request_id,
    webhook: names.get(request.webhook_id),
    state: request.state,
    total_count: request.total_count,
    attempts_made: request.attempts_made,
    created_at: request.created_at,
    when: request.finished_at ?? request.next_attempt_at,
  }));

// Names in one order: of documents only what they say counts.
const canonical = (value) =>
  JSON.stringify(value, (_, part) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );

async function api(anna, path) {
  const answer = await anna.context.request.get(`${base}/api/v1/${path}`);
  equal(answer.status(), 200, path);
  return answer.json();
}

// filter: { name of the API: value }; the command line has the same names as options.
async function same(anna, filter, names, what) {
  const options = Object.entries(filter).flatMap(([name, value]) => [
    `--${name.replace("_", "-")}`,
    value,
  ]);
  const said = await cli("request", "list", ...options, "--json");
  const answered = await api(anna, `requests?${new URLSearchParams(filter)}`);
  equal(canonical(answered), canonical(said), `the API, ${what}`);
  const wanted = JSON.stringify(expected(said.requests, names));
  let found;
  await until(async () => {
    found = JSON.stringify(await shown(anna.page));
    return found === wanted;
  }, what).catch(() => check(false, `${what}: the console has ${found}, not ${wanted}`));
  return said;
}

async function everyTab(anna, filter, names, what) {
  const counts = {};
  for (const tab of TABS) {
    await anna.page
      .getByRole("navigation", { name: "State" })
      .getByRole("link", { name: tab, exact: true })
      .click();
    const given = tab === "All" ? filter : { ...filter, state: tab.toLowerCase() };
    counts[tab] = (await same(anna, given, names, `${what}, ${tab}`)).requests.length;
  }
  return counts;
}

async function log(anna, { ids, webhooks }) {
  const { page } = anna;
  const names = new Map(Object.values(webhooks).map(({ id, name }) => [id, name]));
  await anna.open("/logs");
  const all = await everyTab(anna, {}, names, "the log");
  equal(all, { All: 50, Delivered: 50, Retrying: 1, Failed: 5 }, "requests of each tab");

  for (const { id, name } of Object.values(webhooks)) {
    await page.getByLabel("Webhook", { exact: true }).selectOption({ label: name });
    await everyTab(anna, { webhook: id }, names, name);
  }
  await anna.open("/logs");
  await page.getByLabel("Event type").selectOption(TYPES[1]);
  await everyTab(anna, { event_type: TYPES[1] }, names, TYPES[1]);
  await anna.open("/logs");
  await page.getByLabel("Time").selectOption("1h");
  await everyTab(anna, { since: "1h" }, names, "the last hour");

  const { requests } = await cli("request", "list", "--limit", "1000", "--json");
  const [from, to] = [requests.at(-20).created_at, requests[20].created_at];
  check(from <= to, "a time that lies within");
  await anna.open(`/logs?since=${from}&until=${to}`);
  await everyTab(anna, { since: from, until: to }, names, "from – to");
  await pages(anna, names);
  await search(anna, ids, requests, names);
}

async function pages(anna, names) {
  await anna.open("/logs");
  const first = await same(anna, {}, names, "the first page");
  await anna.page.getByRole("button", { name: "Older" }).click();
  const second = await same(anna, { after: first.next }, names, "the second page");
  equal(second.next, null, "two pages");
}

async function search(anna, ids, requests, names) {
  const { page } = anna;
  const look = async (text) => {
    await page.getByRole("searchbox", { name: "Search" }).fill(text);
    await page.getByRole("button", { name: "Search" }).click();
  };
  await anna.open("/logs");
  await look(ids[7]);
  const hit = await same(anna, { event: ids[7] }, names, "an event's id");
  equal(hit.requests.length, 1, "an event that one webhook got and one waits for");
  await look("m-3");
  await everyTab(anna, { member: "m-3" }, names, "a member's id");
  await look("nobody");
  await same(anna, { member: "nobody" }, names, "a member that is none");
  await look("0".repeat(24));
  await same(anna, { event: "0".repeat(24) }, names, "an id that is nobody's");

  const one = requests.find((request) => request.state === "failed");
  const { attempts, ...request } = await cli("request", "show", one.request_id, "--json");
  equal(attempts.length, 1, "its attempts");
  const answered = await api(anna, `requests/${one.request_id}`);
  equal(answered.attempts.length, 1, "its attempts, by the API");
  for (const name of Object.keys(request)) equal(answered[name], request[name], name);
  await look(one.request_id);
  const wanted = expected([request], names);
  await until(
    async () => JSON.stringify(await shown(page)) === JSON.stringify(wanted),
    "a request's id",
  );
}

// ---- figures ----

const depth = ({ waiting, requests }) =>
  waiting + requests.pending + requests.sending + requests.retrying;

// "85.7 %" is that share, to the digit shown; all and nothing are said only of all and nothing.
function isRate(text, { delivered, failed }) {
  const whole = delivered + failed;
  if (whole === 0) return /^(–|nothing in 24 h)$/.test(text);
  const said = Number(/^([\d.]+) %/.exec(text)?.[1]);
  const share = (delivered / whole) * 100;
  if ((said === 100) !== (failed === 0) || (said === 0) !== (delivered === 0)) return false;
  return Math.abs(said - share) <= 0.051;
}

const cells = (page, label) =>
  page.evaluate((name) => {
    const rows = [...document.querySelectorAll(`table[aria-label="${name}"] tbody tr`)];
    return rows.map((row) => {
      const found = {};
      for (const cell of row.querySelectorAll("td")) {
        const at = cell.querySelector("time")?.getAttribute("datetime");
        const first = cell.querySelector("a, .badge") ?? cell;
        found[cell.dataset.title] = at ?? first.textContent.trim();
      }
      return found;
    });
  }, label);

const tiles = (page) =>
  page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll(".tile")].map((tile) => {
        const at = tile.querySelector("time")?.getAttribute("datetime");
        const text = (part) => tile.querySelector(`.tile-${part}`).textContent.trim();
        return [text("label"), at ?? text("value")];
      }),
    ),
  );

// Figures move on by the minute: compared until both are of the same moment.
async function agree(what, look) {
  let found;
  await until(async () => {
    found = await look();
    return found === "";
  }, what).catch(() => check(false, `${what}: ${found}`));
}

function differences(pairs) {
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(([name, one, other]) => `${name}: shown ${one}, stats say ${other}`)
    .join("; ");
}

async function listOfWebhooks(anna) {
  await anna.open("/webhooks");
  await agree("the list of webhooks", async () => {
    const { per_webhook: wanted } = await cli("stats", "--since", "24h", "--json");
    const found = new Map((await cells(anna.page, "Webhooks")).map((row) => [row.Webhook, row]));
    return differences(
      wanted.flatMap((row) => [
        [`${row.name}: there`, found.has(row.name), true],
        [`${row.name}: rate`, isRate(found.get(row.name)?.Success ?? "", row.recent), true],
        [
          `${row.name}: last delivery`,
          found.get(row.name)?.["Last delivery"],
          row.last_delivered_at ?? "never",
        ],
      ]),
    );
  });
}

function dashboardDiffers(found, rows, wanted) {
  const { recent } = wanted;
  const pairs = [
    ["Delivered", found.Delivered, String(recent.delivered)],
    ["Failed", found.Failed, String(recent.failed)],
    ["Success", isRate(found.Success ?? "", recent), true],
    ["Queue depth", found["Queue depth"], String(depth(wanted))],
    ["Oldest undelivered", found["Oldest undelivered"], wanted.oldest_undelivered_at ?? "none"],
  ];
  for (const row of wanted.per_webhook ?? []) {
    const one = rows.find((shownRow) => shownRow.Webhook === row.name) ?? {};
    pairs.push(
      [`${row.name}: status`, one.Status?.toLowerCase(), row.status],
      [`${row.name}: delivered`, one.Delivered, String(row.recent.delivered)],
      [`${row.name}: failed`, one.Failed, String(row.recent.failed)],
      [`${row.name}: success`, isRate(one.Success ?? "", row.recent), true],
      [`${row.name}: queue`, one.Queue, String(depth(row))],
      [`${row.name}: oldest`, one["Oldest undelivered"], row.oldest_undelivered_at ?? "none"],
    );
  }
  return differences(pairs);
}

async function dashboard(anna, webhooks) {
  for (const range of ["1h", "24h", "7d"]) {
    for (const one of [null, ...Object.values(webhooks)]) {
      const scope = one ? ["--webhook", one.id] : [];
      await anna.open(`/?range=${range}${one ? `&webhook=${one.id}` : ""}`);
      await agree(`the dashboard, ${range}, ${one?.name ?? "all"}`, async () => {
        const wanted = await cli("stats", "--since", range, ...scope, "--json");
        const rows = await cells(anna.page, "Figures by webhook");
        return dashboardDiffers(await tiles(anna.page), rows, wanted);
      });
    }
  }
}

export default async function play() {
  const { folder } = JSON.parse(process.env.LOYALHOOK_SPEC_CONSOLE);
  const made = await prepare(folder);
  const anna = await signedIn();
  await log(anna, made);
  await listOfWebhooks(anna);
  await dashboard(anna, made.webhooks);
  const { waiting } = await cli("stats", "--json");
  equal(waiting, 29, "what waits behind the ordered webhook's first request");
  quiet(anna);
}
