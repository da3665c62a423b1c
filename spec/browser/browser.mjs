// What the scenes share: a browser, somebody who is signed in, the command line, and what must hold
// on every page (no error in the console, nothing for axe, no sideways scrolling).

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { promisify } from "node:util";

const given = JSON.parse(process.env.LOYALHOOK_SPEC_CONSOLE);
const require = createRequire(given.modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const run = promisify(execFile);

export const { base, endpoint, pictures, passwords } = given;
export const PATIENCE_MS = 20000;

export function check(condition, said) {
  if (!condition) throw new Error(said);
}

export function equal(found, expected, said = "") {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  check(one === other, `${said}: expected ${other}, found ${one}`);
}

// The command line in the workshop of the test; with --json its document.
export async function cli(...args) {
  const { stdout } = await run(given.command[0], [...given.command.slice(1), ...args], {
    cwd: given.folder,
    env: { ...process.env, ...given.environment },
    maxBuffer: 1 << 26,
  });
  return args.includes("--json") ? JSON.parse(stdout) : stdout;
}

export const emit = (data, type = "event_points_earned") =>
  cli("emit", type, "--data", JSON.stringify(data), "--json");

// How the endpoint answers at a path from now on.
export async function script(path, answers) {
  const answer = await fetch(`${endpoint}/control`, {
    method: "POST",
    body: JSON.stringify({ path, answers }),
  });
  check(answer.ok, "the endpoint takes no script");
}

export async function arrived(path) {
  const { requests } = await (
    await fetch(`${endpoint}/control/requests`)
  )
    .json()
    .then((found) => (Array.isArray(found) ? { requests: found } : found));
  return requests.filter((request) => request.path === path);
}

export async function until(condition, what, limitMs = PATIENCE_MS) {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    check(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox"] });
export const close = () => browser.close();

// A browser of somebody's own. `problems` gathers what no page may say.
export async function visitor({ width = 1440, height = 900, scheme = "light" } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => {
    // A refusal of the API is not the page's mistake; the browser tells of each.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
      problems.push(message.text());
  });
  return { context, page, problems, open: (path) => page.goto(`${base}/console${path}`) };
}

export async function signedIn(user = "anna", options) {
  const one = await visitor(options);
  const answer = await one.context.request.post(`${base}/api/v1/session`, {
    data: { user, password: passwords[user] },
    headers: { Origin: base },
  });
  check(
    answer.status() === 201,
    `${user} cannot sign in: ${answer.status()} ${await answer.text()}`,
  );
  return one;
}

export async function heading(page, text) {
  await page.getByRole("heading", { level: 1, name: text }).waitFor();
}

// By the navigation at the side.
export async function visit(page, name) {
  const main = page.getByRole("navigation", { name: "Main" });
  await main.getByRole("link", { name, exact: true }).click();
  await heading(page, name);
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function accessible(page, what) {
  const found = await page.evaluate(`(() => { ${axe};
    return axe.run(document, { runOnly: ${JSON.stringify(RULES)} }); })()`);
  const said = found.violations.map(
    (violation) =>
      `${violation.id}: ${violation.nodes
        .slice(0, 3)
        .map((node) => `${node.target} (${node.failureSummary})`)
        .join(" | ")}`,
  );
  check(said.length === 0, `axe on ${what}:\n${said.join("\n")}`);
}

export async function fits(page, what) {
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  check(over <= 0, `${what} scrolls sideways by ${over} px`);
}

// Loaded: nothing is a skeleton any more.
export async function settled(page) {
  await page.waitForFunction(
    () =>
      !document.querySelector(
        ".skeleton, .skeleton-row, .tiles-empty, .chart-wait, .booting, [aria-busy='true']",
      ),
  );
  if (await page.locator(".chart-place").count())
    await page.locator(".chart-place canvas").last().waitFor();
}

// The window is as high as the page meanwhile: else what sticks to its edges stands in the middle.
// No table has columns that one must scroll to.
export async function whole(page, what) {
  const over = await page.evaluate(() =>
    [...document.querySelectorAll(".table-frame")].map(
      (frame) => frame.scrollWidth - frame.clientWidth,
    ),
  );
  check(Math.max(0, ...over) === 0, `tables of ${what} are wider than the page by ${over} px`);
}

export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  const size = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (height > size.height) await page.setViewportSize({ ...size, height });
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  if (height > size.height) await page.setViewportSize(size);
}

export function quiet(...visitors) {
  for (const { problems } of visitors) equal(problems, [], "the browser's console");
}

// A webhook through the API, for scenes that are about something else.
export async function webhook(name, fields = {}, types = ["*"], more = []) {
  const path = `/${encodeURIComponent(name)}`;
  await script(path, [200]);
  const options = Object.entries(fields).flatMap(([key, value]) => [
    `--${key.replaceAll("_", "-")}`,
    String(value),
  ]);
  return cli(
    "webhook",
    "create",
    "--name",
    name,
    "--url",
    endpoint + path,
    ...types.flatMap((type) => ["--event-type", type]),
    ...options,
    ...more,
    "--json",
  );
}
