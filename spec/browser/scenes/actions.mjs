// What is done to a webhook besides the story: its secret is rotated, samples are sent to it from
// its menu and from the catalogue, and accounts are kept apart.

import { createHmac } from "node:crypto";
import {
  accessible,
  arrived,
  check,
  cli,
  endpoint,
  equal,
  heading,
  picture,
  quiet,
  script,
  signedIn,
  until,
  visit,
  webhook,
} from "../browser.mjs";

const headerOf = (request, name) =>
  request.headers.find(([given]) => given.toLowerCase() === name)?.[1];

// What each scheme signs, as the documentation of the seed and Standard Webhooks say.
function signed(request, secret) {
  const body = Buffer.from(request.body, "base64");
  if (headerOf(request, "nonce")) {
    return createHmac("sha512", secret)
      .update(Buffer.concat([body, Buffer.from(`:${headerOf(request, "nonce")}`)]))
      .digest("hex");
  }
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const head = `${headerOf(request, "webhook-id")}.${headerOf(request, "webhook-timestamp")}.`;
  const mac = createHmac("sha256", key).update(Buffer.concat([Buffer.from(head), body]));
  return `v1,${mac.digest("base64")}`;
}

async function choose(page, name, item) {
  await page.getByRole("button", { name: `Action: ${name}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

// Rotates in the console; returns the new secret, which nothing shows afterwards.
async function rotate(page, name, overlap) {
  await choose(page, name, "Rotate secret");
  const dialog = page.getByRole("dialog", { name: `Rotate the secret of ${name}` });
  await dialog.getByLabel("When does the new one take over?").selectOption({ label: overlap });
  await accessible(page, "the rotation");
  await picture(page, "rotate-secret");
  await dialog.getByRole("button", { name: "Rotate secret" }).click();
  const once = page.getByRole("dialog", { name: `Secret key of ${name}` });
  const secret = await once.locator(".once-text").textContent();
  await once.getByRole("button", { name: "Copy" }).click();
  await once.getByText("Copied").first().waitFor();
  equal(await page.evaluate(() => navigator.clipboard.readText()), secret, "the clipboard");
  for (let times = 0; times < 3; times += 1) await page.keyboard.press("Escape");
  await once.waitFor(); // a secret that is shown once is not lost to Escape
  await once.getByRole("button", { name: "I have stored it" }).click();
  await once.waitFor({ state: "detached" });
  equal((await page.content()).includes(secret), false, "the secret is in the page afterwards");
  return secret;
}

async function probe(page, name) {
  const path = `/${encodeURIComponent(name)}`;
  const before = (await arrived(path)).length;
  await choose(page, name, "Send test event");
  const dialog = page.getByRole("dialog", { name: `Send a test event to ${name}` });
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await dialog.getByText("Delivered: the endpoint accepted the sample.").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  const requests = await arrived(path);
  equal(requests.length, before + 1, "one arrived");
  return requests.at(-1);
}

async function secrets(page) {
  const { id, secret: first } = await webhook("rotated", { scheme: "standard" });
  await page.goto(page.url().replace(/\/console.*/, `/console/webhooks/${id}`));
  await heading(page, "rotated");
  const second = await rotate(page, "rotated", "In 24 hours");
  check(second !== first, "a new one");
  await page.getByText("New secret takes over").waitFor();
  const during = await probe(page, "rotated");
  const signatures = headerOf(during, "webhook-signature").split(" ");
  check(signatures.includes(signed(during, first)), "the old one signs during the overlap");
  check(signatures.includes(signed(during, second)), "the new one signs during the overlap");
  const third = await rotate(page, "rotated", "At once");
  const after = await probe(page, "rotated");
  equal(headerOf(after, "webhook-signature"), signed(after, third), "the new one alone");
}

// Good, refused, and timing out; from the menu. None of it is in the log.
async function samples(page) {
  await webhook("sampled", { timeout_ms: 1000 });
  await visit(page, "Webhooks");
  await choose(page, "sampled", "Send test event");
  const dialog = page.getByRole("dialog", { name: "Send a test event to sampled" });
  await dialog.getByLabel("Event").selectOption("event_member_enrol");
  const send = async (answers, said, button = "Send again") => {
    await script("/sampled", answers);
    await dialog.getByRole("button", { name: button, exact: true }).click();
    await dialog.getByText(said).waitFor();
  };
  await send([200], "Delivered: the endpoint accepted the sample.", "Send");
  const [request] = await arrived("/sampled");
  check(Buffer.from(request.body, "base64").includes("event_member_enrol"), "the chosen type");
  await send([{ status: 503, body: "<b>closed</b>" }], /^Not delivered: .*503/);
  await dialog.getByText("<b>closed</b>").waitFor();
  await picture(page, "test-refused");
  await send(["hang"], /^Not delivered: .*time/i);
  await accessible(page, "the test dialog");
  await page.keyboard.press("Escape");
  equal((await cli("request", "list", "--json")).requests.length, 0, "requests in the log");
}

async function fromTheCatalogue(page) {
  await script("/sampled", [200]);
  const before = (await arrived("/sampled")).length;
  await visit(page, "Event Catalogue");
  await page.getByLabel("Find").fill("enrol");
  await page.getByText("Sample payload").click();
  await page.getByRole("region", { name: /^Sample of/ }).waitFor();
  await page.getByRole("button", { name: "Copy type" }).click();
  await page.getByText("Copied").first().waitFor();
  equal(
    await page.evaluate(() => navigator.clipboard.readText()),
    "event_member_enrol",
    "the clipboard",
  );
  await page.getByRole("button", { name: /^Send a sample of/ }).click();
  const dialog = page.getByRole("dialog", { name: "Send a sample" });
  await dialog.getByLabel("Webhook").selectOption({ label: "sampled" });
  await dialog.getByRole("button", { name: "Send", exact: true }).click();
  await dialog.getByText("Delivered: the endpoint accepted the sample.").waitFor();
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
  equal((await arrived("/sampled")).length, before + 1, "the sample arrived");
}

async function accounts(page) {
  const other = ["--account", "north", "--event-type", "*", "--json"];
  await cli("webhook", "create", "--name", "of the north", "--url", `${endpoint}/north`, ...other);
  await page.reload();
  await page.getByLabel("Account").selectOption("north");
  await visit(page, "Webhooks");
  await page.getByRole("link", { name: "of the north" }).waitFor();
  equal(await page.getByRole("link", { name: "sampled" }).count(), 0, "the other account's");
  await page.reload();
  await page.getByRole("link", { name: "of the north" }).waitFor();
  equal(await page.getByLabel("Account").inputValue(), "north", "the choice lasts");
  await page.getByRole("link", { name: "Create Webhook" }).click();
  await page.getByLabel("Webhook Name").fill("made there");
  await page.getByLabel("Webhook URL").fill(`${endpoint}/there`);
  await page.getByLabel("All events").check();
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.getByRole("button", { name: "I have stored it" }).click();
  await until(
    async () => (await cli("webhook", "show", "made there", ...other.slice(0, 2), "--json")).id,
    "the webhook of the chosen account",
  );
  await page.getByLabel("Account").selectOption("default");
  await visit(page, "Webhooks");
  await page.getByRole("link", { name: "sampled" }).waitFor();
  equal(await page.getByRole("link", { name: "of the north" }).count(), 0, "the other account's");
}

export default async function play() {
  const anna = await signedIn();
  await anna.open("/webhooks");
  await secrets(anna.page);
  await samples(anna.page);
  await fromTheCatalogue(anna.page);
  await accounts(anna.page);
  quiet(anna);
}
