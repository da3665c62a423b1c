// The picture of README and docs/guide/console.md, which `make picture` renews: webhooks on a day
// on which one endpoint broke. Their addresses get names once what is shown has happened.

import {
  cli,
  emit,
  picture,
  quiet,
  script,
  settled,
  signedIn,
  until,
  webhook,
} from "../browser.mjs";

const BROKEN = "Points wallet";
const WEBHOOKS = [
  ["Shop CRM", "https://crm.shop.example/loyalty", ["category:member"], 50],
  [BROKEN, "https://wallet.example/points", ["category:transaction"], 20],
  ["Newsletter", "https://mail.example/members", ["event_member_enrol"], 1],
  ["Data warehouse", "https://warehouse.example/loyalty", ["*"], 500],
];
const TYPES = ["event_member_enrol", "event_points_redeemed", "event_member_update"];

const show = (id) => cli("webhook", "show", id, "--json");

async function events(from, to) {
  for (let number = from; number < to; number += 1)
    await emit({ member_info: { member_id: `m-${number}` } }, TYPES[number % TYPES.length]);
}

// So many requests of a webhook in that state.
async function requests(id, state, least) {
  const wanted = ["--webhook", id, "--state", state];
  await until(
    async () => (await cli("request", "list", ...wanted, "--json")).requests.length >= least,
    `${least} ${state} requests`,
  );
}

export default async function play() {
  const made = {};
  for (const [name, , types, size] of WEBHOOKS) {
    const fields = { batch_size: size, retries_max: 0, pause_after: 1 };
    made[name] = (await webhook(name, fields, types)).id;
  }
  await events(0, 18);
  await requests(made[BROKEN], "delivered", 6);
  await script(`/${encodeURIComponent(BROKEN)}`, [503]);
  await events(18, 21);
  await until(async () => (await show(made[BROKEN])).status === "paused", "the pause");
  await requests(made["Data warehouse"], "delivered", 21);
  await requests(made.Newsletter, "delivered", 7);
  for (const [name, url] of WEBHOOKS) await cli("webhook", "edit", made[name], "--url", url);

  const anna = await signedIn("anna", { width: 1280, height: 680 });
  await anna.open("/webhooks");
  await settled(anna.page);
  await picture(anna.page, "console");
  quiet(anna);
}
