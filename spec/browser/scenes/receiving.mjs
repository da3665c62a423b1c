// Inbox and handlers: what came in, a task that failed, and its retry.

import { cli, equal, heading, quiet, signedIn, until } from "../browser.mjs";

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

  const { writeFileSync } = await import("node:fs");
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
  await page.getByRole("button", { name: "Action: shop.points" }).click();
  await page.getByRole("menuitem", { name: "Retry all failed" }).click();
  await page.getByText("No task of shop.points is failed.").waitFor();
  equal(await page.getByRole("cell", { name: "2", exact: true }).count(), 1, "two are done");
  quiet(anna);
}
