// What a phone in a call hears: the very audio that was fetched for it, from where it is by now.

const LATE = 0.7; // seconds into a sound from which on it is joined rather than begun
const TICK = 200; // ms between two looks at the clock
const toggle = document.getElementById("sound");

const players = new Map(); // a phone's id -> {heard, audio}

toggle.checked = localStorage.getItem("faden-sound") !== "off";
toggle.addEventListener("change", () => {
  localStorage.setItem("faden-sound", toggle.checked ? "on" : "off");
  players.forEach(({ audio }) => audio && (audio.muted = !toggle.checked));
  if (!toggle.checked) speechSynthesis?.cancel();
  listenForBells(document);
});

// Browsers let a page sound only after somebody has touched it: picking up is such a touch.
let woken = false;
export function wake() {
  if (woken) return;
  woken = true;
  const context = new AudioContext();
  context.resume().finally(() => setTimeout(() => context.close(), 500));
}

// A telephone bell: two seconds of two tones, four of silence, as long as any phone on the page rings.
let bell = null;

function ring() {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.gain.value = 0;
  volume.connect(context.destination);
  for (const hertz of [440, 480]) {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(volume);
    tone.start();
  }
  for (let burst = 0; burst < 20; burst += 1) {
    volume.gain.setTargetAtTime(0.06, context.currentTime + burst * 6, 0.02);
    volume.gain.setTargetAtTime(0, context.currentTime + burst * 6 + 2, 0.02);
  }
  return context;
}

function listenForBells(root) {
  const rings = toggle.checked && root.querySelector("button[value=pick-up]");
  if (rings && !bell) bell = ring();
  else if (!rings && bell) {
    bell.close();
    bell = null;
  }
}

export function silence() {
  players.forEach(({ audio }) => audio?.pause());
  players.clear();
  bell?.close();
  bell = null;
  speechSynthesis?.cancel();
}

// Called after every update of the page: begins what is new, ends what is over.
export function listen(root) {
  const present = new Set();
  root.querySelectorAll("section.phone").forEach((phone) => {
    const time = phone.querySelector("time[data-heard]");
    if (!time) return;
    present.add(phone.id);
    if (players.get(phone.id)?.heard !== time.dataset.heard) begin(phone.id, time);
  });
  listenForBells(root);
  players.forEach((_, id) => present.has(id) || end(id));
  tick();
}

function begin(id, time) {
  end(id);
  const into = (Date.now() - Number(time.dataset.began)) / 1000;
  const player = { heard: time.dataset.heard, audio: null };
  players.set(id, player);
  if (time.dataset.sound) player.audio = play(time.dataset.sound, into > LATE ? into : 0);
  else if (time.dataset.say && toggle.checked) speak(time.dataset.say);
}

function play(address, into) {
  const audio = new Audio(address);
  audio.muted = !toggle.checked;
  if (into) audio.currentTime = into;
  audio.play().catch(() => {}); // refused before the first touch: the words can be read
  return audio;
}

function speak(text) {
  if (!("speechSynthesis" in window)) return;
  const words = new SpeechSynthesisUtterance(text);
  words.lang = document.documentElement.lang;
  speechSynthesis.speak(words);
}

function end(id) {
  players.get(id)?.audio?.pause();
  players.delete(id);
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function tick() {
  document.querySelectorAll("time[data-since]").forEach((time) => {
    const now = Date.now();
    const total = Number(time.dataset.seconds);
    const at = total ? Math.min((now - Number(time.dataset.began)) / 1000, total) : (now - Number(time.dataset.since)) / 1000;
    const words = total ? `${clock(at)} / ${clock(Math.round(total))}` : clock(at);
    if (time.textContent !== words) time.textContent = words;
    const bars = time.closest(".display").querySelectorAll(".wave path");
    bars.forEach((bar, n) => bar.classList.toggle("off", n >= (at / total) * bars.length));
  });
}

setInterval(tick, TICK);
