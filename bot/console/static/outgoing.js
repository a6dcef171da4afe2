// Messages on their way, in order, each with the one id it keeps however often it is tried; a reload takes them up again.
import { Failure, post, tell } from './net.js';

const WAITS = [1000, 2000, 4000, 8000, 15000];

export class Outgoing {
  constructor(me, room) {
    this.key = `out:${me}`;
    this.tries = 0;
    this.items = this.stored();
    window.addEventListener('online', () => this.now());
    document.addEventListener('chat:state', (event) => event.detail.live && this.now());
    for (const item of this.items) if (item.room === room) tell('chat:pending', item);
    if (this.items.length) this.run();
  }

  stored() {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) || '[]');
    } catch (unreadable) {
      return [];
    }
  }

  keep() {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.items));
    } catch (refused) {
      this.forgetful = true; // no storage here: only a reload would lose what is on its way
    }
  }

  add(item) {
    this.items.push(item);
    this.keep();
    tell('chat:pending', item);
    this.run();
  }

  now() {
    clearTimeout(this.timer);
    this.tries = 0;
    this.run();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    while (this.items.length && (await this.deliver(this.items[0]))) {
      this.items.shift();
      this.keep();
    }
    this.running = false;
  }

  // True when the item is settled, one way or the other.
  async deliver(item) {
    const { room, id, text, quote, photos } = item;
    try {
      const answer = await post('/in/web/messages', { room, id, text, quote, photos: photos.join('|') });
      this.tries = 0;
      tell('chat:fate', { item, state: answer.state === 'secret' ? 'secret' : 'sent' });
      return true;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      return this.failed(item, failure);
    }
  }

  failed(item, failure) {
    if (!failure.passing) {
      const error = [401, 403].includes(failure.status) ? '没有发出：页面已过期，请刷新页面。' : `没有发出：${failure.message}`;
      tell('chat:fate', { item, state: 'refused', error });
      return true;
    }
    const wait = WAITS[Math.min(this.tries, WAITS.length - 1)];
    this.tries += 1;
    const error = failure.status ? '系统正忙，稍后自动重发…' : '网络不通，恢复后自动重发…';
    tell('chat:fate', { item, state: 'waiting', error });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), wait);
    return false;
  }
}

export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(36).padStart(2, '0')).join('');
}
