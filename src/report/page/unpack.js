'use strict';
// The page's data as report/pack.rs wrote it: findings column by column, each string once. A row is built when it is shown.

const PLACE = /\ue01f[\ue000-\ue01f]|[\ue000-\ue01e]/g;
const SECOND = 1000000;

class Table {
  constructor(packed, strings) {
    this.length = packed.count;
    this.names = packed.names;
    this.strings = strings;
    this.rows = packed.rows;
    this.beside = packed.beside;
    this.columns = new Map();
  }

  // The finding, as it stands in report.json.
  row(at) {
    return spellOut(cellAt(this.rows, at, this.strings), this.names);
  }

  // The values at a path, such as `cluster.name`; null where the way ends early.
  column(path) {
    if (!this.columns.has(path)) {
      const found = this.found(path);
      this.columns.set(path, Array.from({ length: this.length }, (_, at) => {
        const value = found(at) ? cellAt(found.column, at, this.strings) : null;
        return typeof value === 'string' ? this.spelled(value, at) : value;
      }));
    }
    return this.columns.get(path);
  }

  // A field of the findings, or a column that stands beside them for searches alone.
  found(path) {
    return columnAt(path in this.beside.f ? this.beside : this.rows, path);
  }

  // A text of a row with the row's own names in it, without building the row.
  spelled(text, at) {
    return spellText(text, place => {
      if (!this.named) this.named = this.names.map(path => columnAt(this.rows, path.replace(/\/$/, '')));
      const found = this.named[place];
      return namedBy(found(at) ? cellAt(found.column, at, this.strings) : null, this.names[place]);
    });
  }

  // 1 where the value at a path is as asked; a value that many rows have is looked at once.
  test(path, predicate) {
    const found = this.found(path);
    const result = new Uint8Array(this.length);
    const { column } = found;
    const ofNull = predicate(null) ? 1 : 0;
    if (column.k === 'null' || column.k === 'same') {
      const ofAll = predicate(cellAt(column, 0, this.strings)) ? 1 : 0;
      for (let at = 0; at < this.length; at++) result[at] = found(at) ? ofAll : ofNull;
      return result;
    }
    // By the string's place: 0 and 1 are answers, 2 is not asked yet, 3 depends on the row's own names.
    const answers = new Uint8Array(column.k === 'text' ? this.strings.length : 0).fill(2);
    const known = new Map();
    for (let at = 0; at < this.length; at++) {
      if (!found(at)) { result[at] = ofNull; continue; }
      if (column.k === 'text') {
        const place = column.v[at];
        if (place < 0) { result[at] = ofNull; continue; }
        if (answers[place] === 2) {
          const text = this.strings[place];
          answers[place] = text.search(PLACE) >= 0 ? 3 : predicate(text) ? 1 : 0;
        }
        result[at] = answers[place] < 2 ? answers[place] : predicate(this.spelled(this.strings[place], at)) ? 1 : 0;
        continue;
      }
      const value = cellAt(column, at, this.strings);
      if (!known.has(value)) known.set(value, predicate(value) ? 1 : 0);
      result[at] = known.get(value);
    }
    return result;
  }
}

function valueAt(row, path) {
  return path.split('.').reduce((value, field) => value === null || value === undefined ? null : value[field], row);
}

// Follows a path; the answer tells for a row whether the way exists, and holds the column.
function columnAt(rows, path) {
  let column = rows;
  const gates = [];
  for (const field of path.split('.')) {
    if (column.k !== 'object' || !(field in column.f)) { column = { k: 'null' }; break; }
    if (column.p) gates.push(column.p);
    column = fieldOf(column, field);
  }
  const found = at => gates.every(present => present[at]);
  found.column = column;
  return found;
}

// A field, which another field may have to tell.
function fieldOf(object, name) {
  const field = object.f[name];
  if (field.k === 'time-of-id') return { k: 'time', t: object.f.id.t };
  if (field.k === 'after') return { ...field, since: object.f[field.of].t };
  return field;
}

function cellAt(column, at, strings) {
  switch (column.k) {
    case 'same': return column.v;
    case 'number': return column.v[at];
    case 'text': return column.v[at] < 0 ? null : strings[column.v[at]];
    case 'time': return timeText(timeOf(column.t, at));
    case 'after': return timeText(timeOf(column.since, at) + timeOf(column.t, at));
    case 'id': return idText(timeOf(column.t, at)) + column.v.slice(at * 17, at * 17 + 17);
    case 'object': {
      if (column.p && !column.p[at]) return null;
      const value = {};
      for (const name of Object.keys(column.f)) value[name] = cellAt(fieldOf(column, name), at, strings);
      return value;
    }
    case 'list': {
      if (column.n[at] < 0) return null;
      if (!column.from) {
        column.from = new Uint32Array(column.n.length);
        for (let row = 1; row < column.n.length; row++) column.from[row] = column.from[row - 1] + Math.max(column.n[row - 1], 0);
      }
      return Array.from({ length: column.n[at] }, (_, item) => cellAt(column.v, column.from[at] + item, strings));
    }
    default: return null;
  }
}

function timeOf(times, at) {
  const count = times.v[at];
  return count === null ? null : (times.from + count) * times.unit;
}

// RFC 3339 with no, 3 or 6 decimals: the fewest that lose nothing.
function timeText(micros) {
  if (micros === null) return null;
  const rest = micros % SECOND;
  const seconds = new Date((micros - rest) / 1000).toISOString().slice(0, 19);
  if (rest === 0) return seconds + 'Z';
  const digits = String(rest).padStart(6, '0');
  return seconds + '.' + (rest % 1000 === 0 ? digits.slice(0, 3) : digits) + 'Z';
}

// The first 12 characters of a record's id: its time in base32hex.
function idText(micros) {
  let text = '';
  for (let rest = micros; text.length < 12; rest = Math.floor(rest / 32)) text = '0123456789abcdefghijklmnopqrstuv'[rest % 32] + text;
  return text;
}

// Puts the finding's own names back where its sentences and commands leave a place for them.
function spellOut(row, names) {
  const name = place => namedBy(valueAt(row, names[place].replace(/\/$/, '')), names[place]);
  const spell = value => {
    if (typeof value === 'string') return spellText(value, name);
    if (Array.isArray(value)) return value.map(spell);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, spell(field)]));
  };
  return spell(row);
}

function spellText(text, name) {
  return text.search(PLACE) < 0 ? text : text.replace(PLACE, found => found.length === 2 ? found[1] : name(found.charCodeAt(0) - 0xe000));
}

// A path that ends with a slash means what follows the last one.
function namedBy(whole, path) {
  if (typeof whole !== 'string') return '';
  return path.endsWith('/') ? whole.slice(whole.lastIndexOf('/') + 1) : whole;
}

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  const { strings, tables, ...rest } = JSON.parse(text);
  for (const [name, packed] of Object.entries(tables)) rest[name] = new Table(packed, strings);
  return rest;
}

// The whole report; tables are read row by row.
function openReport() {
  return unpack(document.getElementById('data').textContent);
}
