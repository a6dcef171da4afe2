// Photos chosen for the next message: each goes up at once, with its progress and, if it is refused, the reason beside it.
import { element, tell, token } from './net.js';

const MOST = 9;
const AGAIN = [1000, 3000, 8000];

// What a sent photo looks like until its line comes back; only this page knows.
export const glimpses = new Map();

export class PhotoTray {
  constructor(list) {
    this.list = list;
    this.photos = [];
  }

  add(files) {
    const pictures = [...files].filter((file) => file.type.startsWith('image/') || /\.(heic|heif)$/i.test(file.name));
    for (const file of pictures) {
      if (this.photos.length >= MOST) break;
      this.take(file);
    }
    return pictures.length > 0;
  }

  take(file) {
    const photo = { file, url: URL.createObjectURL(file), state: 'going', sha: '', tries: 0 };
    photo.item = this.drawn(photo);
    this.photos.push(photo);
    this.list.hidden = false;
    this.list.append(photo.item);
    this.send(photo);
  }

  drawn(photo) {
    const item = element('li');
    const image = element('img');
    image.src = photo.url;
    image.alt = photo.file.name || '照片';
    image.addEventListener('error', () => image.classList.add('unseen'));
    photo.bar = element('progress');
    photo.bar.max = 100;
    photo.bar.value = 0;
    photo.note = element('p', 'problem');
    photo.note.setAttribute('role', 'alert');
    const off = element('button', 'off', '×');
    off.type = 'button';
    off.setAttribute('aria-label', '移除这张照片');
    off.addEventListener('click', () => this.remove(photo));
    item.append(image, photo.bar, photo.note, off);
    return item;
  }

  send(photo) {
    photo.state = 'going';
    photo.note.textContent = '';
    const call = new XMLHttpRequest();
    photo.call = call;
    call.open('POST', '/in/web/photos');
    call.setRequestHeader('X-CSRF', token());
    call.setRequestHeader('Accept', 'application/json');
    call.setRequestHeader('Content-Type', photo.file.type || 'application/octet-stream');
    call.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) photo.bar.value = (100 * event.loaded) / event.total;
    });
    call.addEventListener('load', () => this.answered(photo, call));
    call.addEventListener('error', () => this.again(photo, '网络不通'));
    call.send(photo.file);
  }

  answered(photo, call) {
    let answer = {};
    try {
      answer = JSON.parse(call.responseText);
    } catch (unreadable) {
      answer = { error: `没有传上去(${call.status})` };
    }
    if (call.status === 200) {
      Object.assign(photo, { state: 'here', sha: answer.sha });
      photo.item.classList.add('here');
      tell('chat:photo');
    } else if (call.status === 503) this.again(photo, answer.error);
    else this.fail(photo, answer.error);
  }

  again(photo, why) {
    if (photo.tries >= AGAIN.length) return this.fail(photo, `${why}，请点照片重试`);
    photo.note.textContent = `${why}，正在重试…`;
    photo.timer = setTimeout(() => this.send(photo), AGAIN[photo.tries]);
    photo.tries += 1;
    return undefined;
  }

  fail(photo, why) {
    photo.state = 'failed';
    photo.note.textContent = why;
    photo.item.classList.add('failed');
    photo.item.querySelector('img').addEventListener('click', () => {
      photo.item.classList.remove('failed');
      photo.tries = 0;
      this.send(photo);
    }, { once: true });
    tell('chat:photo');
  }

  remove(photo) {
    clearTimeout(photo.timer);
    photo.call.abort();
    if (!glimpses.has(photo.sha)) URL.revokeObjectURL(photo.url);
    photo.item.remove();
    this.photos = this.photos.filter((other) => other !== photo);
    this.list.hidden = !this.photos.length;
    tell('chat:photo');
  }

  get state() {
    if (this.photos.some((photo) => photo.state === 'failed')) return 'failed';
    return this.photos.some((photo) => photo.state === 'going') ? 'going' : 'ready';
  }

  takeAll() {
    const shas = this.photos.map((photo) => photo.sha);
    for (const photo of this.photos) glimpses.set(photo.sha, photo.url);
    for (const photo of [...this.photos]) this.remove(photo);
    return shas;
  }
}
