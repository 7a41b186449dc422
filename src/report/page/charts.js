'use strict';
// The pictures. Each says in words what it shows, and what it shows stands beside it as a list or a table.

const LAYERS = ['authn', 'authz', 'admission', 'apiserver', 'iam', 'sts', 'eks', 'client'];
const LAYER_MEANS = {
  authn: 'login refused by the authenticator', authz: 'refused by RBAC or an access policy', admission: 'refused by admission control', apiserver: 'refused by the API server',
  iam: 'refused by IAM', sts: 'refused by STS', eks: 'refused by the EKS API', client: 'refused by the client',
};
const DAY = 86400000;

// A picture that is drawn at the width it has, and again when that changes.
function picture(label, caption, draw, least) {
  const holder = make('div', null, { class: 'chart', ...(least ? { tabindex: '0', role: 'region', 'aria-label': label } : {}) });
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.max(Math.floor(holder.clientWidth), least || 0);
    if (!holder.clientWidth || now === width) return;
    width = now;
    const svg = draw(width);
    // The style that Plot brings is in page.css: the page's policy admits no other.
    for (const style of svg.querySelectorAll('style')) style.remove();
    for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', visible(label));
    holder.replaceChildren(svg);
  }).observe(holder);
  return make('figure', [holder, caption && make('figcaption', caption)]);
}
const clip = (text, width) => { const room = Math.max(Math.floor(width / 7), 4); return text.length > room ? text.slice(0, room - 1) + '…' : text; };
const ending = name => name.startsWith('arn:') ? name.split(':').slice(5).join(':') : name;

// Who had admin when: one bar for each route, the active ones first.
const BARS = 30;
function accessTimeline(admins, at, created, deleted) {
  const end = Date.parse(deleted || at);
  const bars = admins.flatMap(admin => admin.routes.map(route => ({
    name: ending(admin.principal), route: route.route, status: route.status, from: route.valid_from && Date.parse(route.valid_from),
    to: route.valid_to ? Date.parse(route.valid_to) : end, seen: [admin.first_seen, admin.last_seen].filter(Boolean).map(time => Date.parse(time)),
  }))).sort((a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) || (a.from || 0) - (b.from || 0));
  if (!bars.length) return null;
  const shown = bars.slice(0, BARS);
  const first = Math.min(...shown.flatMap(bar => [bar.from, ...bar.seen]).filter(Boolean), created ? Date.parse(created) : end, end - DAY);
  const start = first - (end - first) * 0.02;
  shown.forEach((bar, row) => Object.assign(bar, { row: String(row), x1: new Date(bar.from || start), x2: new Date(Math.max(bar.to, bar.from || start)) }));
  const uses = shown.flatMap(bar => bar.seen.map(time => ({ row: bar.row, time: new Date(time) })));
  const said = bar => visible(`${bar.name} by ${bar.route}, ${bar.status}${bar.from ? '' : ', from before the logs show'}`);
  const draw = width => {
    const bar = (status, look) => charts.barX(shown.filter(each => each.status === status), { x1: 'x1', x2: 'x2', y: 'row', insetTop: 21, insetBottom: 6, ...look });
    return charts.plot({
      width, height: shown.length * 38 + 46, marginLeft: 14, marginRight: 14, marginTop: 8, marginBottom: 38, className: 'plot',
      x: { type: 'utc', domain: [new Date(start), new Date(end)], label: null }, y: { type: 'band', domain: shown.map(each => each.row), axis: null, padding: 0 },
      marks: [
        charts.gridX({ stroke: 'var(--line)', strokeOpacity: 1 }), charts.axisX({ ticks: Math.max(Math.floor(width / 110), 2), tickSize: 4 }),
        bar('active', { fill: 'var(--bar)' }), bar('unproven', { fill: 'var(--wash)', stroke: 'var(--bar)', strokeDasharray: '4 3' }), bar('revoked', { fill: 'var(--gone)' }),
        charts.tickX(uses, { x: 'time', y: 'row', insetTop: 18, insetBottom: 3, stroke: 'var(--ink)', strokeWidth: 2 }),
        charts.text(shown, { x: () => new Date(start), y: 'row', text: each => clip(said(each), width - 20), textAnchor: 'start', dy: -9, dx: 2, fill: 'var(--ink)', fontSize: 12, stroke: 'var(--paper)', strokeWidth: 3 }),
      ],
    });
  };
  const states = STATUSES.filter(status => shown.some(each => each.status === status));
  return picture(`Who had admin when: ${plural(bars.length, 'route')}. ${shown.map(said).join('. ')}`, [
    list(states.map(status => [make('span', null, { class: `swatch ${status}` }), { active: 'active', unproven: 'unproven: may stand', revoked: 'revoked: until it ended' }[status]]).concat([[make('span', null, { class: 'swatch use' }), 'first and last use']]), { class: 'legend' }),
    bars.length > BARS && make('p', `The first ${BARS} of ${number(bars.length)} routes; all are in the list below.`),
  ], draw);
}

// Denials over time, a colour for each layer; days become weeks or months where there are many.
function denialsOverTime(days, filter) {
  if (!days.length) return null;
  const times = days.map(day => Date.parse(day.date));
  const first = times.reduce((a, b) => Math.min(a, b)), last = times.reduce((a, b) => Math.max(a, b));
  const span = (last - first) / DAY + 1;
  const step = span <= 120 ? 1 : span <= 800 ? 7 : 30;
  const unit = { 1: 'day', 7: 'week', 30: '30 days' }[step];
  const sums = new Map(), totals = new Map();
  days.forEach((day, at) => {
    const slot = Math.floor((times[at] - first) / DAY / step);
    if (!sums.has(slot)) sums.set(slot, new Map());
    sums.get(slot).set(day.layer, (sums.get(slot).get(day.layer) || 0) + day.count);
    totals.set(day.layer, (totals.get(day.layer) || 0) + day.count);
  });
  const rank = layer => (LAYERS.indexOf(layer) + LAYERS.length) % LAYERS.length;
  const slots = [...sums].sort((a, b) => a[0] - b[0]).map(([slot, layers]) => ({ from: new Date(first + slot * step * DAY), layers: [...layers].sort((a, b) => rank(a[0]) - rank(b[0])) }));
  const parts = slots.flatMap(({ from, layers }) => {
    let below = 0;
    return layers.map(([layer, count]) => ({ x1: from, x2: new Date(+from + step * DAY), y1: below, y2: below += count, layer }));
  });
  const colour = layer => `var(--${LAYERS.includes(layer) ? layer : 'client'})`;
  const shortest = Math.max(span, 14) * DAY;
  const draw = width => charts.plot({
    width, height: 200, marginLeft: 52, marginRight: 8, marginTop: 18, marginBottom: 40, className: 'plot',
    x: { type: 'utc', domain: [new Date(Math.min(first, last + DAY - shortest)), new Date(last + step * DAY)], label: null }, y: { label: null, nice: true },
    marks: [
      charts.axisY({ ticks: 4, tickFormat: n => Number.isInteger(n) ? number(n) : '', tickSize: 0 }), charts.axisX({ ticks: Math.max(Math.floor(width / 110), 2), tickSize: 4 }),
      charts.rectY(parts, { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2', fill: part => colour(part.layer), stroke: 'var(--paper)', strokeWidth: span > 60 ? 0.3 : 1 }),
      charts.ruleY([0], { stroke: 'var(--soft)' }),
    ],
  });
  const all = [...totals].sort((a, b) => rank(a[0]) - rank(b[0]));
  const sum = parts.reduce((n, part) => n + part.y2 - part.y1, 0);
  return [
    picture(`Refused calls by ${unit}: ${number(sum)} from ${slots[0].from.toISOString().slice(0, 10)} to ${new Date(last).toISOString().slice(0, 10)}; ${all.map(([layer, n]) => `${layer} ${number(n)}`).join(', ')}`,
      list(all.map(([layer, n]) => [make('span', null, { class: `swatch l-${LAYERS.includes(layer) ? layer : 'client'}` }), link(to(['denials'], { ...filter, layer }), layer), ` ${number(n)} `, make('span', LAYER_MEANS[layer] || '', { class: 'soft' })]), { class: 'legend' }), draw),
    foldedLater(`Refused calls by ${unit} as a table`, () => make('div', make('table', [
      make('thead', make('tr', [`From (${unit})`, ...all.map(([layer]) => layer)].map(name => make('th', name, { scope: 'col' })))),
      make('tbody', slots.map(({ from, layers }) => make('tr', [make('th', from.toISOString().slice(0, 10), { scope: 'row' }), all.map(([layer]) => make('td', number(new Map(layers).get(layer) || 0), { class: 'number' }))]))),
    ], { class: 'small' }), { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Refused calls by ${unit}` })),
  ];
}
