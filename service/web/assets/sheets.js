// Sheets: what lies over the page for a while (side panels, dialogs, menus). The topmost closes by Back, a tap beside it, a
// swipe, or Esc. Each open sheet has an entry in the history of its own, so that Back closes it and does not leave the page.

const SWIPE = 70; // pixels that a finger has to travel
const open = [];
const passed = []; // resolved when the history has gone back over the entry of a closed sheet

addEventListener("popstate", (event) => {
  const resolve = passed.shift();
  if (resolve) {
    event.stopImmediatePropagation();
    return resolve();
  }
  const sheet = open.pop();
  if (!sheet) return;
  event.stopImmediatePropagation();
  sheet.close();
});

// Say that a sheet is open now; `close` hides it. Returns what to call when it was closed in another way than by Back.
export function opened(close) {
  const sheet = { close };
  open.push(sheet);
  history.pushState(null, "");
  return () => {
    const place = open.indexOf(sheet);
    if (place < 0) return Promise.resolve();
    open.splice(place, 1);
    return new Promise((resolve) => {
      passed.push(resolve);
      history.back();
    });
  };
}

// Close whatever is open, and wait until the history stands where it stood before.
export async function closeAll() {
  for (const sheet of open.slice().reverse()) await sheet.close();
}

// Call `close` when something beside all of `parts` is tapped or clicked.
export function closeByTapBeside(parts, close) {
  document.addEventListener("pointerdown", ({ target }) => { if (!parts.some((part) => part.contains(target))) close(); });
}

// Call `close` when a finger is drawn over `box` in the direction: "left", "right", or "down" (from the top of what it shows).
export function closeBySwipe(box, direction, close) {
  let begin = null;
  box.addEventListener("touchstart", ({ touches, target }) => {
    const scrolled = direction === "down" && scrolledAbove(target, box);
    begin = touches.length === 1 && !scrolled ? [touches[0].clientX, touches[0].clientY] : null;
  }, { passive: true });
  box.addEventListener("touchend", ({ changedTouches }) => {
    if (!begin) return;
    const [right, down] = [changedTouches[0].clientX - begin[0], changedTouches[0].clientY - begin[1]];
    const [along, across] = direction === "down" ? [down, right] : [direction === "left" ? -right : right, down];
    if (along > SWIPE && along > 2 * Math.abs(across)) close();
  }, { passive: true });
}

function scrolledAbove(target, box) {
  for (let at = target; at && at !== box.parentElement; at = at.parentElement) if (at.scrollTop > 0) return true;
  return false;
}

// A modal dialog as a sheet: it lies at the side, or at the foot of a narrow screen.
export class Sheet {
  constructor(dialog) {
    this.dialog = dialog;
    this.leave = null;
    dialog.addEventListener("click", (event) => { if (event.target === dialog) this.close(); });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    for (const direction of ["down", "right"]) closeBySwipe(dialog, direction, () => this.close());
  }

  show() {
    if (this.dialog.open) return;
    this.dialog.showModal();
    this.leave = opened(() => this.close());
  }

  // Hide it. Resolves when the history stands where it stood before.
  close() {
    if (!this.dialog.open) return Promise.resolve();
    this.dialog.close();
    return this.leave();
  }
}
