// What every page behind the sign-in does: the CSRF token, menus that close, typed text that outlives a session.

document.documentElement.classList.add("js");

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  if (!["GET", "HEAD"].includes(request.method.toUpperCase())) request.headers["X-CSRFToken"] = token;
});

// The session has ended: what is typed on this page is kept in this tab until the page is back.
const typedKey = () => `typed:${location.pathname}`;

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-keep-typed]")) return;
  const typed = [...document.querySelectorAll("textarea[name]")].map((field) => [field.name, field.value]);
  sessionStorage.setItem(typedKey(), JSON.stringify(typed.filter(([, value]) => value.trim())));
});

function giveBackTyped() {
  const kept = sessionStorage.getItem(typedKey());
  if (!kept) return;
  sessionStorage.removeItem(typedKey());
  for (const [name, value] of JSON.parse(kept)) {
    const field = document.querySelector(`textarea[name="${CSS.escape(name)}"]`);
    if (!field || field.value.trim()) continue;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

// Menus: one open at a time; Escape and a click elsewhere close them.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// In a menu the arrow keys go from entry to entry; on its button, arrow down opens it.
const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
const TYPED_IN = "input:not([type=checkbox], [type=radio]), select, textarea";

function entries(menu) {
  const all = menu.querySelectorAll(".menu-panel :is(a[href], button, summary, input, select, textarea):not(:disabled)");
  return [...all].filter((entry) => entry.getClientRects().length);
}

document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const menu = event.target.closest?.("details.menu");
  if (!step || !menu || event.target.matches(TYPED_IN)) return;
  const isButton = event.target === menu.querySelector(":scope > summary");
  if (!menu.open && event.key !== "ArrowDown") return;
  event.preventDefault();
  menu.open = true;
  const all = entries(menu);
  const place = isButton ? (step < 0 ? all.length - 1 : 0) : all.indexOf(event.target) + step;
  all[Math.max(0, Math.min(all.length - 1, place))]?.focus();
});

// Play an audio address in place; a second press stops it. Without JavaScript it is an ordinary link.
let playing = null;

function setPlaying(button, on) {
  button.querySelector("use")?.setAttribute("href", on ? "#i-pause" : "#i-play");
  button.setAttribute("aria-pressed", String(on));
}

function stop() {
  if (!playing) return;
  playing.audio.pause();
  setPlaying(playing.button, false);
  playing = null;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-play]");
  if (!button) return;
  event.preventDefault();
  const again = playing?.button === button;
  stop();
  if (again) return;
  const audio = new Audio(button.href);
  playing = { audio, button };
  setPlaying(button, true);
  audio.addEventListener("ended", stop);
  audio.addEventListener("error", stop);
  audio.play().catch(stop);
});

// The announcement follows what is typed as the sender's name.
document.addEventListener("input", (event) => {
  if (!["value", "spoken"].includes(event.target.name)) return;
  const form = event.target.form;
  const chip = form?.querySelector("#announced .ph");
  const link = form?.querySelector("#announced [data-play]");
  if (!chip || !link) return;
  const name = (form.elements.spoken?.value || form.elements.value?.value || "").trim().replace(/\s+/g, " ");
  if (!name) return;
  chip.textContent = name;
  const address = new URL(link.href);
  address.searchParams.set("spoken", name);
  link.href = address.href;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy");
  }
  button.querySelector("use")?.setAttribute("href", "#i-check");
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
// Only once htmx and the pages' own scripts listen: what comes back counts as typed.
addEventListener("load", () => setTimeout(giveBackTyped));
document.querySelector(".subnav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
setTimeout(() => document.querySelectorAll("#notices > .toast").forEach((toast) => toast.remove()), 8000);
