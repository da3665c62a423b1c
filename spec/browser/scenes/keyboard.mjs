// Without a mouse: create a webhook, use its menu, and find the focus where it belongs.

import {
  check,
  cli,
  emit,
  endpoint,
  equal,
  heading,
  quiet,
  script,
  signedIn,
  until,
} from "../browser.mjs";

// Presses Tab (or Shift+Tab) until the element with that accessible name has the focus.
async function tabTo(page, role, name, key = "Tab") {
  const wanted = page.getByRole(role, { name });
  for (let count = 0; count < 120; count += 1) {
    await page.keyboard.press(key);
    if (
      await wanted
        .first()
        .evaluate((element) => element === document.activeElement)
        .catch(() => false)
    )
      return;
  }
  throw new Error(`Tab does not come to the ${role} ${name}`);
}

const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

// Failed → enable → retry: each step by Tab, Space and Enter.
async function retry(anna) {
  const { page } = anna;
  await cli("webhook", "edit", "by hand", "--retries-max", "0", "--pause-after", "1");
  await script("/by-hand", [500]);
  await emit({ member_info: { member_id: "m-1" } });
  const failed = async () =>
    (await cli("request", "list", "--state", "failed", "--json")).requests.length === 1;
  await until(failed, "a failed request");
  await script("/by-hand", [200]);
  await anna.open("/logs");
  await heading(page, "Webhook Logs");
  await tabTo(page, "link", "Failed");
  await page.keyboard.press("Enter");
  await page.getByRole("checkbox", { name: /^Select request/ }).waitFor();
  await tabTo(page, "button", "Enable Webhook");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Enable by hand?" }).waitFor();
  await tabTo(page, "checkbox", "Also retry what failed because of this pause");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByText("by hand is enabled.").waitFor();
  await tabTo(page, "checkbox", /^Select request/);
  await page.keyboard.press("Space");
  await tabTo(page, "button", "Retry Selected Logs", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Nothing has failed").waitFor();
}

// What had the focus goes away: it comes to the heading, not to the top of the document.
async function remove(anna) {
  const { page } = anna;
  await anna.open("/webhooks");
  await heading(page, "Webhooks");
  await tabTo(page, "button", "Action: by hand");
  await page.keyboard.press("Enter");
  await until(async () => (await focused(page)) === "Edit", "the menu's focus");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Delete by hand?" }).waitFor();
  await tabTo(page, "button", "Delete by hand");
  await page.keyboard.press("Enter");
  await page.getByText("No webhook yet").waitFor();
  await until(async () => (await focused(page)) === "Webhooks", "the focus, after the deletion");
}

export default async function play() {
  const anna = await signedIn();
  const { page } = anna;
  await anna.open("/catalogue");
  await heading(page, "Event Catalogue");
  await page.keyboard.press("Tab");
  equal(await focused(page), "Skip to the page", "the first stop");
  await page.keyboard.press("Enter");
  equal(await focused(page), "Event Catalogue", "the skip link goes to the heading");

  await anna.open("/webhooks");
  await heading(page, "Webhooks");
  await tabTo(page, "link", "Create Webhook");
  await page.keyboard.press("Enter");
  await heading(page, "Create Webhook");
  equal(await focused(page), "Create Webhook", "a new page has the focus on its heading");
  await tabTo(page, "textbox", "Webhook Name");
  await page.keyboard.type("by hand");
  await tabTo(page, "textbox", "Webhook URL");
  await page.keyboard.type(`${endpoint}/by-hand`);
  await tabTo(page, "checkbox", "All events");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter"); // in a form, Enter saves
  await page.getByRole("dialog", { name: "Secret key of by hand" }).waitFor();
  await tabTo(page, "button", "I have stored it");
  await page.keyboard.press("Enter");
  await heading(page, "by hand");

  await tabTo(page, "button", "Action: by hand");
  await page.keyboard.press("Enter");
  await page.getByRole("menu", { name: "Action: by hand" }).waitFor();
  await until(async () => (await focused(page)) === "Edit", "the menu's focus");
  await page.keyboard.press("End");
  equal(await focused(page), "Delete", "End");
  await page.keyboard.press("Escape");
  check((await focused(page)).startsWith("Action"), "Escape gives the focus back");
  await page.keyboard.press("Enter");
  await until(async () => (await focused(page)) === "Edit", "the menu's focus");
  await page.keyboard.press("d");
  equal(await focused(page), "Disable", "a letter");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Delete by hand?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const back = async () => (await focused(page)).startsWith("Action");
  await until(back, "the dialog to give the focus back");
  equal((await cli("webhook", "show", "by hand", "--json")).status, "enabled", "not deleted");
  await retry(anna);
  await remove(anna);
  quiet(anna);
}
