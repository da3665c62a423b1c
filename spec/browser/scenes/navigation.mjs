// Where a reader is: addresses, back, forward and reload; headings, titles and what is said aloud.

import {
  base,
  check,
  cli,
  emit,
  equal,
  heading,
  quiet,
  script,
  signedIn,
  until,
  visit,
  webhook,
} from "../browser.mjs";

const titled = (page, title) =>
  until(async () => (await page.title()) === `${title} · loyalhook`, `the title ${title}`);
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());
const scrolled = (page) => page.evaluate(() => Math.round(window.scrollY));
const rows = (page) => page.getByRole("link", { name: /^[0-9a-f]{24}$/ });

// Seven webhooks, two failed requests of each.
async function prepare() {
  const ids = [];
  for (let number = 1; number <= 7; number += 1) {
    const name = number === 1 ? "failing" : `failing ${number}`;
    ids.push((await webhook(name, { retries_max: 0, pause_after: 0, batch_size: 1 })).id);
    await script(`/${encodeURIComponent(name)}`, [500]);
  }
  await emit({ member_info: { member_id: "m-6" } });
  await emit({ member_info: { member_id: "m-7" } });
  await until(
    async () =>
      (await cli("request", "list", "--state", "failed", "--json")).requests.length === 14,
    "fourteen failed requests",
  );
  return ids[0];
}

// Each page has a title, and the focus comes to its heading, also on the way back.
async function places(page) {
  for (const name of ["Dashboard", "Webhooks", "Webhook Logs", "Event Catalogue", "Inbox"]) {
    await visit(page, name);
    await titled(page, name);
    await until(async () => (await focused(page)) === name, `the focus on ${name}`);
  }
  await page.goBack();
  await heading(page, "Event Catalogue");
  await until(async () => (await focused(page)) === "Event Catalogue", "the focus, after back");
  await titled(page, "Event Catalogue");
}

async function filters(page, id) {
  await visit(page, "Webhook Logs");
  await page.getByRole("link", { name: "Failed", exact: true }).click();
  await page.getByLabel("Webhook", { exact: true }).selectOption(id);
  await page.getByLabel("Event type").selectOption("event_points_earned");
  await page.getByLabel("Search", { exact: true }).first().fill("m-7");
  await page.keyboard.press("Enter");
  await until(async () => (await rows(page).count()) === 1, "the one of that member");
  const address = page.url();
  const stands = async (what) => {
    await until(async () => (await rows(page).count()) === 1, `the one row: ${what}`);
    equal(page.url(), address, what);
    equal(await page.getByLabel("Webhook", { exact: true }).inputValue(), id, what);
    equal(await page.getByLabel("Event type").inputValue(), "event_points_earned", what);
    equal(await page.getByRole("searchbox", { name: "Search" }).inputValue(), "m-7", what);
    const tab = page.getByRole("link", { name: "Failed", exact: true });
    equal(await tab.getAttribute("aria-current"), "page", what);
  };
  await stands("at first");
  await page.reload();
  await stands("after reload");
  await rows(page).first().click();
  await heading(page, /^Request/);
  await page.goBack();
  await stands("after back");
  await page.goBack();
  await until(async () => (await rows(page).count()) === 2, "one filter less");
  await page.goForward();
  await stands("after forward");
}

async function selection(page) {
  await page.goto(`${base}/console/logs?state=failed`);
  const all = page.getByLabel("Select all failed requests of this page");
  const boxes = page.getByRole("checkbox", { name: /^Select request/ });
  await boxes.nth(13).waitFor();
  await boxes.nth(0).check();
  equal(await all.evaluate((box) => [box.checked, box.indeterminate]), [false, true], "mixed");
  await page.getByText("1 request selected.").waitFor();
  await all.check();
  await page.getByText("14 requests selected.").waitFor();
  equal(await page.locator("tr.is-selected").count(), 14, "marked rows");
  await boxes.nth(3).uncheck();
  await page.getByText("13 requests selected.").waitFor();
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("13 requests selected.").waitFor();
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await page.getByText("Check the failed requests that you want to retry.").waitFor();
  equal(await page.locator("tr.is-selected").count(), 0, "marked rows");
  await boxes.nth(0).check();
  await page.getByRole("link", { name: "All", exact: true }).click();
  await until(async () => (await page.locator("tr.is-selected").count()) === 0, "no hidden choice");
}

// Back comes to where the reader was, and so does a reload.
async function scrolling(page) {
  await page.setViewportSize({ width: 1440, height: 500 });
  await page.goto(`${base}/console/logs?state=failed`);
  await rows(page).nth(13).waitFor();
  await page.mouse.move(700, 250);
  await page.mouse.wheel(0, 400);
  await until(async () => (await page.evaluate(() => window.history.state?.y)) === 400, "kept");
  await rows(page).nth(9).evaluate((link) => link.click());
  await heading(page, /^Request/);
  await until(async () => (await scrolled(page)) === 0, "a new page begins at its top");
  await page.goBack();
  await until(async () => (await scrolled(page)) === 400, "back to the same place");
  await page.reload();
  await until(async () => (await scrolled(page)) === 400, "the same place after reload");
  await page.setViewportSize({ width: 1440, height: 900 });
}

// Deep links, also to what is not there.
async function deep(one, id) {
  const { page } = one;
  for (const [path, title] of [
    [`/webhooks/${id}`, "failing"],
    [`/webhooks/${id}/edit`, "Edit failing"],
    ["/settings/audit?what=webhook.", "Audit log"],
    ["/dashboard", "There is no such page"],
  ]) {
    await one.open(path);
    await heading(page, title);
  }
  for (const path of ["/webhooks", "/logs", "/events", "/inbox"]) {
    await one.open(`${path}/${"0".repeat(24)}`);
    await page.getByRole("alert").waitFor();
  }
}

// The browser's own buttons ask about unsaved work, as links do.
async function unsaved(page) {
  await visit(page, "Webhooks");
  await page.getByRole("link", { name: "Create Webhook" }).click();
  await page.getByLabel("Webhook Name").fill("half typed");
  await page.goBack();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await dialog.getByRole("button", { name: "Stay" }).click();
  equal(await page.getByLabel("Webhook Name").inputValue(), "half typed", "what was typed");
  check(page.url().endsWith("/webhooks/new"), page.url());
  await page.goBack();
  await dialog.getByRole("button", { name: "Leave" }).click();
  await heading(page, "Webhooks");
}

// A question about one page does not stand over another.
async function questions(page, id) {
  await page.goto(`${base}/console/webhooks`);
  await page.getByRole("link", { name: "failing", exact: true }).click();
  await heading(page, "failing");
  await page.getByRole("button", { name: "Action: failing" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete failing?" }).waitFor();
  await page.goBack();
  await heading(page, "Webhooks");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  equal((await cli("webhook", "show", id, "--json")).status, "enabled", "not deleted");
}

// What a screen reader is told without being asked.
async function aloud(page, id) {
  await page.goto(`${base}/console/webhooks/${id}`);
  await heading(page, "failing");
  await page.getByRole("button", { name: "Action: failing" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  const messages = page.getByRole("region", { name: "Messages" });
  await messages.getByRole("status").getByText("failing is disabled.").waitFor();
  await messages.getByRole("button", { name: "Undo" }).click();
  await messages.getByRole("status").getByText("failing is enabled again.").waitFor();
  equal((await cli("webhook", "show", id, "--json")).status, "enabled", "undone");
}

export default async function play() {
  const id = await prepare();
  const anna = await signedIn();
  const { page } = anna;
  await anna.open("/webhooks");
  await places(page);
  await filters(page, id);
  await selection(page);
  await scrolling(page);
  await unsaved(page);
  await questions(page, id);
  await aloud(page, id);
  await deep(anna, id);
  quiet(anna);
}
