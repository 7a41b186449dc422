'use strict';
// The findings of one kind as rows: each opens to the whole finding.

const PAGE = 100;

// A table of some rows. On a phone the style shows each row as a card, so the roles are said: a card is no table to a screen reader.
function findingsTable(kind, table, rows, label, head) {
  const columns = kind.columns;
  const heads = columns.map(column => make('th', head ? head(column) : column.name, { scope: 'col', role: 'columnheader', class: column.number && 'number' }));
  if (head) heads.forEach((th, at) => { if (columns[at].sorts !== false) th.setAttribute('aria-sort', head.sorted(columns[at])); });
  if (kind.article) heads.push(make('th', make('span', 'More', { class: 'unseen' }), { scope: 'col', role: 'columnheader', class: 'opener' }));
  const body = make('tbody', rows.map(at => openingRow(kind, table.row(at))), { role: 'rowgroup' });
  return make('div', make('table', [make('thead', make('tr', heads, { role: 'row' }), { role: 'rowgroup' }), body], { role: 'table', 'aria-label': label, class: head && 'ordered' }), { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label });
}
function openingRow(kind, row) {
  const cells = kind.columns.map(column => make('td', breakable(make('div', column.cell(row))), { role: 'cell', 'data-name': column.name, class: column.number && 'number' }));
  const tr = make('tr', cells, { role: 'row' });
  if (!kind.article) return tr;
  const what = visible(read(row, kind.columns[0].path) || read(row, kind.columns[1].path) || '');
  const button = make('button', make('span', '▸', { 'aria-hidden': 'true' }), { type: 'button', 'aria-expanded': 'false', 'aria-label': `More of ${what}` });
  tr.append(make('td', button, { role: 'cell', class: 'opener' }));
  let detail = null;
  const toggle = () => {
    const open = button.getAttribute('aria-expanded') === 'false';
    button.setAttribute('aria-expanded', String(open));
    tr.classList.toggle('opened', open);
    if (open && !detail) {
      const content = make('article', [kind.article(row), make('p', link(toFinding(kind, row), 'Link to this finding'))], { class: 'finding' });
      detail = make('tr', make('td', content, { role: 'cell', colspan: kind.columns.length + 1 }), { role: 'row', class: 'detail' });
      tr.after(detail);
    }
    if (detail) detail.hidden = !open;
  };
  button.addEventListener('click', toggle);
  tr.addEventListener('click', event => { if (!event.target.closest('a, button') && !getSelection().toString()) toggle(); });
  return tr;
}

// A list with its search, filters, order and pages; all of them live in the address.
function listView(kind, table, query) {
  const state = new Map(query);
  const go = changes => { location.hash = to([kind.id], { ...Object.fromEntries(state), page: '', ...changes }); };
  const count = make('p', null, { class: 'count', role: 'status' });
  const result = make('div');

  const search = make('input', null, { type: 'search', id: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'any words, in any order' });
  search.value = state.get('q') || '';
  let waiting = 0;
  search.addEventListener('input', () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      if (search.value) state.set('q', search.value); else state.delete('q');
      state.delete('page');
      history.replaceState(null, '', to([kind.id], Object.fromEntries(state)));
      draw();
    });
  });
  const filters = kind.filters.map(filter => filterField(filter, table, state.get(filter.id) || '', value => go({ [filter.id]: value })));

  const head = column => {
    if (column.sorts === false) return column.name;
    const sorted = head.sorted(column);
    const button = make('button', [column.name, make('span', sorted === 'none' ? '' : sorted === 'ascending' ? ' ▲' : ' ▼', { 'aria-hidden': 'true' })], { type: 'button', id: `by-${column.id}` });
    button.addEventListener('click', () => go({ sort: sorted === 'ascending' || (sorted === 'none' && (column.number || column.ranks)) ? '-' + column.id : column.id }));
    return button;
  };
  head.sorted = column => {
    const by = state.get('sort') || kind.start;
    return by === column.id ? 'ascending' : by === '-' + column.id ? 'descending' : 'none';
  };

  function draw() {
    const began = performance.now();
    const rows = chosen(kind, table, state);
    const pages = Math.max(Math.ceil(rows.length / PAGE), 1);
    const page = Math.min(Math.max(parseInt(state.get('page') || '1', 10) || 1, 1), pages);
    count.textContent = rows.length === table.length ? plural(table.length, kind.one, kind.many) : `${number(rows.length)} of ${plural(table.length, kind.one, kind.many)}`;
    result.replaceChildren();
    if (!rows.length) {
      fill(result, make('p', [table.length ? 'Nothing fits. ' : 'None. ', table.length > 0 && link(to([kind.id]), 'Show all')]));
    } else {
      fill(result, [findingsTable(kind, table, [...rows.subarray((page - 1) * PAGE, page * PAGE)], kind.title, head), pages > 1 && pager(page, pages, at => to([kind.id], { ...Object.fromEntries(state), page: at > 1 ? at : '' }))]);
    }
    count.dataset.took = (performance.now() - began).toFixed(1);
  }
  const cluster = state.get('cluster') && clusterOfKey(state.get('cluster'));
  draw();
  return {
    title: kind.title,
    content: [
      make('h1', kind.title), make('p', kind.note, { class: 'soft' }), kind.above && kind.above(),
      make('form', [
        make('label', [make('span', 'Search'), search], { class: 'search' }), filters,
        cluster && make('p', ['Cluster ', make('b', clusterName(cluster)), ' ', link(to([kind.id], { ...Object.fromEntries(state), cluster: '', page: '' }), 'all clusters')], { class: 'chip' }),
      ], { class: 'tools', role: 'search', 'aria-label': `Find ${kind.many}` }),
      count, result,
    ],
    ready: node => node.querySelector('form').addEventListener('submit', event => event.preventDefault()),
  };
}

// A choice among the values of a column. One value is no choice.
function filterField(filter, table, value, choose) {
  const counts = counted(table, filter.path).filter(([name]) => name !== null).slice(0, 500);
  if (counts.length < 2 && !value) return null;
  const label = name => (filter.labels || {})[name] || (filter.label ? filter.label(name) : String(name).replaceAll('_', ' '));
  const options = counts.map(([name, rows]) => make('option', `${label(name)} (${number(rows)})`, { value: String(name) }));
  const groups = Object.keys(filter.groups || {}).map(name => make('option', label(name), { value: name }));
  if (value && ![...options, ...groups].some(option => option.value === value)) groups.push(make('option', value, { value }));
  const select = make('select', [make('option', 'all', { value: '' }), groups, options], { id: `choose-${filter.id}` });
  select.value = value;
  select.addEventListener('change', () => choose(select.value));
  return make('label', [make('span', filter.name), select]);
}

function pager(page, pages, at) {
  return make('nav', [
    page > 1 && link(at(page - 1), 'Previous', { rel: 'prev' }), make('span', `Page ${number(page)} of ${number(pages)}`), page < pages && link(at(page + 1), 'Next', { rel: 'next' }),
  ], { class: 'pager', 'aria-label': 'Pages' });
}
