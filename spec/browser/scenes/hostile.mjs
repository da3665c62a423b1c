// What others wrote is text, wherever it is shown; and nothing leaves the page's own server.

import {
  check,
  cli,
  emit,
  heading,
  picture,
  quiet,
  script,
  signedIn,
  until,
  webhook,
} from "../browser.mjs";

const EVIL = `<img src=x onerror="window.broken=1">`;
const NAME = `"><script>window.broken=1</script>{{7*7}}`;

export default async function play() {
  const { id } = await webhook("evil", { retries_max: 0, pause_after: 1 });
  await cli("webhook", "edit", id, "--name", NAME);
  await script("/evil", [
    {
      status: 500,
      body: `${EVIL}\u0000\u202e<svg onload=window.broken=1>`,
      headers: [["Content-Type", "text/html"]],
    },
  ]);
  await emit({
    member_info: { member_id: EVIL },
    text: `</pre>${EVIL}`,
    "javascript:alert(1)": EVIL,
  });
  await until(
    async () => (await cli("webhook", "show", id, "--json")).status === "paused",
    "the pause",
  );
  const {
    requests: [request],
  } = await cli("request", "list", "--webhook", id, "--json");

  const anna = await signedIn();
  const { page } = anna;
  const foreign = [];
  page.on("request", (one) => {
    if (
      new URL(one.url()).origin !==
      new URL(page.url() === "about:blank" ? one.url() : page.url()).origin
    )
      foreign.push(one.url());
  });
  const shown = [
    ["/webhooks", "Webhooks"],
    ["/", "Dashboard"],
    [`/webhooks/${id}`, NAME],
    ["/logs?state=failed", "Webhook Logs"],
    [`/logs/${request.request_id}`, /^Request/],
    [`/events/${request.event_ids[0]}`, /^Event/],
  ];
  for (const [path, title] of shown) {
    await anna.open(path);
    await heading(page, title);
    await page.waitForLoadState("networkidle");
    check(await page.evaluate(() => window.broken === undefined), `${path} ran foreign text`);
    check(
      (await page.locator("main img[src=x], main script").count()) === 0,
      `${path} made elements of it`,
    );
  }
  await anna.open(`/logs/${request.request_id}`);
  await page.getByText(EVIL, { exact: false }).first().waitFor();
  await picture(page, "hostile");

  await anna.open("/webhooks");
  await page.getByRole("button", { name: `Action: ${NAME}` }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: `Delete ${NAME}?` }).waitFor();
  await dialog.getByRole("button", { name: `Delete ${NAME}` }).click();
  await page.getByText(`${NAME} is deleted.`).waitFor();
  check(await page.evaluate(() => window.broken === undefined), "the dialog ran foreign text");
  check(foreign.length === 0, `asked others: ${foreign}`);
  quiet(anna);
}
