'use strict';
// Opens the report and shows the view that the address names.

// What the report was narrowed or widened to; nothing where that is what it always looks at.
function selectionText(selection) {
  if (!selection) return '';
  const { clusters = [], account, region, since, until, scope } = selection;
  const names = (clusters || []).filter(name => name !== '*');
  const day = time => time.length < 17 ? time : short(time).replace(/ 00:00$/, '');
  const where = [
    names.length > 0 && `cluster${names.length === 1 && !/[*?]/.test(names[0]) ? '' : 's'} ${names.join(', ')}`, account && `account ${account}`, region && `region ${region}`,
  ].filter(Boolean).join(', ');
  const when = [since && `since ${day(since)}`, until && `until ${day(until)}`].filter(Boolean).join(' ');
  const all = [where && `only ${where}`, when && `denials ${when}`, scope === 'all' && 'refused calls of every AWS service'].filter(Boolean).join('; ');
  return all && all[0].toUpperCase() + all.slice(1);
}
function clustersNote(states) {
  const living = ['locked out', 'creator gone', 'living'].reduce((sum, state) => sum + (states.get(state) || 0), 0);
  const parts = ['no record of its creation', ONLY_REFUSED, 'deleted'].filter(state => states.has(state)).map(state => `${number(states.get(state))} ${state.replace('its creation', 'creation')}`.replace(/^(\S+) no record/, '$1 with no record'));
  return states.size ? `Every cluster that the logs name: ${[`${number(living)} living`, ...parts].join(', ')}.` : 'These logs name no cluster.';
}

async function start() {
  const main = document.getElementById('main');
  const opening = document.getElementById('opening');
  opening.hidden = false;
  let report;
  try {
    report = await openReport();
  } catch (error) {
    opening.textContent = visible(`This page could not be opened: ${error.message}. report.json of the same day holds the same.`);
    return;
  }
  const estate = estateOf(report);
  const tables = { clusters: estate.clusters, changes: plainTable(report.changes ? report.changes.findings : []), coverage: plainTable(report.coverage) };
  for (const id of TABLES) tables[id] = report[id];
  document.getElementById('at').append('As the logs show it at ', moment(report.at), ' UTC');
  document.getElementById('about').textContent = visible(`eksplain ${report.version}. All times are UTC. report.json, CSV and Parquet files of the same findings are under reports/date=${report.at.slice(0, 10)}/.`);

  const only = selectionText(report.selection);
  const nav = document.getElementById('nav');
  const places = [['', 'Summary'], ...KINDS.filter(kind => kind.id !== 'changes' || report.changes).map(kind => [kind.id, kind.title, kind.id === 'coverage' ? null : kind.id === 'clusters' ? report.summary.clusters : tables[kind.id].length])];
  nav.append(list(places.map(([id, title, count]) => link(`#/${id}`, [title, count !== undefined && count !== null && [' ', make('span', number(count), { class: 'many' })]], { 'data-view': id }))));

  function view({ path, query }) {
    const kind = kindOf(path[0]);
    if (kind && kind.id === 'clusters') return listView({ ...kind, note: clustersNote(estate.states) }, estate.clusters, query);
    if (kind) return path[1] ? findingView(kind, tables[kind.id], path[1]) : listView(kind, tables[kind.id], query);
    if (path[0] === 'cluster') return clusterView(report, estate, path.slice(1));
    return summaryView(report, estate);
  }
  let before = null;
  function show() {
    const here = address();
    const held = document.activeElement && document.activeElement.id;
    const same = before !== null && before === here.path.slice(0, here.path[0] === 'cluster' ? 4 : 2).join('/');
    const shown = view(here);
    document.title = `${visible(shown.title)} - ${document.querySelector('.brand').textContent}`;
    for (const each of nav.querySelectorAll('a')) {
      const current = each.dataset.view === (here.path[0] === 'cluster' ? 'clusters' : here.path[0]);
      if (current) each.setAttribute('aria-current', 'page'); else each.removeAttribute('aria-current');
    }
    main.replaceChildren();
    fill(main, shown.content);
    if (only) main.querySelector('h1').after(make('p', only, { class: 'soft' }));
    const placed = shown.ready && shown.ready(main);
    const again = same && held && document.getElementById(held);
    if (again) again.focus();
    else if (before !== null && !placed) {
      scrollTo(0, 0);
      const heading = main.querySelector('h1');
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    before = here.path.slice(0, here.path[0] === 'cluster' ? 4 : 2).join('/');
  }
  addEventListener('hashchange', () => { if (/^#?(\/|$)/.test(location.hash)) show(); });
  document.querySelector('.skip').addEventListener('click', event => { event.preventDefault(); main.focus(); });
  show();
  document.documentElement.dataset.ready = 'yes';
}

// On paper all that is folded stands open, evidence aside; afterwards it is as it was.
let opened = [];
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open]):not(.evidence)')];
  for (const each of opened) {
    each.open = true;
    each.dispatchEvent(new Event('toggle'));
  }
});
addEventListener('afterprint', () => { for (const each of opened) each.open = false; });

if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start); else start();
