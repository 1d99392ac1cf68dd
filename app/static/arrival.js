// The address names a lesson, `?lesson=3`: the tab that holds it comes on show, and the address follows the steps.

const TAB = "Learn";

/** The lesson in the address, from 1 to `count`, or null. */
export function asked(count = Infinity) {
  const number = Number(new URLSearchParams(location.search).get("lesson"));
  return Number.isInteger(number) && number >= 1 ? Math.min(number, count) : null;
}

/** Where lesson `number` is found; all else in the address stays. */
export function addressOf(number) {
  const address = new URL(location.href);
  address.searchParams.set("lesson", number);
  return address.href;
}

/** Opens the tab if a lesson is asked for, now and whenever a link to one is followed on this page. */
export function arrive() {
  if (asked()) open();
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-lesson]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", addressOf(link.dataset.lesson));
    dispatchEvent(new PopStateEvent("popstate"));
  });
  addEventListener("popstate", () => asked() && open());
}

function open() {
  const tab = [...document.querySelectorAll('#tabs [role="tab"]')].find((one) => one.textContent.trim() === TAB);
  if (tab) tab.click();
  else requestAnimationFrame(open);
}
