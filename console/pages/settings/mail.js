// Who gets the account's mails about failures, and a test mail.

import { html, useEffect, useState } from "../../lib/html.js";
import { api, path } from "../../lib/api.js";
import { useAccount } from "../../lib/data.js";
import { milliseconds } from "../../lib/format.js";
import { useAction, useLoad } from "../../lib/load.js";
import { isAdmin } from "../../lib/session.js";
import { sentence } from "../../lib/words.js";
import { AreaField, RadioField, errorsOf } from "../../ui/field.js";
import { Note, ProblemNote, Skeleton } from "../../ui/parts.js";
import { toast } from "../../ui/toast.js";

const split = (text) => text.split(/[\s,;]+/).filter(Boolean);

// An account without webhooks may not be there yet: then nothing is set.
async function loadNotify(account, options) {
  try {
    return await api.get(path("accounts", account), null, options);
  } catch (problem) {
    if (problem.status === 404) return { name: account, notify: null };
    throw problem;
  }
}

function Answer({ mail }) {
  const good = mail.verdict === "accepted";
  const took = milliseconds(mail.duration_ms);
  return html`<${Note} tone=${good ? "good" : "bad"} icon=${good ? "check" : "warning"}
    role="status">${
    good
      ? `The mail server took it over for ${mail.to.join(", ")} in ${took}.`
      : `Not sent: ${sentence(mail.error ?? `the mail server answered ${mail.status}`)}`
  }</${Note}>`;
}

function TestMail({ notify, settings }) {
  const [run, busy, problem] = useAction(() =>
    api.post("/notices/test-mail", notify?.length ? { to: notify } : {}, { timeoutMs: 90000 }),
  );
  const [mail, setMail] = useState(null);
  const send = async () => {
    setMail(null);
    setMail((await run()) ?? null);
  };
  return html`<section class="card" aria-labelledby="part-test"><h2 id="part-test">Test mail</h2>
    <p>${
      settings.notices.mail
        ? html`Mails go out from <strong>${settings.notices.from}</strong>.`
        : html`No mail server is configured, so no mail is sent at all. Name one
          under <code>notices</code> in <code>loyalhook.lua</code>.`
    }</p>
    ${
      isAdmin() &&
      html`<button type="button" class="button" disabled=${busy || !settings.notices.mail}
        onClick=${send}>${
        busy ? "Sending…" : "Send a test mail"
      }</button>`
    }
    <${ProblemNote} problem=${problem} />
    ${mail && html`<${Answer} mail=${mail} />`}
  </section>`;
}

export function MailPart() {
  const account = useAccount();
  const loaded = useLoad(account, async (options) => {
    const [own, settings] = await Promise.all([
      loadNotify(account, options),
      api.get("/settings", null, options),
    ]);
    return { own, settings };
  });
  const { own, settings } = loaded.data ?? {};
  const [form, setForm] = useState(null);
  useEffect(() => {
    if (own) setForm({ own: own.notify !== null, text: (own.notify ?? []).join("\n") });
  }, [own]);
  const [save, busy, problem] = useAction(async () => {
    await api.patch(path("accounts", account), { notify: form.own ? split(form.text) : null });
    await loaded.reload(); // a test mail goes to the new ones from here on
    toast("Saved: mails go to these addresses from now on.");
  });
  if (loaded.problem)
    return html`<${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />`;
  if (!form) return html`<${Skeleton} lines=${6} />`;
  const errors = errorsOf(problem, ["notify"]);
  if (form.own) errors.notify ??= errors[""]; // of an address, whatever the server names
  const configured = settings.notices.to;
  const submit = (event) => {
    event.preventDefault();
    save();
  };
  const fields = html`<form onSubmit=${submit} novalidate>
    <${RadioField} legend="Mails about webhooks of this account go to" name="notify"
      value=${form.own ? "own" : "configured"}
      onChange=${(value) => setForm({ ...form, own: value === "own" })} options=${[
        {
          value: "configured",
          label: "Those that the configuration names",
          hint: configured.length ? configured.join(", ") : "it names nobody",
        },
        { value: "own", label: "These addresses" },
      ]} />
    ${
      form.own &&
      html`<${AreaField} name="notify" label="Addresses" hint="One a line, 20 at most"
        value=${form.text}
      error=${errors.notify} onChange=${(text) => setForm({ ...form, text })} />`
    }
    ${!form.own && errors[""] && html`<${ProblemNote} problem=${{ message: errors[""] }} />`}
    <button type="submit" class="button button-primary" disabled=${busy}>Save</button>
  </form>`;
  return html`<div class="stack">
    <section class="card" aria-labelledby="part-mail"><h2 id="part-mail">Administrators' mail
      addresses</h2>
      <p>For every failed request and every pause a mail goes out: at once for the first, then
        gathered, one in five
        minutes about one webhook at most.</p>
      ${
        isAdmin()
          ? fields
          : html`<p>Mails about webhooks of this account go to <strong>${
              (own.notify ?? configured).join(", ") || "nobody"
            }</strong>.</p>`
      }
    </section>
    <${TestMail} notify=${own.notify} settings=${settings} />
  </div>`;
}
