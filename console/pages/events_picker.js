// "Events to send Webhook for": check boxes by category, each category as a whole, or everything.

import { html } from "../lib/html.js";
import { ALL, hasCategory, hasType, setAll, setCategory, setType } from "../lib/selection.js";
import { CheckField } from "../ui/field.js";
import { Skeleton } from "../ui/parts.js";

function Category({ entry, types, selectors, onCategory, onType }) {
  const whole = hasCategory(selectors, entry.name);
  const chosen = types.filter((type) => hasType(selectors, type)).length;
  return html`<fieldset class="picker-group">
    <legend class="hidden">${entry.title}</legend>
    <div class="picker-head">
      <${CheckField} label=${entry.title} checked=${whole} mixed=${!whole && chosen > 0}
        onChange=${onCategory} />
      <span class="small quiet">${whole ? "all, also types added later"
        : `${chosen} of ${types.length}`}</span>
    </div>
    <div class="picker-types">${types.map(
      (type) => html`<${CheckField} key=${type.name} label=${type.title}
      hint=${html`<code>${type.name}</code>`} checked=${hasType(selectors, type)}
      onChange=${(on) => onType(type, on)} />`,
    )}</div>
  </fieldset>`;
}

export function EventsPicker({ catalogue, selectors, onChange, error, label }) {
  const strangers = catalogue
    ? selectors.filter(
        (selector) =>
          selector !== ALL &&
          !catalogue.types.some((type) => type.name === selector) &&
          !catalogue.categories.some((entry) => `category:${entry.name}` === selector),
      )
    : [];
  return html`<fieldset class=${`field picker ${error ? "field-wrong" : ""}`} id="field-event_types"
    tabindex="-1"
    aria-describedby=${error ? "event-types-error" : undefined}>
    <legend>${label}</legend>
    ${error && html`<div class="field-error" id="event-types-error">${error}</div>`}
    <${CheckField} label="All events" hint="Everything, also types added later"
      checked=${selectors.includes(ALL)}
      onChange=${(on) => onChange(setAll(selectors, on))} />
    ${
      !catalogue
        ? html`<${Skeleton} lines=${6} />`
        : catalogue.categories.map(
            (entry) => html`
      <${Category} key=${entry.name} entry=${entry} selectors=${selectors}
        types=${catalogue.types.filter((type) => type.category === entry.name)}
        onCategory=${(on) => onChange(setCategory(selectors, catalogue, entry.name, on))}
        onType=${(type, on) => onChange(setType(selectors, catalogue, type, on))} />`,
          )
    }
    ${strangers.map(
      (name) => html`<${CheckField} key=${name} label=${html`<code>${name}</code>`}
      hint="A type that this server's catalogue does not have" checked=${true}
      onChange=${() => onChange(selectors.filter((selector) => selector !== name))} />`,
    )}
  </fieldset>`;
}
