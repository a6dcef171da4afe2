// The other rooms: how much is unread there, in the list and in the tab's title; and the two views of a narrow screen.
import { hear } from './net.js';

const NARROW = '(max-width: 720px)';

class ChatRooms extends HTMLElement {
  connectedCallback() {
    this.after = Number(this.dataset.after);
    this.seen = new Set();
    this.title = document.title;
    this.grid = this.closest('.chat-grid');
    this.grid.dataset.live = '';
    hear('chat:line', (news) => this.count(news));
    document.addEventListener('visibilitychange', () => this.back());
    for (const button of document.querySelectorAll('[data-members]')) {
      button.addEventListener('click', () => this.grid.classList.toggle('with-members'));
    }
    this.views();
    this.show();
  }

  views() {
    const back = document.querySelector('[data-back]');
    back.addEventListener('click', (event) => {
      if (!window.matchMedia(NARROW).matches) return;
      event.preventDefault();
      this.view('list');
    });
    this.querySelector('[aria-current]').addEventListener('click', (event) => {
      event.preventDefault();
      this.view('room');
    });
    this.view('room');
  }

  view(name) {
    this.grid.dataset.view = name;
    document.body.dataset.view = name;
  }

  count(news) {
    if (news.mine || !news.kept || this.seen.has(news.id)) return;
    const link = this.querySelector(`a[data-room="${CSS.escape(news.room)}"]`);
    const here = link && link.hasAttribute('aria-current');
    if (!link || (here && !document.hidden)) return;
    if (!here && news.pos <= this.after) return;
    this.seen.add(news.id);
    const badge = link.querySelector('.badge');
    badge.textContent = String(Number(badge.hidden ? 0 : badge.textContent) + 1);
    badge.hidden = false;
    this.show();
  }

  back() {
    if (document.hidden) return;
    const badge = this.querySelector('[aria-current] .badge');
    badge.hidden = true;
    this.show();
  }

  show() {
    const badges = [...this.querySelectorAll('.badge')].filter((badge) => !badge.hidden);
    const sum = badges.reduce((all, badge) => all + Number(badge.textContent), 0);
    document.title = sum ? `(${sum}) ${this.title}` : this.title;
  }
}

customElements.define('chat-rooms', ChatRooms);
