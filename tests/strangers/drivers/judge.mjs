// What both JavaScript drivers share: see judge.py.
import { readFileSync } from "node:fs";

export const KINDS = ["v1", "neg-risk", "v2"];
export const scene = JSON.parse(readFileSync(process.argv[2], "utf8"));
const outcomes = {};

export const wordsOf = (error) =>
  String(error?.message ?? error)
    .split(/\s+/)
    .filter(Boolean)
    .join(" ") || error?.constructor?.name;

export async function note(name, act) {
  try {
    const result = await act();
    outcomes[name] = "ok";
    return result;
  } catch (error) {
    outcomes[name] = `refused: ${wordsOf(error)}`;
    return undefined;
  }
}

export function lacks(...names) {
  for (const name of names) outcomes[name] = "n.a.";
}

export function expect(condition, what) {
  if (!condition) throw new Error(`unexpected: ${typeof what === "string" ? what : JSON.stringify(what)}`);
}

export function within(promise, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("timeout")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const later = () => Math.floor(Date.now() / 1000) + 600;

export function finish() {
  process.stdout.write(JSON.stringify(outcomes) + "\n", () => process.exit(0));
}
