// Every page, light, dark and narrow: nothing for axe, nothing in the browser's console, no
// sideways scrolling, and a picture to look at.

import {
  accessible,
  cli,
  emit,
  fits,
  heading,
  picture,
  quiet,
  script,
  settled,
  signedIn,
  until,
  webhook,
  whole,
} from "../browser.mjs";

const LOOKS = [
  ["light", { width: 1440 }],
  ["dark", { width: 1440, scheme: "dark" }],
  ["narrow", { width: 360 }],
  ["broad", { width: 1600 }],
  ["laptop", { width: 1280 }],
  ["middle", { width: 1100 }],
];

async function prepare() {
  const good = await webhook("points to the CRM");
  const bad = await webhook("data warehouse", { retries_max: 0, pause_after: 1 });
  await cli("webhook", "disable", (await webhook("old mailer")).id);
  await script("/data%20warehouse", [{ status: 500, body: "<h1>Internal <b>error</b></h1>" }]);
  for (let number = 0; number < 12; number += 1) {
    await emit({
      member_info: { member_id: `m-${number}` },
      transaction_info: { points: 10 * number },
    });
  }
  await until(
    async () => (await cli("webhook", "show", bad.id, "--json")).status === "paused",
    "the pause",
  );
  await until(
    async () =>
      (await cli("request", "list", "--webhook", good.id, "--state", "delivered", "--json"))
        .requests.length > 0,
    "a delivery",
  );
  const { requests } = await cli(
    "request",
    "list",
    "--webhook",
    bad.id,
    "--state",
    "failed",
    "--json",
  );
  return { good, bad, request: requests[0] };
}

function pagesOf({ good, bad, request }) {
  const { events } = JSON.parse(process.env.LOYALHOOK_SPEC_CONSOLE);
  return [
    ["dashboard", "/", "Dashboard"],
    ["webhooks", "/webhooks", "Webhooks"],
    ["webhook", `/webhooks/${bad.id}`, "data warehouse"],
    ["create", "/webhooks/new", "Create Webhook"],
    ["edit", `/webhooks/${good.id}/edit`, "Edit points to the CRM"],
    ["logs", "/logs", "Webhook Logs"],
    ["logs-failed", "/logs?state=failed", "Webhook Logs"],
    ["logs-none", "/logs?q=nobody", "Webhook Logs"],
    ["request", `/logs/${request.request_id}`, `Request ${request.request_id}`],
    ["event", `/events/${request.event_ids[0]}`, `Event ${request.event_ids[0]}`],
    ["catalogue", "/catalogue", "Event Catalogue"],
    ["inbox", "/inbox", "Inbox"],
    ["inbox-event", `/inbox/${events[0]}`, `Received event ${events[0]}`],
    ["handlers", "/handlers", "Handlers"],
    ["settings-mail", "/settings", "Settings"],
    ["settings-limits", "/settings/limits", "Retention and limits"],
    ["settings-tokens", "/settings/tokens", "API tokens"],
    ["settings-users", "/settings/users", "Users"],
    ["settings-audit", "/settings/audit", "Audit log"],
    ["settings-you", "/settings/you", "You"],
    ["not-found", "/no/such/page", "There is no such page"],
  ];
}

async function opened(page) {
  await page.getByText("Advanced", { exact: true }).click();
  await accessible(page, "the advanced part");
  await picture(page, "create-advanced");
}

// Of the other widths only the pages that could spread too far.
const SPREADING = [
  "dashboard",
  "webhooks",
  "logs-failed",
  "create",
  "request",
  "inbox",
  "handlers",
];
const TABLES = ["light", "broad", "laptop"]; // of other widths they are cards
const MAIN = ["light", "dark", "narrow"];

async function tour(pages, look, options) {
  const anna = await signedIn("anna", options);
  for (const [name, path, title] of pages) {
    if (!MAIN.includes(look) && !SPREADING.includes(name)) continue;
    await anna.open(path);
    await heading(anna.page, title);
    await settled(anna.page);
    await fits(anna.page, `${name}, ${look}`);
    if (TABLES.includes(look) && SPREADING.includes(name)) await whole(anna.page, name);
    if (MAIN.includes(look)) await accessible(anna.page, `${name}, ${look}`);
    await picture(anna.page, `${name}-${look}`);
    if (name === "create" && look === "light") await opened(anna.page);
  }
  quiet(anna);
  await anna.context.close();
}

export default async function play() {
  const pages = pagesOf(await prepare());
  const [light, dark, narrow, broad, laptop, middle] = LOOKS;
  await Promise.all([tour(pages, ...light), tour(pages, ...dark)]);
  const others = async () => {
    await tour(pages, ...broad);
    await tour(pages, ...laptop);
    await tour(pages, ...middle);
  };
  await Promise.all([tour(pages, ...narrow), others()]);
}
