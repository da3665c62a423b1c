// What a reader cannot know by himself: that nobody works, that his clock is wrong, that what he
// edits is gone; and addresses that mean nothing.

import {
  accessible,
  check,
  cli,
  emit,
  equal,
  heading,
  picture,
  quiet,
  signedIn,
  until,
  webhook,
} from "../browser.mjs";

const DAY_MS = 86400000;

async function nobodyWorks(one) {
  const { page } = one;
  await one.open("/webhooks");
  await heading(page, "Webhooks");
  equal(await page.getByText("No worker runs").count(), 0, "a worker lives");
  const checks = {
    store: "cannot be written: rights, or the disk is full",
    worker: "no worker lives: start loyalhook work",
    key: "ok",
  };
  // Not 503, as it is: the browser would tell of that in its console.
  await page.route("**/healthz/ready", (route) =>
    route.fulfill({ json: { status: "failed", checks } }),
  );
  await page.reload();
  await page.getByText("No worker runs: nothing is sent").waitFor();
  await page.getByText("The store cannot be written: rights, or the disk is full.").waitFor();
  await accessible(page, "a server that cannot work");
  await picture(page, "nobody-works");
  // A proxy may keep that page to itself.
  await page.unroute("**/healthz/ready");
  await page.route("**/healthz/ready", (route) => route.fulfill({ body: "<h1>No</h1>" }));
  await page.reload();
  await heading(page, "Webhooks");
  await page.getByRole("button", { name: "Action: kept" }).waitFor();
  equal(await page.getByText("No worker runs").count(), 0, "it is not known");
  await page.unroute("**/healthz/ready");
}

async function wrongClock(days) {
  const one = await signedIn();
  await one.page.clock.setSystemTime(Date.now() + days * DAY_MS);
  await one.open("/webhooks");
  const row = one.page.getByRole("row", { name: /kept/ });
  await row.getByText("100 %").waitFor();
  const said = await row.locator("time").last().textContent();
  check(/^(just now|\d+ (s|min) ago)$/.test(said), `a clock ${days} days off: ${said}`);
  quiet(one);
}

async function editingWhatIsGone(one) {
  const { page } = one;
  const { id } = await webhook("gone");
  await one.open(`/webhooks/${id}/edit`);
  await heading(page, "Edit gone");
  await page.getByLabel("Webhook Name").fill("later");
  await cli("webhook", "delete", "gone", "--yes");
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.getByText("Somebody else has deleted this webhook meanwhile.").waitFor();
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Leave" }).click();
  await one.open(`/webhooks/${id}/edit`);
  await page.getByText("This webhook is deleted").waitFor();
}

async function addresses(one) {
  const { page } = one;
  for (const path of ["/logs/6b07a397", "/webhooks/kept", "/events/x"]) {
    await one.open(path);
    await heading(page, "There is no such page");
  }
  await one.open("/logs?since=2026-99-99");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("From").fill("12026-11-26T04:12");
  await heading(page, "Webhook Logs");
  // The fields mean what the times of the page mean.
  await page.evaluate(() => localStorage.setItem("loyalhook.zone", "utc"));
  await one.open("/logs?since=2026-07-01T10:00:00.000Z");
  equal(await page.getByLabel("From (UTC)").inputValue(), "2026-07-01T10:00", "as in the address");
  await page.getByLabel("From (UTC)").fill("2026-07-02T11:00");
  await until(() => page.url().includes("2026-07-02T11%3A00"), "the same in the address");
}

export default async function play() {
  await webhook("kept");
  await emit({ member_info: { member_id: "m-1" } });
  await until(
    async () => (await cli("request", "list", "--state", "delivered", "--json")).requests.length,
    "the delivery",
  );
  const one = await signedIn();
  await nobodyWorks(one);
  await wrongClock(-1);
  await wrongClock(1);
  await editingWhatIsGone(one);
  await addresses(one);
  quiet(one);
}
