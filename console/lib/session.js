// Who is signed in, and whose events are shown. `expired` keeps the page under the sign-in dialog,
// so that nothing typed is lost. Tabs share a cookie, so they tell each other who signs in and out.

import { api, onSignedOut, setCsrf } from "./api.js";
import { createStore } from "./store.js";

const ACCOUNT_KEY = "loyalhook.account";
const NOBODY = { loading: false, user: null, role: null, firstRun: false, expired: false };

const tabs = new BroadcastChannel("loyalhook.session");

export const session = createStore({ ...NOBODY, loading: true });
export const account = createStore(readAccount());

function readAccount() {
  try {
    return localStorage.getItem(ACCOUNT_KEY) || "default";
  } catch {
    return "default";
  }
}

export function chooseAccount(name) {
  try {
    localStorage.setItem(ACCOUNT_KEY, name);
  } catch {
    // Then it lasts as long as the page.
  }
  account.set(name);
}

function expire() {
  const now = session.get();
  if (now.user) session.set({ ...now, expired: true });
}

function take(answer) {
  setCsrf(answer.csrf);
  session.set({ ...NOBODY, user: answer.user, role: answer.role, firstRun: answer.first_run });
}

export async function loadSession() {
  try {
    take(await api.get("/session"));
  } catch (problem) {
    session.set({ ...NOBODY, problem });
  }
}

export async function signIn(fields) {
  take(await api.post("/session", fields));
  tabs.postMessage("changed");
}

export async function signOut() {
  await api.remove("/session");
  forgetSession();
}

// After a change that ends all sessions of the user.
export function forgetSession() {
  setCsrf(null);
  session.set({ ...NOBODY });
  tabs.postMessage("changed");
}

tabs.onmessage = async () => {
  try {
    const answer = await api.get("/session");
    if (answer.user) take(answer);
    else expire();
  } catch {
    // The next call tells.
  }
};

export function isAdmin() {
  return session.get().role === "admin";
}

onSignedOut(expire);
