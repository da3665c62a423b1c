// Two people edited one webhook: what the other saved was taken over where this form had no change;
// where both changed a field, the reader chooses.

import { html } from "../lib/html.js";
import { LABELS, same } from "../lib/webhook_form.js";
import { RadioField } from "../ui/field.js";

function words(value) {
  if (value === true || value === false) return value ? "yes" : "no";
  const text = Array.isArray(value) ? value.join(", ") : value;
  return text === "" ? "(empty)" : text;
}

// merged: of lib/webhook_form.merge, with `theirs` and `mine`.
export function Merged({ merged, form, set }) {
  const { conflicts, taken, theirs, mine } = merged;
  return html`<section class="card merged" role="alert" aria-label="Changed by somebody else">
    <h2>Somebody else saved this webhook while you edited it</h2>
    <p>Nothing is lost, and nothing of yours is saved yet.${taken.length > 0 && html` Taken over
      from them: <strong>${taken.map((name) =>
        LABELS[name]).join(", ")}</strong>.`}${conflicts.length === 0
          ? " Look it over, then save again."
            : " Both of you changed the following; choose, then save again."}</p>
    ${conflicts.map(
      (name) => html`<${RadioField} key=${name} legend=${LABELS[name]} name=${`merge-${name}`}
      value=${same(form[name], theirs[name]) ? "theirs" : "mine"}
      onChange=${(side) => set({ [name]: side === "mine" ? mine[name] : theirs[name] })}
      options=${[
        { value: "mine", label: "Yours", hint: words(mine[name]) },
        { value: "theirs", label: "Theirs", hint: words(theirs[name]) },
      ]} />`,
    )}
  </section>`;
}
