// Settings: mail addresses and a test mail, tokens, users, the audit log, theme and zone.

import {
  base,
  check,
  equal,
  heading,
  picture,
  quiet,
  signedIn,
  until,
  webhook,
} from "../browser.mjs";

async function mail(page) {
  await page.getByLabel("These addresses").check();
  await page.getByLabel("Addresses", { exact: true }).fill("not an address");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#field-notify-error").waitFor();
  await page.getByLabel("Addresses", { exact: true }).fill("anna@example.com\nops@example.com");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved: mails go to these addresses").waitFor();
  await page.getByRole("button", { name: "Send a test mail" }).click();
  await page
    .getByText(/The mail server took it over for anna@example.com, ops@example.com/)
    .waitFor();
  await picture(page, "mail-sent");
}

async function tokens(page, context) {
  await page.getByRole("link", { name: "API tokens" }).click();
  await page.getByRole("button", { name: "Create API token" }).first().click();
  await page.getByRole("button", { name: "Create token" }).click();
  await page.locator("#field-name-error").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("shop backend");
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByRole("heading", { name: "Token of shop backend" }).waitFor();
  const token = await page.locator(".once-text").textContent();
  await page.getByRole("button", { name: "I have stored it" }).click();
  const read = () =>
    context.request.get(`${base}/api/v1/webhooks`, {
      headers: { Authorization: `Bearer ${token}`, Cookie: "" },
    });
  equal((await read()).status(), 200, "the token reads");
  await page.getByRole("button", { name: "Revoke shop backend" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke shop backend" }).click();
  await page.getByText("shop backend is revoked.").waitFor();
  equal((await read()).status(), 401, "the token is refused");
}

async function users(page) {
  await page.getByRole("link", { name: "Users" }).click();
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByLabel("Name", { exact: true }).fill("carl");
  await page.getByLabel("Password").fill("carl has a long password");
  await page.getByRole("dialog").getByRole("button", { name: "Add user" }).click();
  await page.getByText("carl can sign in now.").waitFor();
  await page.getByRole("button", { name: "Action: carl" }).click();
  await page.getByRole("menuitem", { name: "Make admin" }).click();
  await page.getByText("carl is admin now.").waitFor();
  await page.getByRole("button", { name: "Action: carl" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove carl" }).click();
  await page.getByText("carl is removed.").waitFor();
}

async function display(page) {
  await page.getByRole("link", { name: "You" }).click();
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await paper();
  await page.getByLabel("Dark").check();
  check((await paper()) !== before, "dark is not light");
  await page.reload();
  check((await paper()) !== before, "dark lasts");
  await page.getByLabel("In UTC").check();
  await page.getByRole("link", { name: "Audit log" }).click();
  await page.getByText(/UTC$/).first().waitFor();
}

async function audit(page) {
  for (const what of ["account.edit", "token.create", "token.revoke", "user.add", "user.remove"]) {
    await page.getByText(what, { exact: true }).first().waitFor();
  }
  const text = await page.locator("main").textContent();
  check(!text.includes("long password"), "no password is in the audit log");
  for (const said of [
    "anna created API token shop backend",
    "anna removed user carl",
    "anna changed the mail addresses of account default",
    "The command line added user vera",
  ])
    await page.getByText(said, { exact: true }).waitFor();
  await picture(page, "audit-words");
}

// Who, what and when are asked in the address; the object is a link.
async function auditFilters(page, id) {
  await page.goto(`${base}/console/webhooks/${id}`);
  await page.getByRole("button", { name: "Action: to have an account" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await page.getByText("to have an account is disabled.").waitFor();
  await page.getByRole("link", { name: "Who changed it" }).click();
  await page.getByText("anna disabled webhook to have an account", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Show everything" }).click();
  await page.getByLabel("Who").selectOption({ label: "anna" });
  await page.getByText("The command line").first().waitFor({ state: "hidden" });
  await page.getByLabel("What").selectOption({ label: "Webhooks" });
  await page.getByLabel("Time").selectOption({ label: "Last hour" });
  const row = page.getByRole("row", { name: /^anna disabled webhook/ });
  await until(async () => (await page.locator("tbody tr").count()) === 1, "the one entry");
  await page.reload();
  await row.waitFor();
  equal(await page.getByLabel("Who").inputValue(), "user:anna", "the filter lasts");
  await row.getByRole("link", { name: "to have an account" }).click();
  await heading(page, "to have an account");
  await page.goto(`${base}/console/settings/audit?who=user:anna&what=handler.`);
  await page.getByText("Nothing matches").waitFor();
}

export default async function play() {
  const { id } = await webhook("to have an account");
  const anna = await signedIn();
  await anna.open("/settings");
  await mail(anna.page);
  await tokens(anna.page, anna.context);
  await users(anna.page);
  await display(anna.page);
  await audit(anna.page);
  await auditFilters(anna.page, id);
  quiet(anna);
}
