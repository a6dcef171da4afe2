// Completing a name after @, from the members of the group and 群办 itself.
import { element } from './net.js';

const SHOWN = 8;
const BEGUN = /@([^\s@]{0,12})$/;

export class AtList {
  constructor(field, box) {
    this.field = field;
    this.box = box;
    this.names = [{ name: '群办', unit: '机器人' }].concat(
      [...document.querySelectorAll('[data-mention]')].map((member) => ({
        name: member.dataset.mention,
        unit: member.dataset.unit,
      })),
    );
    field.setAttribute('aria-autocomplete', 'list');
    field.setAttribute('aria-controls', (box.id = 'at-list'));
    field.addEventListener('input', () => this.look());
    field.addEventListener('blur', () => setTimeout(() => this.shut(), 150));
    box.addEventListener('mousedown', (event) => {
      const row = event.target.closest('[data-name]');
      event.preventDefault();
      if (row) this.pick(row.dataset.name);
    });
  }

  get open() {
    return !this.box.hidden;
  }

  look() {
    const begun = this.field.value.slice(0, this.field.selectionStart).match(BEGUN);
    const sought = begun ? begun[1] : null;
    const found = begun ? this.names.filter((one) => one.name.includes(sought) || one.unit.includes(sought)) : [];
    const whole = found.length === 1 && found[0].name === sought;
    if (!found.length || whole) return this.shut();
    found.sort((a, b) => Number(b.name.startsWith(sought)) - Number(a.name.startsWith(sought)));
    this.box.replaceChildren(...found.slice(0, SHOWN).map((one, n) => this.row(one, n)));
    this.box.hidden = false;
    this.mark(0);
    return undefined;
  }

  row(one, n) {
    const row = element('div', 'at-row');
    row.id = `at-${n}`;
    row.setAttribute('role', 'option');
    row.dataset.name = one.name;
    row.append(element('b', '', one.name), element('small', '', one.unit));
    return row;
  }

  mark(n) {
    const rows = [...this.box.children];
    this.at = (n + rows.length) % rows.length;
    rows.forEach((row, i) => row.setAttribute('aria-selected', String(i === this.at)));
    this.field.setAttribute('aria-activedescendant', `at-${this.at}`);
    rows[this.at].scrollIntoView({ block: 'nearest' });
  }

  // True when the key was for the list.
  key(event) {
    if (!this.open || event.isComposing) return false;
    if (event.key === 'ArrowDown') this.mark(this.at + 1);
    else if (event.key === 'ArrowUp') this.mark(this.at - 1);
    else if (event.key === 'Enter' || event.key === 'Tab') this.pick(this.box.children[this.at].dataset.name);
    else if (event.key === 'Escape') this.shut();
    else return false;
    event.preventDefault();
    return true;
  }

  pick(name) {
    const at = this.field.selectionStart;
    const before = this.field.value.slice(0, at).replace(BEGUN, `@${name} `);
    this.field.value = before + this.field.value.slice(at);
    this.field.setSelectionRange(before.length, before.length);
    this.shut();
    this.field.dispatchEvent(new Event('input', { bubbles: true }));
    this.field.focus();
  }

  shut() {
    this.box.hidden = true;
    this.field.removeAttribute('aria-activedescendant');
  }
}
