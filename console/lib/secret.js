// Secrets made in the browser, as the server makes them: 32 random bytes.

export function makeSecret(scheme) {
  const random = crypto.getRandomValues(new Uint8Array(32));
  if (scheme === "standard") return "whsec_" + btoa(String.fromCharCode(...random));
  return [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
