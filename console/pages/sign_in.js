// Sign-in: as a page, as the first run (which makes the first admin), and as a dialog over a page
// whose session has ended.

import { html, useEffect, useState } from "../lib/html.js";
import { useAction } from "../lib/load.js";
import { forgetSession, session, signIn } from "../lib/session.js";
import { Dialog } from "../ui/dialog.js";
import { TextField } from "../ui/field.js";
import { ProblemNote } from "../ui/parts.js";

const FIELDS = [
  { name: "user", label: "User", autocomplete: "username", autocapitalize: "none" },
  { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
];

function words(problem) {
  if (problem?.status === 401) return "User or password is wrong.";
  if (problem?.status === 429) {
    return `Too many wrong tries. Wait ${problem.retryAfter
      ? `${Math.ceil(problem.retryAfter / 60)} min` : "a while"}, then try again.`;
  }
  return problem?.message;
}

export function SignInPage({ firstRun, problem: loadProblem }) {
  const [form, setForm] = useState({ user: "", password: "", again: "", first_run_token: "" });
  const [wrong, setWrong] = useState({});
  const set = (name) => (value) => setForm({ ...form, [name]: value });
  const [run, busy, problem] = useAction(() => {
    const { user, password, first_run_token } = form;
    return signIn(
      firstRun
        ? { user: user.trim(), password, first_run_token: first_run_token.trim() }
        : { user: user.trim(), password },
    );
  });
  useEffect(() => {
    document.title = firstRun ? "Welcome · loyalhook" : "Sign in · loyalhook";
  }, [firstRun]);
  const submit = (event) => {
    event.preventDefault();
    const found = {};
    if (!form.user.trim()) found.user = "Who are you?";
    if (!form.password) found.password = "A password is needed.";
    if (firstRun && !form.first_run_token.trim())
      found.first_run_token = "It stands where loyalhook serve was started.";
    if (firstRun && form.password !== form.again) found.again = "The two are not the same.";
    setWrong(found);
    const [first] = Object.keys(found);
    if (first) document.getElementById(`field-${first}`)?.focus();
    else run();
  };
  const said =
    firstRun && problem?.status === 401
      ? "This first-run token is wrong or was used."
      : words(problem);
  return html`<main class="sign-in" id="main"><form class="card" onSubmit=${submit} novalidate>
    <img src="/console/icon.svg" alt="" width="40" height="40" />
    <h1 tabindex="-1">${firstRun ? "Welcome to loyalhook" : "Sign in to loyalhook"}</h1>
    ${
      firstRun &&
      html`<p>Nobody can sign in yet. Make the first administrator, with the first-run token
      that <code>loyalhook serve</code> has printed.</p>
      <${TextField} name="first_run_token" label="First-run token" value=${form.first_run_token}
        error=${wrong.first_run_token}
        onChange=${set("first_run_token")} />`
    }
    ${FIELDS.map(
      (
        field,
      ) => html`<${TextField} key=${field.name} ...${field} value=${form[field.name]}
        error=${wrong[field.name]}
      autocomplete=${firstRun && field.type ? "new-password" : field.autocomplete}
        onChange=${set(field.name)} />`,
    )}
    ${
      firstRun &&
      html`<${TextField} name="again" label="Password, again" type="password"
        autocomplete="new-password"
      value=${form.again} error=${wrong.again} onChange=${set("again")} />`
    }
    <${ProblemNote} problem=${said ? { message: said } : loadProblem} />
    <button type="submit" class="button button-primary button-wide" disabled=${busy}>${
      busy ? "One moment…" : firstRun ? "Create administrator" : "Sign in"
    }</button>
  </form></main>`;
}

// The page below stays: what was typed there is not lost.
export function ExpiredDialog() {
  const { user } = session.get();
  const [password, setPassword] = useState("");
  const [run, busy, problem] = useAction(() => signIn({ user, password }));
  return html`<${Dialog} title="Your session has ended" closable=${false} onSubmit=${run}
    foot=${html`<button type="button" class="button" onClick=${forgetSession}>Sign in as somebody
      else</button>
      <button type="submit" class="button button-primary" disabled=${busy}>Sign in</button>`}>
    <p>Sign in again as <strong>${user}</strong>; the page stays as it is. What you did last was not
      carried out: do it again.</p>
    <input type="text" class="hidden" autocomplete="username" value=${user} readonly tabindex="-1"
      aria-hidden="true" />
    <${TextField} name="expired-password" label="Password" type="password"
      autocomplete="current-password" value=${password}
      onChange=${setPassword} autofocus />
    <${ProblemNote} problem=${problem && { message: words(problem) }} />
  </${Dialog}>`;
}
