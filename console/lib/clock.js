// The time by the server's clock. A browser's may be wrong by days: then "2 min ago" would be
// "in 23 h". Learnt from the Date of the server's answers.

const TRUSTED_MS = 10000; // a difference below may be the network's

let aheadMs = 0; // the server's clock before ours

export function learnTime(date) {
  const found = Date.parse(date) - Date.now();
  if (!Number.isNaN(found)) aheadMs = Math.abs(found) < TRUSTED_MS ? 0 : found;
}

export const now = () => Date.now() + aheadMs;
