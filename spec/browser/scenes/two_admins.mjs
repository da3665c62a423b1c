// Two administrators edit one webhook at once: the second is told, nothing of either is lost.

import { cli, equal, heading, picture, quiet, signedIn, webhook } from "../browser.mjs";

async function edit(one, id) {
  await one.open(`/webhooks/${id}/edit`);
  await heading(one.page, /^Edit /);
}

async function save(page) {
  await page.getByRole("button", { name: "Save Webhook" }).click();
}

export default async function play() {
  const { id } = await webhook("shared");
  const anna = await signedIn("anna");
  const otto = await signedIn("otto");
  await edit(anna, id);
  await edit(otto, id);

  await anna.page.getByLabel("Batch size for bulk events").fill("7");
  await anna.page.getByLabel("Webhook Name").fill("annas");
  await save(anna.page);
  await heading(anna.page, "annas");

  await otto.page.getByLabel("Webhook Name").fill("ottos");
  await otto.page.getByText("Advanced", { exact: true }).click();
  await otto.page.getByLabel("Timeout of an attempt").fill("9000");
  await save(otto.page);
  await otto.page.getByText("Somebody else saved this webhook while you edited it").waitFor();
  await picture(otto.page, "two-admins");
  equal(
    await otto.page.getByLabel("Batch size for bulk events").inputValue(),
    "7",
    "theirs was taken over",
  );
  equal(await otto.page.getByLabel("Timeout of an attempt").inputValue(), "9000", "mine stands");
  equal(
    await otto.page.getByLabel("Webhook Name").inputValue(),
    "ottos",
    "mine until it is decided",
  );
  equal((await cli("webhook", "show", id, "--json")).name, "annas", "nothing is saved yet");
  await otto.page.getByRole("radio", { name: /^Theirs/ }).check();
  await save(otto.page);
  await heading(otto.page, "annas");
  const row = await cli("webhook", "show", id, "--json");
  equal([row.name, row.batch_size, row.timeout_ms], ["annas", 7, 9000], "both changes are there");

  // An action on a state that is old: nothing is done, and the page shows the present one.
  await anna.open("/webhooks");
  await anna.page.getByRole("button", { name: "Action: annas" }).waitFor();
  await cli("webhook", "edit", id, "--batch-size", "8");
  await anna.page.getByRole("button", { name: "Action: annas" }).click();
  await anna.page.getByRole("menuitem", { name: "Disable" }).click();
  await anna.page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await anna.page.getByText("Nothing was changed").waitFor();
  equal((await cli("webhook", "show", id, "--json")).status, "enabled", "not disabled");
  quiet(anna, otto);
}
