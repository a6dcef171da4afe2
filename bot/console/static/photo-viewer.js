// A photo at full size, with its neighbours a key or a tap away. Any link marked data-photo opens here.
import { element } from './net.js';

class PhotoViewer extends HTMLElement {
  connectedCallback() {
    this.dialog = element('dialog', 'photo-dialog');
    this.image = element('img');
    this.caption = element('p', 'caption');
    this.dialog.append(
      this.image,
      this.caption,
      this.button('‹', '上一张', 'prev', () => this.turn(-1)),
      this.button('›', '下一张', 'next', () => this.turn(1)),
      this.button('×', '关闭', 'close', () => this.dialog.close()),
    );
    this.dialog.setAttribute('aria-label', '查看照片');
    this.append(this.dialog);
    document.addEventListener('click', (event) => this.open(event));
    this.dialog.addEventListener('click', (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener('keydown', (event) => this.key(event));
    this.dialog.addEventListener('close', () => this.link && this.link.focus({ preventScroll: true }));
  }

  button(sign, label, classes, does) {
    const made = element('button', classes, sign);
    made.type = 'button';
    made.setAttribute('aria-label', label);
    made.addEventListener('click', does);
    return made;
  }

  open(event) {
    const link = event.target.closest('[data-photo]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !this.dialog.showModal) return;
    event.preventDefault();
    this.links = [...document.querySelectorAll('[data-photo]')];
    this.show(link);
    this.dialog.showModal();
  }

  show(link) {
    this.link = link;
    const image = link.querySelector('img');
    const at = this.links.indexOf(link);
    this.image.src = link.getAttribute('href');
    this.image.alt = image ? image.alt : '照片';
    this.caption.textContent = `${this.image.alt}　${at + 1} / ${this.links.length}`;
    this.querySelector('.prev').disabled = at <= 0;
    this.querySelector('.next').disabled = at >= this.links.length - 1;
  }

  turn(step) {
    const next = this.links[this.links.indexOf(this.link) + step];
    if (next) this.show(next);
  }

  key(event) {
    if (event.key === 'ArrowLeft') this.turn(-1);
    if (event.key === 'ArrowRight') this.turn(1);
  }
}

customElements.define('photo-viewer', PhotoViewer);
