// The whole way: create → deliver → fail → pause → (mail) → enable → retry selected → delivered.

import {
  arrived,
  check,
  cli,
  emit,
  endpoint,
  equal,
  heading,
  picture,
  quiet,
  script,
  signedIn,
  until,
} from "../browser.mjs";

const PATH = "/story";

async function create(page) {
  await page.getByRole("link", { name: "Create Webhook" }).click();
  await heading(page, "Create Webhook");
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.getByText("A name is needed.").first().waitFor();
  await page.getByText("Choose at least one event.").first().waitFor();
  await picture(page, "create-errors");
  await page.getByLabel("Webhook Name").fill("crm");
  await page.getByLabel("Webhook URL").fill("https://10.0.0.1/inside");
  await page.getByLabel("Transaction events", { exact: true }).check();
  check(await page.getByLabel("Points Earned Event").isChecked(), "a category checks its types");
  await page.getByLabel("Points Expired Event").uncheck();
  check(
    !(await page.getByLabel("Transaction events", { exact: true }).isChecked()),
    "one of five is out",
  );
  await page.getByLabel("Batch size for bulk events").fill("50");
  await page.getByText("Advanced", { exact: true }).click();
  await page.getByLabel("Retries", { exact: true }).fill("0");
  await page.getByLabel("Pause after failed requests").fill("1");
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.locator("#field-url-error").waitFor(); // the server refuses the address, at its field
  await picture(page, "create-refused");
  await page.getByLabel("Webhook URL").fill(endpoint + PATH);
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.getByRole("heading", { name: "Secret key of crm" }).waitFor();
  const secret = await page.locator(".once-text").textContent();
  check(secret.length >= 32, "the secret is shown");
  await picture(page, "secret-once");
  await page.getByRole("button", { name: "I have stored it" }).click();
  await heading(page, "crm");
  equal((await page.content()).includes(secret), false, "the secret is in the page afterwards");
}

const OF_THE_CONNECTION = ["host", "user-agent", "content-length"];

// Of the attempt that is shown, also after its webhook was edited: what the endpoint got.
async function headersShown(page, request) {
  const came = request.headers
    .filter(([name]) => !OF_THE_CONNECTION.includes(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
  await cli("webhook", "edit", "crm", "--header", "X-Later: 1");
  await page.reload();
  const shown = page.getByRole("region", { name: "Headers of attempt 1" });
  equal(await shown.textContent(), came.join("\n"), "our headers are those that came");
  check(came.at(-1).startsWith("x-zinrelo-signature: "), "the signature is among them");
  await page.getByText("refuses them once they are old").waitFor();
  await page.getByRole("button", { name: "Copy as curl" }).click();
  await until(async () => {
    const command = await page.evaluate(() => navigator.clipboard.readText());
    return (
      command.startsWith("curl -sS -i -X POST 'http") &&
      came.every((line) => command.includes(` -H '${line}'`)) &&
      !command.includes("X-Later")
    );
  }, "the curl command with the headers of the attempt");
}

async function deliver(page) {
  await emit({
    member_info: { member_id: "m-17" },
    transaction_info: { points: 12345678901234567 },
  });
  await page.getByRole("link", { name: "Webhook Logs", exact: true }).click();
  await page.getByRole("link", { name: "Delivered" }).click();
  await page
    .getByRole("link", { name: /^[0-9a-f]{24}$/ })
    .first()
    .click();
  await heading(page, /^Request [0-9a-f]{24}$/);
  await page.getByText("Attempt 1", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Copy payload" }).click();
  await page.getByText("Copied").first().waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const [request] = await arrived(PATH);
  equal(
    copied,
    Buffer.from(request.body, "base64").toString(),
    "the payload is what was sent, to the byte",
  );
  await page.getByText("m-17").first().waitFor();
  await headersShown(page, request);
  await picture(page, "request-delivered");
}

async function fail(page) {
  await script(PATH, [500]);
  await emit({ member_info: { member_id: "m-18" } });
  await page.getByRole("link", { name: "Webhooks", exact: true }).click();
  await page.getByText("Paused").waitFor(); // by itself: the page is live
  await page.getByText("too many requests failed in a row").waitFor();
  await picture(page, "webhooks-paused");
  await emit({ member_info: { member_id: "m-19" } });
}

async function retry(page) {
  await page.getByRole("link", { name: "Webhook Logs", exact: true }).click();
  await page.getByRole("link", { name: "Failed" }).click();
  await until(
    async () => (await page.getByRole("checkbox", { name: /^Select request/ }).count()) === 2,
    "two failed requests",
  );
  await page.getByLabel("Select all failed requests of this page").check();
  await page.getByText("2 requests selected.").waitFor();
  await picture(page, "failed-selected");
  await page.getByRole("button", { name: "Retry Selected Logs" }).click();
  const dialog = page.getByRole("dialog", { name: "Retry Selected Logs" });
  await dialog.getByText("Refused").first().waitFor();
  await picture(page, "retry-refused");
  await dialog.getByRole("button", { name: "Close", exact: true }).last().click();

  await page.locator(".note", { hasText: "Enable it first" }).waitFor();
  await script(PATH, [200]);
  await page.getByRole("button", { name: "Enable Webhook" }).click();
  const enable = page.getByRole("dialog", { name: "Enable crm?" });
  await enable.getByLabel("Also retry what failed because of this pause").uncheck();
  await picture(page, "enable");
  await enable.getByRole("button", { name: "Enable Webhook" }).click();
  await page.getByText("crm is enabled.").waitFor();
  await page.locator(".note", { hasText: "Enable it first" }).waitFor({ state: "detached" });

  await page.getByLabel("Select all failed requests of this page").check();
  await page.getByRole("button", { name: "Retry Selected Logs" }).click();
  await page.getByText("2 requests retried: due now.").waitFor();
  await page.getByText("Nothing has failed").waitFor(); // they leave the tab as they are delivered
  await picture(page, "failed-none");
  await page.getByRole("link", { name: "Delivered" }).click();
  await until(
    async () => (await page.getByRole("link", { name: /^[0-9a-f]{24}$/ }).count()) === 3,
    "three delivered requests",
  );
}

// What the page shows is what the command line says.
async function parity(page) {
  const shown = await page.getByRole("link", { name: /^[0-9a-f]{24}$/ }).allTextContents();
  const { requests } = await cli("request", "list", "--state", "delivered", "--json");
  equal(
    shown,
    requests.map((request) => request.request_id),
    "the log",
  );
}

export default async function play() {
  const anna = await signedIn();
  const { page } = anna;
  await script(PATH, [200]);
  await anna.open("/webhooks");
  await page.getByText("No webhook yet").waitFor();
  await picture(page, "webhooks-empty");
  await create(page);
  await deliver(page);
  await fail(page);
  await retry(page);
  await parity(page);
  quiet(anna);
}
