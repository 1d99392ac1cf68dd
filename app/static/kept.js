// The visitor's run and token, kept over reloads; whoever else shows the run hears of a new one.

const KEPT = "nayer-run"; // localStorage: { run, token }
const NEWS = "nayer-run";

export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

export function keep(kept) {
  localStorage.setItem(KEPT, JSON.stringify(kept));
  dispatchEvent(new CustomEvent(NEWS, { detail: kept }));
}

/** `heard({ run, token })` now and whenever it changes on this page. */
export function whenKept(heard) {
  addEventListener(NEWS, (event) => heard(event.detail));
  heard(remembered());
}
