// Very long, right-to-left and many-coloured text, and HTML in every field: nothing breaks out.

import {
  accessible,
  check,
  cli,
  emit,
  endpoint,
  equal,
  fits,
  heading,
  picture,
  quiet,
  script,
  settled,
  signedIn,
  until,
} from "../browser.mjs";

const NAME = "שלום 👩‍👩‍👧‍👦 " + "W".repeat(60);
const MEMBER = "<b>" + "x".repeat(990) + "</b>";
const PATH = "/long/" + "segment".repeat(60);
const HTML = '<img src=x onerror="window.broken=1">';

async function prepare() {
  await script(PATH, [{ status: 500, body: "y".repeat(3000) }]);
  const options = ["--event-type", "*", "--retries-max", "0", "--pause-after", "1", "--json"];
  const made = await cli("webhook", "create", "--name", NAME, "--url", endpoint + PATH, ...options);
  await emit({ member_info: { member_id: MEMBER }, ["k".repeat(500)]: HTML.repeat(20) });
  const paused = async () => (await cli("webhook", "show", made.id, "--json")).status === "paused";
  await until(paused, "the pause");
  const { requests } = await cli("request", "list", "--json");
  return { id: made.id, request: requests[0] };
}

async function tour(one, { id, request }, width) {
  const { page } = one;
  await page.setViewportSize({ width, height: 900 });
  for (const [path, title] of [
    ["/", "Dashboard"],
    ["/webhooks", "Webhooks"],
    [`/webhooks/${id}`, NAME],
    [`/webhooks/${id}/edit`, `Edit ${NAME}`],
    ["/logs?state=failed", "Webhook Logs"],
    [`/logs?q=${encodeURIComponent(MEMBER)}`, "Webhook Logs"],
    [`/logs/${request.request_id}`, /^Request/],
    [`/events/${request.event_ids[0]}`, /^Event/],
  ]) {
    await one.open(path);
    await heading(page, title);
    await settled(page);
    await fits(page, `${path} at ${width}`);
    check(await page.evaluate(() => window.broken === undefined), `${path} ran foreign text`);
    await picture(page, `long-${path.split(/[/?]/)[1] || "dashboard"}-${width}`);
  }
}

// The confirmation names it, whole, and its buttons stay inside.
async function dialog(one, width) {
  const { page } = one;
  await page.setViewportSize({ width, height: 740 });
  await one.open("/webhooks");
  await page.getByRole("button", { name: `Action: ${NAME}` }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const asked = page.getByRole("dialog", { name: `Delete ${NAME}?` });
  const button = asked.getByRole("button", { name: `Delete ${NAME}` });
  const box = await button.boundingBox();
  check(box.x >= 0 && box.x + box.width <= width, "the button lies outside");
  await accessible(page, "a long name");
  await picture(page, `long-delete-${width}`);
  await page.keyboard.press("Escape");
  await asked.waitFor({ state: "detached" });
}

async function everyField(one) {
  const { page } = one;
  await one.open("/webhooks/new");
  await page.getByText("Advanced", { exact: true }).click();
  for (const field of await page.locator("main input[type=text], main textarea").all()) {
    await field.fill(HTML);
  }
  await page.getByLabel("Use my own").check();
  await page.getByLabel("Your secret key").fill(HTML);
  await page.getByLabel("All events").check();
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.getByText("Not saved.").waitFor();
  await page.getByText("This line is not:").first().waitFor();
  equal(await page.getByLabel("Webhook Name").inputValue(), HTML, "what was typed");
  await page.goto(page.url().replace("/webhooks/new", "/logs"));
  await page.getByRole("searchbox", { name: "Search" }).fill(HTML);
  await page.keyboard.press("Enter");
  await page.getByText("No request matches").waitFor();
  check(await page.evaluate(() => window.broken === undefined), "a field ran its text");
}

export default async function play() {
  const made = await prepare();
  const anna = await signedIn();
  await tour(anna, made, 1440);
  await tour(anna, made, 360);
  await dialog(anna, 1440);
  await dialog(anna, 360);
  await everyField(anna);
  quiet(anna);
}
