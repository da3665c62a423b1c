// Inbox and handlers: what came in, a task that failed, and its retry.

import { writeFileSync } from "node:fs";
import { cli, equal, heading, quiet, signedIn, until } from "../browser.mjs";

async function choose(page, name, item) {
  await page.getByRole("button", { name: `Action: ${name}` }).click();
  await page.getByRole("menuitem", { name: item }).click();
  return page.getByRole("dialog", { name: `${item} ${name}?` });
}

// What a worker has loaded is not forgotten; the page says what to do.
async function forget(page) {
  let dialog = await choose(page, "shop.points", "Forget");
  await dialog.getByRole("button", { name: "Forget shop.points" }).click();
  await page.getByText("take it out of the worker's configuration").waitFor();

  await page.getByText("Member Enrollment Event", { exact: true }).waitFor();
  dialog = await choose(page, "shop.old", "Forget");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  equal((await cli("inbox", "handlers", "--json")).handlers.length, 2, "not forgotten");
  const forgotten = async () => {
    dialog = await choose(page, "shop.old", "Forget");
    await dialog.getByRole("button", { name: "Forget shop.old" }).click();
    await dialog.waitFor({ state: "detached" });
    return page.getByText("shop.old is forgotten").count();
  };
  await until(forgotten, "the worker of the past to be gone", 40000);
  await page.getByRole("button", { name: "Action: shop.old" }).waitFor({ state: "detached" });
  const { entries } = await cli("audit", "--what", "handler.forget", "--json");
  equal([entries[0].who, entries[0].object], ["user:anna", "shop.old"], "who forgot it");
}

export default async function play() {
  const { folder, events } = JSON.parse(process.env.LOYALHOOK_SPEC_CONSOLE);
  const anna = await signedIn();
  const { page } = anna;
  await anna.open("/inbox");
  await page.getByRole("link", { name: "Failed" }).click();
  await page.getByRole("link", { name: events[1] }).waitFor();
  await page.getByText("shop.points: failed").waitFor();
  await page.getByRole("link", { name: events[1] }).click();
  await heading(page, `Received event ${events[1]}`);
  await page.getByText("no such member").waitFor();
  await page.getByText('"fail": true').waitFor();

  writeFileSync(`${folder}/repaired`, "");
  await page.getByRole("button", { name: "Retry shop.points" }).click();
  await page.getByText("1 task retried: due now.").waitFor();
  await page.getByRole("cell", { name: "Done" }).waitFor();
  await until(
    async () =>
      (await cli("inbox", "list", "--json")).events.every((event) => event.state === "done"),
    "all of the inbox done",
  );

  await anna.open("/handlers");
  await page.getByText("All events").waitFor();
  await page.getByRole("button", { name: "Action: shop.points" }).click();
  await page.getByRole("menuitem", { name: "Retry all failed" }).click();
  await page.getByText("No task of shop.points is failed.").waitFor();
  const row = page.getByRole("row", { name: /shop\.points/ });
  equal(await row.getByRole("cell", { name: "2", exact: true }).count(), 1, "two are done");
  await forget(page);
  quiet(anna);
}
