// A session that ends while a form is filled in; a viewer; signing out.

import {
  check,
  cli,
  emit,
  equal,
  heading,
  passwords,
  picture,
  quiet,
  script,
  settled,
  signedIn,
  until,
  webhook,
} from "../browser.mjs";

async function expired() {
  const anna = await signedIn();
  const { page } = anna;
  await anna.open("/webhooks/new");
  await page.getByLabel("Webhook Name").fill("typed long ago");
  await page.getByLabel("Webhook URL").fill("https://example.com/typed");
  await page.getByLabel("All events").check();
  await anna.context.clearCookies();
  await page.getByRole("button", { name: "Save Webhook" }).click();
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await picture(page, "session-ended");
  await dialog.getByLabel("Password").fill("wrong");
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
  await dialog.getByText("User or password is wrong.").waitFor();
  await dialog.getByLabel("Password").fill(passwords.anna);
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  equal(await page.getByLabel("Webhook Name").inputValue(), "typed long ago", "what was typed");
  await page.getByRole("button", { name: "Save Webhook" }).click();
  await page.getByRole("button", { name: "I have stored it" }).click();
  await heading(page, "typed long ago");
  quiet(anna);
}

async function viewer() {
  const { id } = await webhook("looked at", { retries_max: 0, pause_after: 1 });
  await script("/looked%20at", [500]);
  await emit({ member_info: { member_id: "m-1" } });
  const paused = async () => (await cli("webhook", "show", id, "--json")).status === "paused";
  await until(paused, "the pause");
  const vera = await signedIn("vera");
  const { page } = vera;
  await vera.open("/webhooks");
  await page.getByRole("link", { name: "looked at" }).waitFor();
  equal(await page.getByRole("link", { name: "Create Webhook" }).count(), 0, "Create Webhook");
  await page.getByRole("button", { name: "Action: looked at" }).click();
  equal(await page.getByRole("menuitem").allTextContents(), ["Show logs"], "the menu of a viewer");
  await vera.open("/settings/users");
  await page.getByText("Only administrators see this.").waitFor();
  await vera.open(`/webhooks/${id}/edit`);
  await page.getByText("Your role is viewer").waitFor();
  const refused = await page.evaluate(
    async (address) =>
      (
        await fetch(address, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: "{}",
        })
      ).status,
    `/api/v1/webhooks/${id}/disable`,
  );
  check(refused === 403, `a viewer's change is answered ${refused}`);
  await onlyLooks(vera, id);
  quiet(vera);
}

// What a viewer may press, on any page; and no page asks for what is refused to a viewer.
const HARMLESS =
  /^(Refresh|Search|Action|Newest|Older|Copy.*|Not allowed|Change password|Open navigation)$/;

async function onlyLooks(vera, id) {
  const { page } = vera;
  const { requests } = await cli("request", "list", "--state", "failed", "--json");
  check(requests.length === 1, "a failed request to look at");
  const refused = [];
  page.on("response", (answer) => answer.status() === 403 && refused.push(answer.url()));
  for (const path of [
    "/",
    "/webhooks",
    `/webhooks/${id}`,
    "/logs?state=failed",
    `/logs/${requests[0].request_id}`,
    `/events/${requests[0].event_ids[0]}`,
    "/catalogue",
    "/inbox",
    "/handlers",
    "/settings",
    "/settings/limits",
    "/settings/tokens",
    "/settings/users",
    "/settings/audit",
    "/settings/you",
  ]) {
    await vera.open(path);
    await page.locator("main h1").waitFor();
    await settled(page);
    const pressed = page.locator("main button:visible, main a.button:visible");
    for (const name of await pressed.allInnerTexts()) {
      const label = name.trim() || "Search"; // the one without a text
      check(HARMLESS.test(label), `a viewer is offered “${label}” on ${path}`);
    }
    equal(await page.getByRole("checkbox").count(), 0, `check boxes on ${path}`);
  }
  equal(refused, [], "what the pages asked in vain");
}

async function unsaved() {
  const anna = await signedIn();
  const { page } = anna;
  await anna.open("/webhooks/new");
  await page.getByLabel("Webhook Name").fill("not saved");
  await page.getByRole("link", { name: "Event Catalogue" }).click();
  await page
    .getByRole("dialog", { name: "Leave without saving?" })
    .getByRole("button", { name: "Stay" })
    .click();
  equal(await page.getByLabel("Webhook Name").inputValue(), "not saved", "it stayed");
  await page.getByRole("link", { name: "Event Catalogue" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await heading(page, "Event Catalogue");
  quiet(anna);
}

export default async function play() {
  await expired();
  await viewer();
  await unsaved();
}
