'use strict';
// All that the report knows of one cluster.

const ROWS = 25;      // findings of one kind before the page sends on to the whole list
const TIMED = 2000;   // denials whose days are added up for the picture

function clusterView(report, estate, [account, region, name, section]) {
  const cluster = { account: account || null, region: region || null, name };
  const at = estate.at(cluster);
  if (at < 0) return { title: 'No such cluster', content: [make('h1', 'No such cluster'), make('p', ['This report knows no cluster ', make('b', name || ''), '. ', link('#/clusters', 'All clusters')])] };
  const about = estate.clusters.row(at);
  const rows = Object.fromEntries(TABLES.map(id => [id, [...estate.rows(id, at)]]));
  const key = { cluster: clusterKey(cluster) };
  const statuses = report.admins.column('status');
  rows.admins.sort((a, b) => STATUSES.indexOf(statuses[a]) - STATUSES.indexOf(statuses[b]) || a - b);
  const admins = rows.admins.slice(0, 400).map(row => report.admins.row(row));
  const creators = rows.creators.map(row => report.creators.row(row)).reverse();
  const part = (id, title, content) => make('section', [make('h2', title, { id: `part-${id}`, tabindex: '-1' }), content], { 'aria-labelledby': `part-${id}` });
  const some = (id, label) => rows[id].length ? [
    findingsTable(narrowed(kindOf(id)), report[id], rows[id].slice(0, ROWS), label),
    rows[id].length > ROWS && make('p', link(to([id], key), `All ${number(rows[id].length)}`)),
  ] : make('p', 'None in these logs.');
  const severities = report.checks.column('severity');
  rows.checks.sort((a, b) => SEVERITIES.indexOf(severities[a]) - SEVERITIES.indexOf(severities[b]) || a - b);
  const powers = report.admins.column('power');
  const active = rows.admins.filter(row => statuses[row] === 'active');
  const can = active.filter(row => powers[row] === 'can_become_admin').length;
  const held = active.length - can, gone = goneGrants(report.admins, rows.admins).length;
  const counts = status => rows.admins.filter(row => statuses[row] === status).length;
  const latest = creators[0] && creators[0].cluster;
  const parts = [
    ['admins', 'Admins', [
      make('p', rows.admins.length ? `${plural(held, 'admin grant')} in force, ${gone ? (held === 1 ? 'to a deleted principal' : toDeleted(gone)) + ', ' : ''}${number(can)} more can become admin, ${number(counts('revoked'))} revoked, ${number(counts('unproven'))} unproven.` : ''),
      accessTimeline(admins, report.at, latest && latest.created_at, latest && latest.deleted_at), some('admins', 'Admins of this cluster'),
    ]],
    ['reach', 'Who reaches it, and how', reachGraph(admins, clusterName(cluster)) || make('p', 'No route is active or unproven.')],
    ['creator', 'Creator and recovery', creators.length ? creators.map(row => [
      creators.length > 1 && make('h3', `Incarnation ${row.incarnation}`), make('article', creatorArticle(row), { class: 'finding' }),
    ]) : make('p', 'No record shows who created it.')],
    ['denials', 'Denials', denialsOf(report, rows.denials, key)],
    ['checks', 'Checks', some('checks', 'Checks of this cluster')],
    ['coverage', 'Coverage', coverageOf(report, cluster)],
  ];
  return {
    title: clusterName(cluster),
    content: [
      make('p', link('#/clusters', 'All clusters'), { class: 'up' }),
      make('h1', [clusterName(cluster), ' ', badge(about.state)]),
      facts([['Account', account], ['Region', region], ['Created', latest && moment(latest.created_at)], ['Deleted', latest && latest.deleted_at && moment(latest.deleted_at)],
        ['Authentication mode', creators[0] && creators[0].authentication_mode], ['Incarnations', creators.length > 1 && number(creators.length)]]),
      make('nav', list(parts.map(([id, title]) => link(toCluster(cluster, id), title))), { class: 'within', 'aria-label': 'Parts of this cluster' }),
      parts.map(([id, title, content]) => part(id, title, content)),
    ],
    ready: () => {
      const target = section && document.getElementById(`part-${section}`);
      if (target) { target.scrollIntoView(); target.focus({ preventScroll: true }); }
      return Boolean(target);
    },
  };
}
// A cluster's own rows do not repeat its name.
const narrowed = kind => ({ ...kind, columns: kind.columns.filter(column => column.id !== 'cluster') });

// Denials by reason, each with its findings, and their days.
function denialsOf(report, rows, key) {
  if (!rows.length) return make('p', 'None in these logs.');
  const table = report.denials;
  const [reasons, resolved, counts, seen] = ['reason', 'resolved', 'count', 'last_seen'].map(path => table.column(path));
  const groups = new Map();
  for (const at of rows) {
    const group = groups.get(reasons[at]) || groups.set(reasons[at], { reason: reasons[at], rows: [], calls: 0, open: 0, seen: '' }).get(reasons[at]);
    group.rows.push(at);
    group.calls += counts[at];
    group.open += resolved[at] ? 0 : counts[at];
    if (seen[at] > group.seen) group.seen = seen[at];
  }
  const timed = rows.length > TIMED ? [...rows].sort((a, b) => counts[b] - counts[a]).slice(0, TIMED) : rows;
  const days = timed.flatMap(at => { const row = table.row(at); return (row.by_day || []).map(({ date, count }) => ({ date, count, layer: row.layer })); });
  return [
    make('p', [`${plural(rows.reduce((n, at) => n + counts[at], 0), 'refused call')}, ${number([...groups.values()].reduce((n, group) => n + group.open, 0))} not resolved since. `, link(to(['denials'], key), 'All as a list')]),
    denialsOverTime(days, key),
    rows.length > TIMED && make('p', `The picture adds up the ${number(TIMED)} denials with the most calls.`, { class: 'soft' }),
    [...groups.values()].sort((a, b) => b.open - a.open || b.calls - a.calls).map(group => foldedLater([
      make('code', group.reason), ' ', group.open ? badge('open', `${number(group.open)} open`) : badge('resolved'), ' ', make('span', [plural(group.calls, 'call'), ', last ', moment(group.seen)], { class: 'soft' }),
    ], () => [
      make('p', table.row(group.rows[0]).cause),
      findingsTable(narrowed(kindOf('denials')), table, group.rows.slice(0, ROWS), `Denials for ${group.reason}`),
      group.rows.length > ROWS && make('p', link(to(['denials'], { ...key, reason: group.reason }), `All ${number(group.rows.length)}`)),
    ], { class: 'group' })),
  ];
}

function coverageOf(report, cluster) {
  const sources = report.coverage.filter(each => each.cluster && each.cluster.name === cluster.name && each.cluster.region === cluster.region && each.cluster.account === cluster.account);
  if (!sources.length) return make('p', 'No record of this cluster itself is in the lake: others name it.');
  const spots = [...new Set(sources.flatMap(source => source.blind_spots))];
  return [spots.length > 0 && list(spots, { class: 'plain' }), findingsTable(narrowed(kindOf('coverage')), plainTable(sources), sources.map((_, at) => at), 'Coverage of this cluster')];
}
