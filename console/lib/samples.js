// Figures that no server keeps over time, gathered while a page shows them: the newest of each key.

const SAMPLES_MAX = 720; // of one key: an hour, one in five seconds
const KEYS_MAX = 20;
const GAP_S = 30; // so long without one: nobody looked

const kept = new Map();

// sample: { at (seconds), … }. Returns all samples of the key, oldest first; a time in which none
// was gathered has one that is only { at }.
export function gather(key, sample) {
  const before = kept.get(key) ?? [];
  const last = before.at(-1);
  const gap = last && sample.at - last.at > GAP_S ? [{ at: last.at + 1 }] : [];
  const samples = [...before, ...gap, sample].slice(-SAMPLES_MAX);
  kept.delete(key);
  kept.set(key, samples);
  if (kept.size > KEYS_MAX) kept.delete(kept.keys().next().value);
  return samples;
}
