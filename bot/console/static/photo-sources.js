// Where photos come from: a file picker, the camera, the clipboard, and being dragged over the room.
import { toast } from './toast.js';

export function photoSources(composer, field, tray) {
  pickers(composer, field, tray);
  field.addEventListener('paste', (event) => {
    if (event.clipboardData.files.length && tray.add(event.clipboardData.files)) event.preventDefault();
  });
  dropping(composer.closest('.room'), tray);
}

function pickers(composer, field, tray) {
  const pick = composer.querySelector('[data-pick]');
  const camera = composer.querySelector('[data-camera]');
  pick.multiple = true;
  pick.removeAttribute('name');
  camera.closest('label').hidden = !window.matchMedia('(pointer: coarse)').matches;
  for (const input of [pick, camera]) {
    input.addEventListener('change', () => {
      tray.add(input.files);
      input.value = '';
      field.focus();
    });
  }
}

function dropping(room, tray) {
  const files = (event) => event.dataTransfer && [...event.dataTransfer.types].includes('Files');
  room.addEventListener('dragover', (event) => {
    if (!files(event)) return;
    event.preventDefault();
    room.classList.add('dropping');
  });
  room.addEventListener('dragleave', (event) => {
    if (!room.contains(event.relatedTarget)) room.classList.remove('dropping');
  });
  room.addEventListener('drop', (event) => {
    room.classList.remove('dropping');
    if (!files(event)) return;
    event.preventDefault();
    if (!tray.add(event.dataTransfer.files)) toast('这里只能放照片。');
  });
}
