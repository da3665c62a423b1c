// Event Catalogue: every type with its description and a sample of its data.

import { html, useState } from "../lib/html.js";
import { useCatalogue } from "../lib/data.js";
import { count } from "../lib/format.js";
import { isAdmin } from "../lib/session.js";
import { Icon } from "../ui/icon.js";
import { TextField } from "../ui/field.js";
import { Code, CopyButton, Empty, PageHead, ProblemNote, Skeleton } from "../ui/parts.js";
import { sendTest } from "./webhook_actions.js";

function Type({ type }) {
  const [open, setOpen] = useState(false);
  const sample = type.sample && JSON.stringify(type.sample, null, 2);
  return html`<li class="card type" id=${type.name}>
    <div class="type-head"><h3>${type.title}</h3><code>${type.name}</code></div>
    <p>${type.description}</p>
    ${
      sample &&
      html`<details onToggle=${(event) => setOpen(event.currentTarget.open)}><summary>Sample
        payload</summary>
      ${open && html`<${Code} text=${sample} label=${`Sample of ${type.title}`}
        className="code-tall" />`}</details>`
    }
    <div class="button-row">
      <${CopyButton} text=${type.name} label="Copy type" />
      ${
        isAdmin() &&
        html`<button type="button" class="button button-small" onClick=${() => sendTest(null,
          type.name)}>
        <${Icon} name="send" size=${16} />Send a sample<span
          class="hidden"> of ${type.title}</span></button>`
      }
    </div>
  </li>`;
}

function found(type, text) {
  const wanted = text.trim().toLowerCase();
  return [type.name, type.title, type.description].some((part) =>
    part.toLowerCase().includes(wanted),
  );
}

export function CataloguePage() {
  const loaded = useCatalogue();
  const [text, setText] = useState("");
  const catalogue = loaded.data;
  const types = catalogue?.types.filter((type) => found(type, text)) ?? [];
  return html`
    <${PageHead} title="Event Catalogue" sub=${
      catalogue
        ? `${count(catalogue.types.length, "event type")} in ${count(
            catalogue.categories.length,
            "category",
            "categories",
          )}: what happened, and what its data look like.`
        : " "
    } />
    <${ProblemNote} problem=${loaded.problem} retry=${loaded.reload} />
    ${loaded.loading && html`<${Skeleton} lines=${10} />`}
    ${
      catalogue &&
      html`<div class="filters"><${TextField} label="Find" type="search" value=${text}
        onChange=${setText}
      placeholder="points, tier, referral …" /></div>
      <p class="hidden" role="status">${text && count(types.length, "type")}</p>
      ${types.length === 0 && html`<${Empty} icon="search" title="No type has that"><p>Try a shorter
        word.</p></${Empty}>`}
      ${catalogue.categories.map((category) => {
        const own = types.filter((type) => type.category === category.name);
        return (
          own.length > 0 &&
          html`<section class="section" key=${category.name}
            aria-labelledby=${`category-${category.name}`}>
          <h2 id=${`category-${category.name}`}>${category.title}</h2>
          <ul class="types">${own.map((type) => html`<${Type} key=${type.name} type=${type}
            />`)}</ul>
        </section>`
        );
      })}`
    }`;
}
