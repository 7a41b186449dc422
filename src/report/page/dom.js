'use strict';
// How text of the logs reaches the page: as text nodes, never as markup, an address or a style.

// Characters that act or hide: controls, direction marks, joiners, line separators, tags. They are shown, not obeyed.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
const visible = text => String(text).replace(HIDDEN, c => `\\u{${c.codePointAt(0).toString(16)}}`);
// Commands and manifests keep their lines and their indent.
const visibleLines = text => String(text).split('\n').map(line => line.split('\t').map(visible).join('\t')).join('\n');
const hidesSomething = text => visibleLines(text) !== String(text);

// An element: `content` is text, a node, or a list of both; nothing where it is null or false.
function make(tag, content, attributes) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'href' && !value.startsWith('#')) throw new Error('a link of the report leads to the report');
    node.setAttribute(name, value === true ? '' : value);
  }
  fill(node, content);
  return node;
}
function fill(node, content) {
  for (const part of [content].flat(Infinity)) {
    if (part === null || part === undefined || part === false) continue;
    node.append(part instanceof Node ? part : document.createTextNode(visible(part)));
  }
}
const link = (to, content, attributes) => make('a', content, { href: to, ...attributes });
const list = (items, attributes, tag) => make(tag || 'ul', items.map(item => make('li', item)), { role: 'list', ...attributes });
const folded = (summary, content, attributes) => make('details', [make('summary', summary), content], attributes);
// A `details` whose content is made when it is opened for the first time.
function foldedLater(summary, content, attributes) {
  const node = make('details', make('summary', summary), attributes);
  let isFilled = false;
  node.addEventListener('toggle', () => {
    if (node.open && !isFilled) fill(node, content());
    isFilled ||= node.open;
  });
  return node;
}
// Names and values; those without a value (null, false, an empty text) are left out.
const facts = pairs => make('dl', pairs.filter(([, value]) => value || value === 0)
  .map(([name, value]) => make('div', [make('dt', name), make('dd', value)])), { class: 'facts' });

const NUMBERS = new Intl.NumberFormat('en-US');
const number = n => NUMBERS.format(n);
const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many || one + 's'}`;
// To the minute; the full time is in the title. All times are UTC, which the head of the page says.
const short = time => time ? time.slice(0, 16).replace('T', ' ') : '-';
const moment = time => time ? make('time', short(time), { datetime: time, title: visible(time) }) : make('span', '-', { class: 'soft' });

// A name of AWS with its end, which people look for, in front of the eye. Nothing is cut.
function principal(name) {
  if (!name) return make('span', 'unknown', { class: 'soft' });
  const at = name.startsWith('arn:') ? Math.max(name.lastIndexOf('/'), name.lastIndexOf(':')) + 1 : name.indexOf(':') + 1;
  return make('span', [make('span', name.slice(0, at), { class: 'soft' }), make('wbr'), make('b', name.slice(at))], { class: 'arn' });
}

// Lets long names break where a reader would: after the signs that part them, and only where there are none inside a word.
const PIECES = /[^\s/:\-_.,=@]{0,28}[/:\-_.,=@]*\s*/gu;
function breakable(node) {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT, each => each.parentElement.closest('time, button, .badge, .whole') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const pieces = text.data.match(PIECES).filter(Boolean);
    if (pieces.length > 1) text.replaceWith(...pieces.flatMap((piece, at) => at === 0 || /\s$/.test(pieces[at - 1]) ? [piece] : [document.createElement('wbr'), piece]));
  }
  return node;
}

// A word of the contract with a sign, so that colour says nothing alone.
const SIGNS = {
  active: ['●', 'on'], unproven: ['◐', 'soft'], revoked: ['○', 'soft'], critical: ['▲', 'bad'], high: ['▲', 'bad'], medium: ['◆', 'warn'], low: ['▪', 'soft'],
  info: ['▪', 'soft'], open: ['●', 'warn'], resolved: ['✓', 'good'], yes: ['✓', 'good'], no: ['✕', 'soft'], depends: ['◐', 'warn'], present: ['✓', 'good'],
  deleted: ['✕', 'bad'], recreated: ['↻', 'bad'], unknown: ['?', 'soft'], 'locked out': ['▲', 'bad'], 'creator gone': ['◆', 'warn'], living: ['✓', 'good'],
  'no record of its creation': ['?', 'soft'], 'named only by refused calls': ['?', 'soft'],
};
function badge(word, text) {
  const [sign, tone] = SIGNS[word] || ['', 'soft'];
  return make('span', [sign && make('span', sign, { 'aria-hidden': 'true' }), sign && ' ', text || word], { class: `badge ${tone}` });
}

function say(text) {
  document.getElementById('said').textContent = visible(text);
}

// A command with a button that copies it, unless it would put something on the clipboard that cannot be seen.
function command(text, what) {
  const shown = make('pre', document.createTextNode(visibleLines(text)), { tabindex: '0', role: 'group', 'aria-label': what || 'Command' });
  if (hidesSomething(text)) {
    return make('div', [shown, make('p', 'Not offered for copying: it holds characters of the log that cannot be seen.', { class: 'soft' })], { class: 'command' });
  }
  const button = make('button', 'Copy', { type: 'button', class: 'copy', 'aria-label': `Copy the ${(what || 'command').toLowerCase()}` });
  const done = () => {
    button.firstChild.data = 'Copied';
    say('Copied');
    setTimeout(() => { button.firstChild.data = 'Copy'; }, 2000);
  };
  const select = () => {
    getSelection().selectAllChildren(shown);
    if (document.execCommand('copy')) done(); else say('Selected: copy it with the keyboard');
  };
  button.addEventListener('click', () => {
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, select); else select();
  });
  return make('div', [shown, button], { class: 'command' });
}

function fixes(all) {
  if (!all || !all.length) return null;
  return [make('p', 'To fix it', { class: 'label' }), all.map(fix => folded(fix.title, [
    fix.commands.map(text => command(text)), fix.manifest && command(fix.manifest, 'Manifest'),
  ], { class: 'fix' }))];
}
function evidence(all) {
  if (!all || !all.length) return null;
  return foldedLater(`Evidence: ${plural(all.length, 'record')}`, () => list(all.map(e => [
    make('p', [moment(e.ts), ' ', make('span', e.source, { class: 'soft' }), ' ', e.summary]),
    e.origin && make('p', `${e.origin.uri}, line ${e.origin.line}`, { class: 'soft origin' }),
    command(`eksplain evidence ${e.id}`),
  ])), { class: 'evidence' });
}
