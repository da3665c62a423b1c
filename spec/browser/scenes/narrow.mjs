// 360 px: every action is reached, nothing lies outside, also in menus and dialogs; and a reader
// who wants no motion gets none.

import {
  accessible,
  check,
  cli,
  emit,
  equal,
  fits,
  heading,
  picture,
  quiet,
  script,
  settled,
  signedIn,
  until,
  webhook,
} from "../browser.mjs";

const WIDTH = 360;

async function inside(locator, what) {
  await locator.scrollIntoViewIfNeeded();
  const box = await locator.boundingBox();
  check(box && box.x >= 0 && box.x + box.width <= WIDTH + 0.5, `${what} lies outside`);
  check(box.height >= 24 && box.width >= 24, `${what} is smaller than 24 px`);
}

// Whatever can be pressed on the page that stands.
async function reachable(page, what) {
  await fits(page, what);
  const places = page.locator("main button:visible, main a.button:visible, main select:visible");
  for (const place of await places.all()) {
    await inside(place, `${what}: ${(await place.textContent()).slice(0, 30)}`);
  }
}

async function visit(page, name) {
  await page.getByRole("button", { name: "Open navigation" }).click();
  const drawer = page.getByRole("dialog", { name: "Navigation" });
  await inside(drawer.getByRole("button", { name: "Close navigation" }), "the drawer's cross");
  await drawer.getByRole("link", { name, exact: true }).click();
  await drawer.waitFor({ state: "hidden" });
  await heading(page, name);
}

async function menu(page, name, items) {
  await page.getByRole("button", { name: `Action: ${name}` }).click();
  const found = page.getByRole("menu", { name: `Action: ${name}` });
  await found.waitFor();
  equal(await found.getByRole("menuitem").allTextContents(), items, `the menu of ${name}`);
  for (const item of items) await inside(found.getByRole("menuitem", { name: item }), item);
  return found;
}

// Opens what a menu's item opens; its buttons lie inside, and Escape closes it.
async function dialogOf(page, name, items, item) {
  await (await menu(page, name, items)).getByRole("menuitem", { name: item }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  for (const button of await dialog.getByRole("button").all()) await inside(button, item);
  await accessible(page, `${item}, narrow`);
  await picture(page, `narrow-${item.toLowerCase().replaceAll(" ", "-")}`);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
}

const ITEMS = [
  "Edit",
  "Enable",
  "Rotate secret",
  "Send test event",
  "Show logs",
  "Delete",
];

async function webhooks(page) {
  await visit(page, "Webhooks");
  await page.getByText("Paused", { exact: true }).waitFor();
  await reachable(page, "the list");
  for (const item of ["Enable", "Rotate secret", "Send test event", "Delete"]) {
    await dialogOf(page, "paused", ITEMS, item);
  }
  await page.getByRole("link", { name: "paused", exact: true }).click();
  await heading(page, "paused");
  await page.getByText("Latest requests").waitFor();
  await reachable(page, "the webhook");
}

async function retry(page, id) {
  await visit(page, "Webhook Logs");
  await page.getByRole("link", { name: "Failed", exact: true }).click();
  await page.getByRole("checkbox", { name: /^Select request/ }).waitFor();
  await reachable(page, "the log");
  await page.getByRole("button", { name: "Enable Webhook" }).click();
  const enable = page.getByRole("dialog", { name: "Enable paused?" });
  await enable.getByLabel("Also retry what failed because of this pause").uncheck();
  await script("/paused", [200]);
  await enable.getByRole("button", { name: "Enable Webhook" }).click();
  await page.getByText("paused is enabled.").waitFor();
  await inside(page.getByRole("button", { name: "Close message" }).first(), "the message");
  await picture(page, "narrow-message");
  await page.getByLabel("Select all failed requests of this page").check();
  await page.getByRole("button", { name: "Retry Selected Logs" }).click();
  await page.getByText("Nothing has failed").waitFor();
  equal((await cli("webhook", "show", id, "--json")).status, "enabled", "it is enabled");
}

async function rest(page) {
  for (const name of ["Dashboard", "Event Catalogue", "Inbox", "Handlers", "Settings"]) {
    await visit(page, name);
    await settled(page);
    await reachable(page, name);
  }
  for (const tab of ["Retention and limits", "API tokens", "Users", "Audit log", "You"]) {
    const tabs = page.getByRole("navigation", { name: "Settings" });
    const link = tabs.getByRole("link", { name: tab });
    await link.click();
    await heading(page, tab);
    await until(async () => (await link.getAttribute("aria-current")) === "page", tab);
    await inside(link, `the tab ${tab}`);
    await settled(page);
    await reachable(page, tab);
  }
  await page.getByRole("button", { name: "Open navigation" }).click();
  await picture(page, "narrow-drawer");
  const drawer = page.getByRole("dialog", { name: "Navigation" });
  await drawer.getByRole("button", { name: /anna/ }).click();
  await page.getByRole("menuitemradio", { name: "Theme: dark" }).click();
  equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "the theme");
}

async function still(page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.goto(page.url().replace(/\/console.*/, "/console/"));
  await heading(page, "Dashboard");
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .filter((motion) => motion.playState === "running")
      .map((motion) => motion.animationName),
  );
  equal(moving, [], "what moves though no motion is wanted");
}

export default async function play() {
  const { id } = await webhook("paused", { retries_max: 0, pause_after: 1 });
  await script("/paused", [500]);
  await emit({ member_info: { member_id: "m-1" } });
  await until(
    async () => (await cli("webhook", "show", id, "--json")).status === "paused",
    "the pause",
  );
  const anna = await signedIn("anna", { width: WIDTH, height: 740 });
  await anna.open("/");
  await webhooks(anna.page);
  await retry(anna.page, id);
  await rest(anna.page);
  await still(anna.page);
  quiet(anna);
}
