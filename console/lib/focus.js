// Where the focus of the keyboard goes by itself: a new page has it on its heading, and so has
// a page whose focused element went away (a row that was deleted, a button that is not needed).

const heading = () => document.querySelector("main h1")?.focus({ preventScroll: true });
const isLost = () => document.activeElement === document.body;

export function focusHeading() {
  requestAnimationFrame(heading);
}

export function keepFocus(root) {
  let last = null;
  document.addEventListener("focusin", (event) => {
    last = event.target;
  });
  new MutationObserver(() => {
    if (!last || last.isConnected || !isLost()) return;
    last = null;
    requestAnimationFrame(() => isLost() && heading()); // a dialog gives it back by itself
  }).observe(root, { childList: true, subtree: true });
}
