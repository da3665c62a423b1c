// The reader's own things: password, theme, zone of times.

import { html, useState } from "../../lib/html.js";
import { api } from "../../lib/api.js";
import { useAction } from "../../lib/load.js";
import { chooseTheme, chooseZone, theme, zone } from "../../lib/preferences.js";
import { forgetSession, session } from "../../lib/session.js";
import { useStore } from "../../lib/store.js";
import { RadioField, TextField, errorsOf } from "../../ui/field.js";
import { ProblemNote } from "../../ui/parts.js";
import { toast } from "../../ui/toast.js";

function Password() {
  const [form, setForm] = useState({ password: "", new_password: "", again: "" });
  const [differ, setDiffer] = useState(false);
  const set = (fields) => setForm({ ...form, ...fields });
  const [run, busy, problem] = useAction(async () => {
    const { password, new_password } = form;
    await api.post("/session/password", { password, new_password });
    toast("Your password is changed. Sign in with the new one.");
    forgetSession();
  });
  const submit = (event) => {
    event.preventDefault();
    setDiffer(form.new_password !== form.again);
    if (form.new_password === form.again) run();
  };
  const errors = errorsOf(problem, ["password", "new_password"]);
  const field = (
    name,
    label,
    complete,
    error,
  ) => html`<${TextField} name=${name} label=${label} type="password" autocomplete=${complete}
    value=${form[name]} error=${error} onChange=${(value) => set({ [name]: value })} />`;
  return html`<form class="card" onSubmit=${submit} novalidate><h2>Password
    of ${session.get().user}</h2>
    <input type="text" class="hidden" autocomplete="username" value=${session.get().user} readonly
      tabindex="-1" aria-hidden="true" />
    ${field("password", "Present password", "current-password", errors.password)}
    ${field("new_password", "New password", "new-password", errors.new_password)}
    ${field("again", "New password, again", "new-password", differ && "The two are not the same.")}
    ${errors[""] && html`<${ProblemNote} problem=${{ message: errors[""] }} />`}
    <button type="submit" class="button button-primary" disabled=${busy}>Change password</button>
  </form>`;
}

export function YouPart() {
  return html`<div class="stack">
    <section class="card"><h2>Display</h2><div class="grid-2">
      <${RadioField} legend="Theme" name="theme" value=${useStore(theme)} onChange=${chooseTheme}
        options=${[
        { value: "system", label: "As the system" },
        { value: "light", label: "Light" },
        { value: "dark", label: "Dark" },
      ]} />
      <${RadioField} legend="Times" name="zone" value=${useStore(zone)} onChange=${chooseZone}
        options=${[
        { value: "local", label: "In my time zone", hint: "UTC is shown on hover" },
        { value: "utc", label: "In UTC" },
      ]} />
    </div></section>
    <${Password} />
  </div>`;
}
