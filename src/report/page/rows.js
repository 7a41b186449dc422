'use strict';
// Which rows of a table fit what the reader searches and chooses, and in which order: over columns, not over rows.

// A table of plain objects, with the same face as the tables that `openReport` gives.
function plainTable(rows) {
  const columns = new Map();
  const column = path => {
    if (!columns.has(path)) columns.set(path, rows.map(row => read(row, path)));
    return columns.get(path);
  };
  const test = (path, predicate) => {
    const known = new Map();
    return Uint8Array.from(column(path), value => {
      if (!known.has(value)) known.set(value, predicate(value) ? 1 : 0);
      return known.get(value);
    });
  };
  return { length: rows.length, row: at => rows[at], column, test };
}

const orders = new WeakMap();
const TIME = /^\d{4}-\d\d-\d\dT/;
const COLLATOR = new Intl.Collator('en', { numeric: true });
// The rows of a table in the order of one column: worked out once. Rows that are equal stay as the report has them.
function order(table, path, ranks, isTurned) {
  if (!orders.has(table)) orders.set(table, new Map());
  const known = orders.get(table), name = (isTurned ? '-' : '') + path;
  if (known.has(name)) return known.get(name);
  const column = table.column(path);
  const values = [...new Set(column)];
  const few = values.length <= 5000;
  const compare = (a, b) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
    if (ranks) return ranks.indexOf(b) - ranks.indexOf(a);
    if (typeof a !== 'string') return a - b;
    if (few) return COLLATOR.compare(a, b);
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const rank = new Map();
  if (TIME.test(values[0])) {
    // Times are compared as numbers: quick, and half a second may be written with one digit or with six.
    const times = Float64Array.from(values, value => value === null ? -Infinity : Date.parse(value));
    const places = Uint32Array.from(values.keys()).sort(isTurned ? (a, b) => times[b] - times[a] : (a, b) => times[a] - times[b]);
    places.forEach((at, place) => rank.set(values[at], place));
  } else {
    values.sort(isTurned ? (a, b) => compare(b, a) : compare).forEach((value, place) => rank.set(value, place));
  }
  // Rank and row in one number, so that the sort is one of plain numbers.
  const keys = new Float64Array(table.length);
  for (let at = 0; at < keys.length; at++) keys[at] = rank.get(column[at]) * table.length + at;
  keys.sort();
  const rows = Uint32Array.from(keys, key => key % table.length);
  known.set(name, rows);
  return rows;
}

const pattern = term => new RegExp(term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
// The rows that hold one word. The last words are kept: while one is typed, those before it stay.
const lately = [];
function holding(kind, table, term) {
  const known = lately.find(each => each.table === table && each.term === term);
  if (known) return known.any;
  const wanted = pattern(term);
  const any = new Uint8Array(table.length);
  for (const path of kind.search) {
    const hits = table.test(path, value => value !== null && wanted.test(value));
    for (let at = 0; at < any.length; at++) any[at] |= hits[at];
  }
  if (lately.push({ table, term, any }) > 8) lately.shift();
  return any;
}
// One byte a row: 1 where every word of the search is in some column, and every filter fits.
function fitting(kind, table, query) {
  const keep = new Uint8Array(table.length).fill(1);
  const and = hits => { for (let at = 0; at < keep.length; at++) keep[at] &= hits[at]; };
  for (const term of (query.get('q') || '').split(/\s+/).filter(Boolean)) and(holding(kind, table, term));
  for (const filter of kind.filters) {
    const wanted = query.get(filter.id);
    if (!wanted) continue;
    const group = (filter.groups || {})[wanted];
    and(table.test(filter.path, value => group ? group.includes(value) : String(value) === wanted));
  }
  if (query.get('cluster')) {
    const cluster = clusterOfKey(query.get('cluster'));
    for (const name of ['account', 'region', 'name']) and(table.test(`cluster.${name}`, value => value === cluster[name]));
  }
  return keep;
}
// The rows that fit, in the order asked for (`-name` is that column turned round).
function chosen(kind, table, query) {
  const keep = fitting(kind, table, query);
  const asked = query.get('sort') || kind.start;
  const column = kind.columns.find(({ id }) => id === asked.replace(/^-/, '')) || kind.columns[0];
  const rows = new Uint32Array(table.length);
  let count = 0;
  for (const at of order(table, column.path, column.ranks, asked.startsWith('-'))) if (keep[at]) rows[count++] = at;
  return rows.subarray(0, count);
}

// Each value of a column with the number of its rows, the most frequent first.
function counted(table, path, rows) {
  const column = table.column(path);
  const counts = new Map();
  const add = at => counts.set(column[at], (counts.get(column[at]) || 0) + 1);
  if (rows) rows.forEach(add); else for (let at = 0; at < column.length; at++) add(at);
  return [...counts].sort((a, b) => b[1] - a[1] || (String(a[0]) < String(b[0]) ? -1 : 1));
}
