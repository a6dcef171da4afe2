// The tab's one stream. It says what it saw last, so a broken connection costs nothing; everything it brings is told on.
import { tell } from './net.js';

const NEWS = ['line', 'recall', 'clock', 'story', 'reset', 'again', 'tasks'];
const AGAIN = [1000, 2000, 4000, 8000];

class EventStream extends HTMLElement {
  connectedCallback() {
    this.last = this.dataset.after || '0';
    this.failures = 0;
    this.wake = () => this.source.readyState === EventSource.CLOSED && this.open();
    window.addEventListener('online', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    window.addEventListener('pagehide', () => this.source.close());
    window.addEventListener('pageshow', (event) => event.persisted && this.open());
    this.open();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.source.close();
  }

  open() {
    clearTimeout(this.timer);
    if (this.source) this.source.close();
    const asked = new URLSearchParams({ room: this.dataset.room || '', after: this.last });
    if ('tasks' in this.dataset) asked.set('tasks', '1');
    this.source = new EventSource(`/in/web/events?${asked}`);
    this.source.addEventListener('hello', () => {
      this.failures = 0;
      tell('chat:state', { live: true });
    });
    for (const name of NEWS) this.source.addEventListener(name, (event) => this.take(name, event));
    this.source.addEventListener('error', () => this.lost());
  }

  take(name, event) {
    if (event.lastEventId) this.last = event.lastEventId;
    if (name === 'reset') this.source.close();
    if (name === 'again') window.location.reload();
    else tell(`chat:${name}`, JSON.parse(event.data));
  }

  // The browser itself tries again after a broken connection, but gives up when the answer was an error page.
  lost() {
    tell('chat:state', { live: false });
    if (this.source.readyState !== EventSource.CLOSED) return;
    const wait = AGAIN[Math.min(this.failures, AGAIN.length - 1)];
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), wait);
  }
}

class StreamState extends HTMLElement {
  connectedCallback() {
    document.addEventListener('chat:state', (event) => this.show(event.detail.live));
  }

  show(live) {
    if (String(live) === this.dataset.live) return;
    clearTimeout(this.timer);
    this.dataset.live = String(live);
    if (live) {
      this.textContent = '';
      return;
    }
    this.timer = setTimeout(() => {
      this.textContent = navigator.onLine ? '连接断开，正在重连…' : '网络已断开，恢复后自动续上';
    }, 1500);
  }
}

customElements.define('event-stream', EventStream);
customElements.define('stream-state', StreamState);
