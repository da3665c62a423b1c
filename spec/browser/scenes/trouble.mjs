// A server that is slow, away, or answers nonsense; two tabs of one browser; and a dashboard that
// renews itself while somebody looks.

import {
  base,
  check,
  cli,
  emit,
  equal,
  heading,
  passwords,
  picture,
  quiet,
  script,
  signedIn,
  until,
  visit,
  webhook,
} from "../browser.mjs";

// Holds what matches back until it is let go; counts it.
async function hold(page, pattern, method = "GET") {
  let letGo;
  const gate = new Promise((resolve) => (letGo = resolve));
  const held = { count: 0 };
  await page.route(pattern, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    held.count += 1;
    await gate;
    return route.continue().catch(() => {});
  });
  held.letGo = async () => {
    letGo();
    await page.unroute(pattern);
  };
  return held;
}

async function slow(one) {
  const { page } = one;
  const list = await hold(page, "**/api/v1/webhooks?*");
  await one.open("/webhooks");
  await page.locator(".skeleton-row").first().waitFor();
  equal(await page.getByText("No webhook yet").count(), 0, "nothing is said before it is known");
  await picture(page, "loading");
  await list.letGo();
  await page.getByRole("link", { name: "patient" }).waitFor();

  await one.open("/webhooks/new");
  await page.getByLabel("Webhook Name").fill("made once");
  await page.getByLabel("Webhook URL").fill("https://example.com/once");
  await page.getByLabel("All events").check();
  const saving = await hold(page, "**/api/v1/webhooks", "POST");
  await page.getByRole("button", { name: "Save Webhook" }).click();
  const busy = page.getByRole("button", { name: "Saving…" });
  await busy.waitFor();
  check(await busy.isDisabled(), "a second press does nothing");
  await page.getByLabel("Webhook Name").press("Enter");
  await saving.letGo();
  await page.getByRole("button", { name: "I have stored it" }).click();
  equal(saving.count, 1, "saved once");

  const disabling = await hold(page, "**/disable", "POST");
  await page.getByRole("button", { name: "Action: made once" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "One moment…" }).waitFor();
  await disabling.letGo();
  await page.getByText("made once is disabled.").waitFor();
  equal(disabling.count, 1, "disabled once");
}

// Time is moved: nobody waits for the next poll.
async function away(one) {
  const { page } = one;
  await page.clock.install();
  const later = () => page.clock.fastForward(11000);
  const api = "**/api/v1/**";
  for (const [path, title, back] of [
    ["/webhooks", "Webhooks", "patient"],
    ["/catalogue", "Event Catalogue", "Points Earned Event"],
  ]) {
    await page.route(/\/api\/v1\/(?!session)/, (route) => route.abort());
    await one.open(path);
    await heading(page, title);
    await page.getByText("The server cannot be reached.").waitFor();
    await page.unroute(/\/api\/v1\/(?!session)/);
    await later();
    await page.getByText(back).first().waitFor(); // by itself
    await page.getByText("The server cannot be reached.").waitFor({ state: "detached" });
  }
  // What stands there stays while the server is away.
  await visit(page, "Webhooks");
  await page.getByRole("link", { name: "patient" }).waitFor();
  const nonsense = { status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" };
  await page.route(api, (route) => route.fulfill(nonsense));
  await later();
  await page.getByText("The server answered 502 without a reason.").waitFor();
  check(await page.getByRole("link", { name: "patient" }).isVisible(), "the list stays");
  await page.unroute(api);
  await later();
  await page.getByText("The server answered 502").waitFor({ state: "detached" });
  // And the very first page comes when the server does.
  await page.route(api, (route) => route.abort());
  await one.open("/webhooks");
  await page.getByText("The server cannot be reached.").waitFor();
  await page.unroute(api);
  await later();
  await page.getByRole("link", { name: "patient" }).waitFor();
}

// What waits is seen without reloading, and how it came to that.
async function live({ page }) {
  await visit(page, "Dashboard");
  const depth = page.locator(".tile", { hasText: "Queue depth" }).locator(".tile-value");
  await until(async () => (await depth.textContent()) === "0", "an empty queue");
  await script("/patient", ["hang"]);
  await emit({ member_info: { member_id: "m-1" } });
  const grown = async () => {
    await page.clock.fastForward(5000);
    return (await depth.textContent()) === "1";
  };
  await until(grown, "the queue of one");
  for (const [title, values] of [
    ["Queue depth over time", ["0", "1"]],
    ["Age of the oldest undelivered", ["none"]],
  ]) {
    const chart = page.locator("figure", { hasText: title });
    await chart.getByText("As a table").click();
    await chart.locator("tbody td").first().waitFor();
    const found = await chart.locator("tbody td").allTextContents();
    for (const value of values) check(found.includes(value), `${title}: ${found}`);
  }
  await picture(page, "dashboard-queue");
}

// Tabs share a cookie: what one does to the session, the other knows.
async function tabs(one) {
  const first = one.page;
  await one.open("/webhooks/new");
  await first.getByLabel("Webhook Name").fill("typed in the first tab");
  const second = await one.context.newPage();
  await second.goto(`${base}/console/webhooks`);
  await second.getByRole("button", { name: /anna/ }).click();
  await second.getByRole("menuitem", { name: "Sign out" }).click();
  await heading(second, "Sign in to loyalhook");
  const dialog = first.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await second.getByLabel("User").fill("otto");
  await second.getByLabel("Password").fill(passwords.otto);
  await second.getByRole("button", { name: "Sign in" }).click();
  await heading(second, "Webhooks");
  await dialog.waitFor({ state: "detached" });
  await first.getByRole("button", { name: /otto/ }).waitFor(); // it says who it is now
  equal(await first.getByLabel("Webhook Name").inputValue(), "typed in the first tab", "typed");
  await first.getByLabel("Webhook URL").fill("https://example.com/first");
  await first.getByLabel("All events").check();
  await first.getByRole("button", { name: "Save Webhook" }).click();
  await first.getByRole("button", { name: "I have stored it" }).click();
  const { entries } = await cli("audit", "--what", "webhook.create", "--json");
  equal(entries[0].who, "user:otto", "whose change it is");
  await second.close();
}

export default async function play() {
  await webhook("patient");
  const anna = await signedIn();
  await slow(anna);
  await away(anna);
  await live(anna);
  anna.problems.length = 0; // the browser tells of each answer that did not come
  await tabs(anna);
  quiet(anna);
}
