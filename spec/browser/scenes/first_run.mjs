// Nobody can sign in yet: the first-run token makes the first admin. Then wrong and right
// passwords.

import { accessible, check, heading, picture, quiet, visitor } from "../browser.mjs";

const { token } = JSON.parse(process.env.LOYALHOOK_SPEC_CONSOLE);
const PASSWORD = "a long and winding password";

export default async function play() {
  const one = await visitor();
  const { page } = one;
  await one.open("/webhooks");
  await heading(page, "Welcome to loyalhook");
  await accessible(page, "the first run");
  await picture(page, "first-run");

  await page.getByRole("button", { name: "Create administrator" }).click();
  check(
    await page
      .getByLabel("First-run token")
      .evaluate(
        (input) => input === document.activeElement || document.activeElement.name === "user",
      ),
    "the first wrong field has the focus",
  );
  await page.getByLabel("First-run token").fill("0".repeat(64));
  await page.getByLabel("User").fill("erika");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("Password, again").fill(PASSWORD + "x");
  await page.getByRole("button", { name: "Create administrator" }).click();
  await page.getByText("The two are not the same.").waitFor();
  await page.getByLabel("Password, again").fill(PASSWORD);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("First-run token").fill(token);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await heading(page, "Webhooks"); // the page that was asked for

  await page.getByRole("button", { name: /erika/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await heading(page, "Sign in to loyalhook");
  await accessible(page, "sign-in");
  await picture(page, "sign-in");
  await page.getByLabel("User").fill("erika");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("User or password is wrong.").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await heading(page, "Webhooks");
  quiet(one);
}
