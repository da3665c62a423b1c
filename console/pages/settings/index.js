// Settings: a list of parts, each at its own address.

import { html } from "../../lib/html.js";
import { href } from "../../lib/router.js";
import { isAdmin } from "../../lib/session.js";
import { Note, PageHead } from "../../ui/parts.js";
import { TabLinks } from "../../ui/table.js";
import { AuditPart } from "./audit.js";
import { LimitsPart } from "./limits.js";
import { MailPart } from "./mail.js";
import { TokensPart } from "./tokens.js";
import { UsersPart } from "./users.js";
import { YouPart } from "./you.js";

const PARTS = [
  { key: "", label: "Mail", part: MailPart },
  { key: "limits", label: "Retention and limits", part: LimitsPart },
  { key: "tokens", label: "API tokens", part: TokensPart, admin: true },
  { key: "users", label: "Users", part: UsersPart, admin: true },
  { key: "audit", label: "Audit log", part: AuditPart, admin: true },
  { key: "you", label: "You", part: YouPart },
];

export const isSettingsPart = (key) => PARTS.some((entry) => entry.key === key);

export function SettingsPage({ part = "" }) {
  const chosen = PARTS.find((entry) => entry.key === part);
  return html`
    <${PageHead} title=${part === "" ? "Settings" : chosen.label} />
    <${TabLinks} label="Settings" current=${part} tabs=${PARTS.filter(
      (entry) => isAdmin() || !entry.admin,
    ).map((entry) => ({
      key: entry.key,
      label: entry.label,
      href: href(`/settings${entry.key && `/${entry.key}`}`),
    }))} />
    ${chosen.admin && !isAdmin() ? html`<${Note}>Only administrators see this.</${Note}>`
      : html`<${chosen.part} />`}`;
}
