// The handset page, live: the stream says that something is new, /live says what. Without this file the page
// works with plain forms. No text that is being typed, no open menu and no focus is lost by an update.

import { listen, silence, wake } from "./sound.js";

const live = document.getElementById("live");
const connected = document.getElementById("connected");
const QUIET = 50_000; // ms without a sign of life after which the stream counts as broken
const BREATH = 120; // ms between two updates: a bulk send must not keep the page busy

document.querySelectorAll("[data-needs-script]").forEach((element) => (element.hidden = false));

// Updates

const title = document.title;
let updating = false;
let again = false;

async function update() {
  if (updating) {
    again = true;
    return;
  }
  updating = true;
  try {
    const answer = await fetch("/live", { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      merge(live, fresh.content);
      listen(live);
      announce();
    }
  } catch {
    // the stream's own reconnection brings the next update
  } finally {
    setTimeout(() => {
      updating = false;
      if (again) {
        again = false;
        update();
      }
    }, BREATH);
  }
}

// Whoever is in another tab sees that a phone rings here.
function announce() {
  const rings = live.querySelector("button[value=pick-up]");
  document.title = rings ? `☎ ${live.dataset.rings} · ${title}` : title;
}

// Replaces only what differs: lists by their keys, screens when another one shows, parts when their content does.
function merge(old, fresh) {
  const list = fresh.querySelector("[data-list]");
  if (list) mergeList(old.querySelector("[data-list]"), list);
  mergeParts(old, fresh);
}

function mergeList(old, fresh) {
  const known = new Map([...old.children].map((child) => [child.dataset.key, child]));
  [...fresh.children].forEach((child, index) => {
    const same = known.get(child.dataset.key);
    known.delete(child.dataset.key);
    if (!same) old.insertBefore(child, old.children[index] ?? null);
    else mergePhone(same, child);
  });
  known.forEach((gone) => gone.remove());
}

function mergePhone(old, fresh) {
  const [before, now] = [old, fresh].map((phone) => phone.querySelector(":scope > [data-key]"));
  if (!before || !now) return;
  if (before.dataset.key !== now.dataset.key && !typing(before, now)) replaceScreen(before, now);
  mergeParts(old, fresh);
}

// A text that is being written stays with the thread it is written to, unless the phone rings.
function typing(before, now) {
  const draft = before.querySelector("input[name=body]");
  return Boolean(draft?.value) && now.dataset.key.startsWith("texts-");
}

function replaceScreen(before, now) {
  const draft = before.querySelector("input[name=body]")?.value;
  const held = before.contains(document.activeElement);
  if (draft) before.dataset.draft = draft;
  if (before.dataset.draft) now.dataset.draft = before.dataset.draft;
  before.replaceWith(now);
  const field = now.querySelector("input[name=body]");
  if (held) takeFocus(field && now.dataset.draft ? field : now);
  if (field && now.dataset.draft) {
    field.value = now.dataset.draft;
    delete now.dataset.draft;
  }
}

// The new screen gets the focus, never one of its buttons: whoever is typing must not answer or hang up by it.
function takeFocus(element) {
  if (!element.matches("input")) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

function mergeParts(old, fresh) {
  fresh.querySelectorAll("[data-part]").forEach((part) => {
    const same = counterpart(old, part);
    if (same && part.dataset.part === "state") return check(same, part);
    if (!same || same.innerHTML === part.innerHTML || same.dataset.html === part.innerHTML) return;
    if (part.dataset.part === "behaviour" && same.closest("details")?.open) return;
    if (part.dataset.part === "speaking" && same.contains(document.activeElement) && part.firstChild) return;
    const html = part.innerHTML;
    same.innerHTML = html;
    same.dataset.html = html;
  });
}

function counterpart(old, part) {
  const phone = part.closest("section.phone");
  const within = phone ? document.getElementById(phone.id) : old;
  return within?.querySelector(`[data-part="${part.dataset.part}"]`);
}

// Radios are told, not replaced: whoever moves through them with the arrow keys keeps the focus.
function check(old, fresh) {
  const value = fresh.querySelector("input[checked]").value;
  old.querySelector(`input[value="${value}"]`).checked = true;
}

// Forms

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-live]");
  if (!form) return;
  event.preventDefault();
  wake();
  const data = new FormData(form, event.submitter);
  const emptied = "empties" in form.dataset;
  const field = form.querySelector("input:not([type=hidden])");
  const answer = await send(form.action, data);
  const sentence = answer?.status === 422 ? await answer.json() : null;
  if (!answer || (answer.status >= 400 && !sentence)) return say(form);
  say(form, sentence?.field, sentence?.error);
  if (sentence) return;
  if (emptied && field) field.value = "";
  if ("closes" in form.dataset) closeMenu(form);
  update();
});

async function send(address, data) {
  const body = new URLSearchParams(data);
  try {
    return await fetch(address, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
  } catch {
    return null;
  }
}

function say(form, field, sentence) {
  const scope = form.closest("section.phone, details") ?? document;
  scope.querySelectorAll("[data-error]").forEach((element) => {
    const hit = element.dataset.error === field;
    element.hidden = !hit;
    element.textContent = hit ? sentence : "";
    const input = document.querySelector(`[aria-describedby~="${element.id}"]`);
    if (hit) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
    if (hit) input?.focus();
  });
}

function closeMenu(form) {
  const menu = form.closest("details");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  if (menu.classList.contains("add-phone")) form.reset();
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-changes]");
  if (form) form.requestSubmit();
});

// Menus close with Escape and with a click elsewhere.

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.activeElement.closest?.("details.menu[open]") ?? document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  pressKey(event);
});

// Where a phone is in a call and no field has the focus, digits of the keyboard are its keys.
function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, select, textarea")) return;
  if (!/^[0-9*#]$/.test(event.key)) return;
  const talking = [...live.querySelectorAll(".keypad:not([aria-hidden])")];
  const near = talking.find((pad) => pad.closest("section.phone").contains(event.target)) ?? (talking.length === 1 && talking[0]);
  near?.querySelector?.(`button[value="${CSS.escape(event.key)}"]`)?.click();
}

// The stream

let stream;
let heardFrom = Date.now();

function connect() {
  stream?.close();
  heardFrom = Date.now();
  stream = new EventSource("/events");
  stream.addEventListener("open", () => show(true));
  stream.addEventListener("news", () => {
    show(true);
    update();
  });
  stream.addEventListener("ping", () => show(true));
  stream.addEventListener("error", () => show(false));
}

function show(on) {
  if (on) heardFrom = Date.now();
  const badge = document.getElementById("connected") ?? connected;
  badge.classList.toggle("st-ok", on);
  badge.classList.toggle("st-fail", !on);
  badge.querySelector(".dot").classList.toggle("live", on);
  badge.lastElementChild.textContent = on ? badge.dataset.on : badge.dataset.off;
}

setInterval(() => {
  if (Date.now() - heardFrom > QUIET || stream.readyState === EventSource.CLOSED) connect();
  if (stream.readyState !== EventSource.OPEN) update();
}, 5000);
addEventListener("pageshow", (event) => event.persisted && connect());
addEventListener("online", connect);
addEventListener("pagehide", () => {
  stream.close();
  silence();
});

// Clocks on the phones' wall time

const wall = new Intl.DateTimeFormat("de", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/Berlin" });
setInterval(() => {
  const now = wall.format(new Date());
  live.querySelectorAll("[data-clock]").forEach((clock) => {
    if (clock.textContent !== now) clock.textContent = now;
  });
}, 1000);

connect();
listen(live);
