// The player of a voice message: one sounds at a time, the waveform shows how far it is.

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function icon(button, name) {
  button.querySelector('use').setAttribute('href', `#i-${name}`);
  const [now, other] = [button.getAttribute('aria-label'), button.dataset.pause];
  button.dataset.pause = now;
  button.setAttribute('aria-label', other);
}

function show(player, audio) {
  const share = audio.duration ? audio.currentTime / audio.duration : 0;
  const strokes = player.querySelectorAll('.wave path');
  strokes.forEach((stroke, place) => stroke.classList.toggle('off', audio.currentTime > 0 && place / strokes.length >= share));
  const time = player.querySelector('time');
  time.textContent = audio.currentTime ? `${clock(audio.currentTime)} / ${time.dataset.length}` : time.dataset.length;
}

function prepare(player, audio, button) {
  if (player.dataset.ready) return;
  player.dataset.ready = '1';
  audio.addEventListener('timeupdate', () => show(player, audio));
  audio.addEventListener('play', () => icon(button, 'pause'));
  audio.addEventListener('pause', () => icon(button, 'play'));
  audio.addEventListener('ended', () => {
    audio.currentTime = 0;
    show(player, audio);
  });
}

document.addEventListener('click', (event) => {
  const button = event.target.closest?.('[data-listen]');
  const player = button?.closest('[data-player]');
  const audio = player?.querySelector(':scope > audio');
  if (!audio) return;
  prepare(player, audio, button);
  if (!audio.paused) {
    audio.pause();
    return;
  }
  for (const other of document.querySelectorAll('[data-player] > audio')) if (other !== audio) other.pause();
  audio.play().catch(() => {});
});

document.addEventListener('click', (event) => {
  const wave = event.target.closest?.('.wave');
  const audio = wave?.closest('[data-player]')?.querySelector(':scope > audio');
  if (!audio?.duration) return;
  const box = wave.getBoundingClientRect();
  audio.currentTime = ((event.clientX - box.left) / box.width) * audio.duration;
});
