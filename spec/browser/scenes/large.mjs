// A hundred thousand failed requests: pages of the log stay quick, and all that match are retried.

import { base, check, heading, quiet, signedIn, until } from "../browser.mjs";

const SERVER_MS_MAX = 200; // the one test that asks for speed: make test-browser-large, by hand

// The browser's own figures: how long the server took for each answer of the API.
const slowest = (page) =>
  page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.name.includes("/api/v1/requests"))
      .reduce((most, entry) => Math.max(most, entry.responseStart - entry.requestStart), 0),
  );

export default async function play() {
  const { account } = JSON.parse(process.env.LOYALHOOK_SPEC_CONSOLE);
  const anna = await signedIn();
  const { page } = anna;
  await page.addInitScript((name) => localStorage.setItem("loyalhook.account", name), account);
  await anna.open("/logs?state=failed");
  await heading(page, "Webhook Logs");
  await page
    .getByRole("checkbox", { name: /^Select request/ })
    .first()
    .waitFor();
  for (let step = 0; step < 5; step += 1) {
    const first = await page
      .getByRole("link", { name: /^[0-9a-f]{24}$/ })
      .first()
      .textContent();
    await page.getByRole("button", { name: "Older" }).click();
    await until(
      async () =>
        (await page
          .getByRole("link", { name: /^[0-9a-f]{24}$/ })
          .first()
          .textContent()) !== first,
      "the next page",
    );
  }
  await page.getByRole("button", { name: "Newest" }).click();
  await page.getByRole("button", { name: "Newest", disabled: true }).waitFor();
  const ms = await slowest(page);
  check(ms > 0 && ms <= SERVER_MS_MAX, `the slowest answer took ${ms} ms`);

  await page.getByLabel("Select all failed requests of this page").check();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page.getByRole("button", { name: "Retry Selected Logs" }).click();
  const dialog = page.getByRole("dialog", { name: "Retry all that match?" });
  await dialog.getByText("100,000 failed requests").waitFor();
  await dialog.getByRole("button", { name: "Retry all" }).click();
  const progress = page.getByRole("dialog", { name: "Retry all that match" });
  await progress.getByText("100,000 requests retried.").waitFor({ timeout: 120000 });
  await progress.getByRole("button", { name: "Close", exact: true }).last().click();
  check(page.url().startsWith(base), "still here");
  quiet(anna);
}
