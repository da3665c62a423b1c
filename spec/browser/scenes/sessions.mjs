// A session that ends while a form is filled in; a viewer; signing out.

import {
  check,
  equal,
  heading,
  passwords,
  picture,
  quiet,
  signedIn,
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
  const { id } = await webhook("looked at");
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
  quiet(vera);
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
