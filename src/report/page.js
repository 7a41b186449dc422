'use strict';
// Every text of the data is set as text, never as markup.
const data = JSON.parse(document.getElementById('data').textContent);
const main = document.getElementById('main');
const PAGE = 100;

function make(tag, content, attributes) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  for (const part of [].concat(content === undefined || content === null ? [] : content)) {
    node.append(part instanceof Node ? part : document.createTextNode(visible(String(part))));
  }
  return node;
}
// Control characters and marks that turn the writing direction are shown, not obeyed.
function visible(text) {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    c => '\\u{' + c.charCodeAt(0).toString(16) + '}');
}
const clusterName = c => c ? c.name + (c.region || c.account ? ' (' + [c.account, c.region].filter(Boolean).join(' ') + ')' : '') : '-';
const short = t => t ? t.replace(/\.\d+Z$/, 'Z') : '-';

function copyable(text) {
  const button = make('button', 'Copy', { type: 'button', class: 'copy', 'aria-label': 'Copy the command' });
  button.addEventListener('click', () => {
    const done = () => { button.textContent = 'Copied'; };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => {});
  });
  return make('div', [make('pre', text), button]);
}
function evidence(list) {
  if (!list || !list.length) return [];
  const items = list.map(e => make('li', `${short(e.ts)} ${e.source}: ${e.summary} (${e.id}${e.origin ? ', ' + e.origin.uri + ' line ' + e.origin.line : ''})`));
  return [make('details', [make('summary', `Evidence (${list.length})`), make('ul', items, { class: 'plain' })])];
}
function fixes(list) {
  return (list || []).map(f => make('details', [make('summary', f.title), ...f.commands.map(copyable), ...(f.manifest ? [copyable(f.manifest)] : [])]));
}
const tone = word => ({ active: 'warn', deleted: 'bad', recreated: 'bad', unproven: 'soft', revoked: 'soft', critical: 'bad', high: 'bad', medium: 'warn', yes: 'good', no: 'soft' })[word] || '';
const word = text => make('span', text, { class: tone(text) });

// A table with search, one filter, sorting by its heads, and more rows on demand.
function table(id, title, note, rows, columns, filterName, filterOf, details) {
  const section = make('section', [make('h2', title, { id }), make('p', note, { class: 'soft' })], { 'aria-labelledby': id });
  main.append(section);
  if (!rows.length) { section.append(make('p', 'None.')); return; }
  const search = make('input', null, { type: 'search', id: id + '-search' });
  const filter = make('select', [make('option', 'all', { value: '' }), ...[...new Set(rows.map(filterOf))].sort().map(v => make('option', v, { value: v }))], { id: id + '-filter' });
  const count = make('p', '', { class: 'soft', role: 'status' });
  const more = make('button', 'Show more', { type: 'button', class: 'more' });
  const body = make('tbody');
  const state = { by: -1, down: false, shown: PAGE };
  const heads = columns.map(([name], at) => {
    const button = make('button', name, { type: 'button' });
    const head = make('th', button, { scope: 'col', 'aria-sort': 'none' });
    button.addEventListener('click', () => {
      state.down = state.by === at && !state.down;
      state.by = at;
      heads.forEach((h, other) => h.setAttribute('aria-sort', other !== at ? 'none' : state.down ? 'descending' : 'ascending'));
      draw();
    });
    return head;
  });
  const texts = rows.map(row => columns.map(([, text]) => String(text(row))));
  const haystack = texts.map(cells => cells.join('\u0000').toLowerCase());
  function draw() {
    const needle = search.value.toLowerCase();
    let order = rows.map((_, at) => at).filter(at => (!needle || haystack[at].includes(needle)) && (!filter.value || filterOf(rows[at]) === filter.value));
    if (state.by >= 0) {
      const sign = state.down ? -1 : 1;
      order.sort((a, b) => sign * texts[a][state.by].localeCompare(texts[b][state.by], 'en', { numeric: true }) || a - b);
    }
    count.textContent = `${order.length} of ${rows.length}`;
    more.hidden = order.length <= state.shown;
    body.replaceChildren(...order.slice(0, state.shown).map(at => {
      const cells = columns.map(([, text, look], c) => make('td', look ? look(rows[at]) : texts[at][c]));
      cells[cells.length - 1].append(...details(rows[at]));
      return make('tr', cells);
    }));
  }
  search.addEventListener('input', () => { state.shown = PAGE; draw(); });
  filter.addEventListener('change', () => { state.shown = PAGE; draw(); });
  more.addEventListener('click', () => { state.shown += PAGE * 5; draw(); });
  section.append(
    make('div', [make('label', ['Search', search]), make('label', [filterName, filter]), count], { class: 'tools' }),
    make('div', make('table', [make('thead', make('tr', heads)), body]), { class: 'scroll', tabindex: '0', role: 'region', 'aria-labelledby': id }),
    more);
  draw();
}

function svg(tag, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = visible(text);
  return node;
}
// Who had admin when: one bar a route, for each cluster.
function timeline(cluster, admins) {
  const end = Date.parse(data.at);
  const bars = admins.flatMap(a => a.routes.filter(r => r.valid_from).map(r => ({ name: a.principal, route: r, from: Date.parse(r.valid_from), to: r.valid_to ? Date.parse(r.valid_to) : end })));
  if (!bars.length) return [];
  const start = Math.min(...bars.map(b => b.from));
  const span = Math.max(end - start, 1);
  const shown = bars.slice(0, 40), row = 34;
  const picture = svg('svg', { viewBox: `0 0 900 ${shown.length * row + 24}`, role: 'img', 'aria-label': `Who had admin of ${visible(cluster)} when: ${shown.length} routes` });
  shown.forEach((b, at) => {
    const x = 10 + 880 * (b.from - start) / span, width = Math.max(880 * (b.to - b.from) / span, 3);
    picture.append(svg('text', { x: 10, y: at * row + 14 }, `${b.name.split(':').pop()} by ${b.route.route} (${b.route.status})`),
      svg('rect', { x, y: at * row + 19, width, height: 9, rx: 2, class: b.route.status === 'active' ? '' : b.route.status === 'revoked' ? 'gone' : 'may' }));
  });
  const y = shown.length * row + 16;
  picture.append(svg('text', { x: 10, y }, short(new Date(start).toISOString())), svg('text', { x: 890, y, 'text-anchor': 'end' }, short(data.at)));
  return [make('details', [make('summary', cluster), picture])];
}
// Denials for each day of their last sight.
function denialsByDay() {
  const days = new Map();
  for (const d of data.denials) days.set(d.last_seen.slice(0, 10), (days.get(d.last_seen.slice(0, 10)) || 0) + d.count);
  const list = [...days].sort().slice(-60);
  if (!list.length) return [];
  const most = Math.max(...list.map(([, n]) => n)), width = 880 / list.length;
  const picture = svg('svg', { viewBox: '0 0 900 150', role: 'img', 'aria-label': `Refused calls by the day of the last one: ${list.length} days, at most ${most} a day` });
  list.forEach(([day, n], at) => {
    const bar = svg('rect', { x: 10 + at * width, y: 120 - 100 * n / most, width: Math.max(width - 2, 1), height: 100 * n / most });
    bar.append(svg('title', {}, `${day}: ${n}`));
    picture.append(bar);
  });
  picture.append(svg('line', { x1: 10, x2: 890, y1: 120, y2: 120 }), svg('text', { x: 10, y: 138 }, list[0][0]), svg('text', { x: 890, y: 138, 'text-anchor': 'end' }, list[list.length - 1][0]), svg('text', { x: 10, y: 14 }, `${most} a day`));
  return [picture];
}

document.getElementById('at').textContent = `As the logs show it at ${data.at}; eksplain ${data.version}`;
const active = data.admins.filter(a => a.status === 'active').length;
const locked = data.creators.filter(c => c.recovery.needed).length;
const open = data.denials.filter(d => !d.resolved).reduce((n, d) => n + d.count, 0);
const serious = data.checks.filter(c => c.severity === 'critical' || c.severity === 'high').length;
const card = (n, text, look) => make('li', [make('strong', n, { class: n ? look : '' }), text]);
main.append(make('ul', [card(new Set(data.creators.map(c => clusterName(c.cluster) + c.incarnation)).size, 'clusters', ''), card(active, 'admins now', ''), card(locked, 'clusters that nobody is known to be able to enter', 'bad'), card(open, 'refused calls not resolved since', 'warn'), card(serious, 'serious findings in the configuration', 'bad')], { class: 'cards' }));

const spots = data.coverage.flatMap(c => c.blind_spots.map(s => `${clusterName(c.cluster)}: ${s}`));
const blind = make('section', [make('h2', 'What these logs cannot show', { id: 'blind' })], { 'aria-labelledby': 'blind' });
blind.append(spots.length ? make('ul', [...new Set(spots)].slice(0, 200).map(s => make('li', s)), { class: 'plain' }) : make('p', 'Nothing is missing.'));
main.append(blind);

table('admins', 'Admins', 'Who has, or had, cluster-admin power, by which route.', data.admins, [
  ['Cluster', a => clusterName(a.cluster)], ['Principal', a => a.principal], ['Status', a => a.status, a => word(a.status)],
  ['Routes', a => a.routes.map(r => r.route).join(', ')], ['State', a => a.principal_state, a => word(a.principal_state)], ['Last seen', a => short(a.last_seen)],
  ['Sessions', a => a.sessions.join(', ') || '-'],
], 'Status', a => a.status, a => a.routes.flatMap(r => [make('details', [make('summary', `${r.route}: ${r.status}`), make('p', r.detail), ...r.via.map(v => make('p', v)), make('p', `from ${short(r.valid_from)} to ${short(r.valid_to)}`), ...evidence(r.evidence)])]));

const byCluster = new Map();
for (const a of data.admins) byCluster.set(clusterName(a.cluster), [...(byCluster.get(clusterName(a.cluster)) || []), a]);
const times = make('section', [make('h2', 'Who had admin when', { id: 'times' })], { 'aria-labelledby': 'times' });
times.append(...[...byCluster].slice(0, 200).flatMap(([cluster, admins]) => timeline(cluster, admins)));
main.append(times);

table('creators', 'Creators', 'Who made each cluster, whether that identity still exists, and how to get back in.', data.creators, [
  ['Cluster', c => clusterName(c.cluster)], ['Created', c => short(c.cluster.created_at)], ['Creator', c => c.creator.principal || 'unknown'], ['Human', c => c.creator.human || '-'],
  ['State', c => c.creator_state, c => word(c.creator_state)], ['Confidence', c => c.confidence], ['Locked out', c => c.recovery.needed ? 'yes' : 'no', c => make('span', c.recovery.needed ? 'yes' : 'no', { class: c.recovery.needed ? 'bad' : '' })],
], 'State', c => c.creator_state, c => [make('details', [make('summary', 'Recovery'), make('p', c.recovery.why), ...c.recovery.options.map(o => make('details', [make('summary', `${o.title} (works: ${o.works})`), make('p', o.why), ...o.commands.map(copyable), ...o.caveats.map(v => make('p', v))]))]), ...evidence(c.evidence)]);

const days = make('section', [make('h2', 'Refused calls by day', { id: 'days' }), ...denialsByDay()], { 'aria-labelledby': 'days' });
main.append(days);
table('denials', 'Denials', 'Why calls were refused, and the fix.', data.denials, [
  ['Cluster', d => clusterName(d.cluster)], ['Who', d => d.principal || d.kubernetes_username || 'unknown'], ['Reason', d => d.reason],
  ['Asked to', d => d.request.aws_action || [d.request.verb, d.request.resource || d.request.non_resource_url].filter(Boolean).join(' ') || 'log in'],
  ['Count', d => d.count], ['Last seen', d => short(d.last_seen)], ['Resolved', d => d.resolved ? 'yes' : 'no', d => word(d.resolved ? 'yes' : 'no')],
], 'Layer', d => d.layer, d => [make('p', d.cause), ...fixes(d.fix), ...evidence(d.evidence)]);

table('checks', 'Checks', 'What is dangerous, broken, or a lockout waiting to happen.', data.checks, [
  ['Severity', c => c.severity, c => word(c.severity)], ['Cluster', c => clusterName(c.cluster)], ['Rule', c => c.rule], ['Subject', c => c.subject], ['Message', c => c.message],
], 'Severity', c => c.severity, c => [...fixes(c.fix), ...evidence(c.evidence)]);
if (location.hash) { const target = document.getElementById(location.hash.slice(1)); if (target) target.scrollIntoView(); }
