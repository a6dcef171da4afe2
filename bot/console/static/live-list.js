// A list of tasks that says when it has changed; a press brings the new one in place, and the focus stays where it was.
import { Failure, hear, request } from './net.js';

const SOON = 800; // milliseconds: a burst of steps is one look
const SPREAD = 700; // not all open boards at once
const REST = 8000; // between two looks

const signature = (list) => [...list.querySelectorAll('[data-as]')].map((one) => one.dataset.as).join('\n');

class LiveList extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector('[data-live]');
    this.sign = this.querySelector('[data-fresh]');
    this.looked = -REST;
    this.sign.addEventListener('click', () => this.refresh());
    this.list.addEventListener('focusin', (event) => this.remember(event.target));
    hear('chat:tasks', () => this.soon());
    hear('chat:clock', () => this.soon());
    hear('chat:state', ({ live }) => {
      if (live && this.lost) this.soon();
      this.lost = !live;
    });
    document.addEventListener('visibilitychange', () => this.due && this.soon());
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  soon() {
    this.due = true;
    clearTimeout(this.timer);
    const rest = this.looked + REST - performance.now();
    this.timer = setTimeout(() => this.look(), Math.max(SOON, rest) + Math.random() * SPREAD);
  }

  async look() {
    if (document.hidden) return;
    const found = await this.fetch();
    if (found) this.sign.hidden = signature(found) === signature(this.list);
  }

  // This very page anew; null when it did not come, and then the next sign asks again.
  async fetch() {
    this.due = false;
    this.looked = performance.now();
    try {
      const answer = await request(window.location.href, { headers: { Accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      return page.querySelector('[data-live]');
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      return null;
    }
  }

  async refresh() {
    const found = await this.fetch();
    if (!found) {
      window.location.reload();
      return;
    }
    this.list.replaceChildren(...found.childNodes);
    const row = this.row && this.list.querySelector(`a[href="${CSS.escape(this.row)}"]`);
    (row || this.list).focus();
    this.sign.hidden = true;
  }

  remember(target) {
    if (target.matches('a[href]')) this.row = target.getAttribute('href');
  }
}

customElements.define('live-list', LiveList);
