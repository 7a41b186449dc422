'use strict';
// The first screen: the answer in ten seconds, what changed, what cannot be known, then the clusters.

function summaryView(report, estate) {
  const s = report.summary;
  const serious = s.checks.critical + s.checks.high;
  const { isSettled, said } = creatorsKnown(report);
  // Nothing found is good news only where there was something to look at.
  const good = hasCluster(report) ? 'good' : '';
  const named = estate.states.get(ONLY_REFUSED);
  const cards = [
    card(s.locked_out, s.locked_out === 1 ? 'cluster locked out' : 'clusters locked out', said, to(['clusters'], { state: 'locked out' }), s.locked_out ? 'bad' : isSettled ? good : ''),
    card(s.admins.active, s.admins.active === 1 ? 'admin grant in force' : 'admin grants in force', [toDeleted(goneGrants(report.admins).length), `${number(s.admins.unproven)} unproven, ${number(s.admins.can_become_admin)} can become admin`].filter(Boolean).join(', '), to(['admins'], { status: 'active', power: 'admin' }), ''),
    card(s.denials.open_calls, 'refused calls open', `${number(s.denials.open_findings)} of ${plural(s.denials.findings, 'denial')}`, to(['denials'], { state: 'false' }), s.denials.open_calls ? 'warn' : good),
    card(serious, 'serious check findings', `${number(s.checks.critical)} critical, ${number(s.checks.high)} high`, to(['checks'], { severity: 'serious' }), serious ? 'bad' : good),
    card(s.blind_spots, s.blind_spots === 1 ? 'blind spot' : 'blind spots', 'what these logs cannot show', '#/coverage', s.blind_spots ? 'warn' : good),
    card(s.clusters, s.clusters === 1 ? 'cluster' : 'clusters', [`${number(s.deleted_clusters)} deleted`, named && `${number(named)} ${ONLY_REFUSED}`].filter(Boolean).join(', '), '#/clusters', ''),
  ];
  const part = (id, title, content) => content && make('section', [make('h2', title, { id }), content], { 'aria-labelledby': id });
  return {
    title: 'Summary',
    content: [
      make('h1', 'Summary'),
      list(s.headline, { class: 'headline' }),
      list(cards, { class: 'cards' }),
      make('div', [part('changed', 'What changed', changesPart(report)), part('blind', 'What these logs cannot show', blindPart(report, estate))], { class: 'two' }),
      part('clusters', 'Clusters', clustersPart(estate)),
      part('days', 'Refused calls over time', denialsOverTime(report.denials_by_day, {}) || make('p', 'None in these logs.')),
      part('reach', 'Who reaches the most clusters', reachPart(report)),
    ],
  };
}
const card = (n, what, more, hash, tone) => link(hash, [make('strong', number(n)), make('span', what, { class: 'what' }), make('span', more, { class: 'soft' })], { class: `card ${tone}` });

const hasCluster = report => report.summary.clusters > 0 || report.coverage.some(each => each.cluster);
// What the living clusters' creators are, in words, and whether that is known of each of them.
function creatorsKnown(report) {
  const deleted = report.creators.column('cluster.deleted_at');
  const living = report.creators.column('creator_state').filter((_, at) => !deleted[at]);
  const gone = report.summary.creators_gone;
  const unsettled = living.filter(state => !['present', 'deleted', 'recreated'].includes(state)).length;
  const parts = [gone && `${number(gone)} with the creator gone`, unsettled && `${plural(unsettled, 'creator')} unknown or not settled`].filter(Boolean);
  const none = living.length ? 'every creator known is there' : hasCluster(report) ? 'no creator is known to be gone' : 'no cluster to look at';
  return { isSettled: living.length > 0 && !unsettled, said: parts.join(', ') || none };
}

const CHANGES = {
  'new-admin': 'New admin', 'lost-admin': 'Admin no longer', 'changed-routes': 'Routes changed', 'new-cluster': 'New cluster', 'cluster-deleted': 'Cluster deleted', 'creator-deleted': 'Creator deleted',
  'creator-recreated': 'Creator recreated', 'new-denial': 'New denial', 'resolved-denial': 'Denial resolved', 'new-check': 'New check finding', 'fixed-check': 'Check finding fixed',
};
const FIRST = ['creator-deleted', 'creator-recreated', 'new-admin', 'lost-admin', 'changed-routes', 'cluster-deleted', 'new-cluster', 'new-check', 'new-denial', 'fixed-check', 'resolved-denial'];
function changesPart(report) {
  if (!report.changes) return make('p', report.not_compared ? `Not compared: ${report.not_compared}.` : 'There is no earlier report to compare with.');
  const all = report.changes.findings;
  const since = make('p', ['Since the report of ', moment(report.changes.since), all.length ? ': ' : ': nothing.', all.length > 0 && link('#/changes', plural(all.length, 'change'))]);
  const kinds = Object.entries(Object.groupBy(all, change => change.kind)).sort((a, b) => FIRST.indexOf(a[0]) - FIRST.indexOf(b[0]));
  return [since, kinds.map(([kind, some]) => folded([make('b', number(some.length)), ' ', CHANGES[kind] || kind], [
    list(some.slice(0, 10).map(change => [change.cluster && [clusterCell(change.cluster), ' '], principal(change.subject), (change.was || change.is) && make('span', [' ', change.was && `was ${change.was}`, change.was && change.is && ', ', change.is && `is ${change.is}`], { class: 'soft' })]), { class: 'plain' }),
    some.length > 10 && make('p', link(to(['changes'], { kind }), `All ${number(some.length)}`)),
  ], { class: 'group', open: kinds.length <= 4 && some.length <= 4 }))];
}

// Blind spots by their sentence, the most widespread first; then what each source holds.
function blindPart(report, estate) {
  const spots = new Map();
  for (const source of report.coverage) for (const spot of new Set(source.blind_spots)) spots.set(spot, (spots.get(spot) || new Set()).add(source.cluster ? clusterKey(source.cluster) : ''));
  const sorted = [...spots].sort((a, b) => b[1].size - a[1].size);
  const line = ([spot, clusters]) => {
    const only = clusters.size === 1 && [...clusters][0];
    return [spot, ' ', only ? ['(', link(toCluster(clusterOfKey(only), 'coverage'), clusterOfKey(only).name || ''), ')'] : clusters.size > 1 && make('span', `(${plural(clusters.size, 'cluster')})`, { class: 'soft' })];
  };
  const sources = Object.entries(Object.groupBy(report.coverage, each => each.source));
  const edge = (some, name, pick) => some.map(each => each[name]).filter(Boolean).sort().at(pick) || null;
  const all = estate.clusters.length - (estate.states.get(ONLY_REFUSED) || 0);
  const seen = each => each.cluster && each.records && estate.clusters.row(estate.at(each.cluster)).state !== ONLY_REFUSED;
  return [
    !hasCluster(report) && make('p', estate.clusters.length ? 'These logs name clusters in refused calls alone.' : 'These logs name no cluster.'),
    sorted.length ? list(sorted.slice(0, 4).map(line), { class: 'plain' }) : !report.summary.blind_spots && hasCluster(report) && make('p', 'No blind spot is known.'),
    sorted.length > 4 && foldedLater(`${number(sorted.length - 4)} more`, () => [list(sorted.slice(4, 104).map(line), { class: 'plain' }), sorted.length > 104 && make('p', link('#/coverage', 'All of them'))]),
    make('div', make('table', [
      make('thead', make('tr', ['Source', 'Clusters', 'First record', 'Last record'].map(name => make('th', name, { scope: 'col' })))),
      make('tbody', sources.map(([source, some]) => make('tr', [
        make('th', link(to(['coverage'], { source }), source), { scope: 'row' }), make('td', `${number(some.filter(seen).length)} of ${number(all)}`), make('td', moment(edge(some, 'first', 0))), make('td', moment(edge(some, 'last', -1))),
      ]))),
    ], { class: 'small' }), { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'What each source holds' }),
    report.evidence_kept < 5 && make('p', report.evidence_kept ? `The report is large: this page keeps at most ${plural(report.evidence_kept, 'record')} of evidence for each finding. report.json of the same day holds all.` : 'The report is large: this page keeps no evidence. report.json of the same day holds it.', { class: 'note' }),
  ];
}

function clustersPart(estate) {
  const kind = kindOf('clusters'), table = estate.clusters;
  if (!table.length) return make('p', 'None in these logs.');
  const rows = chosen(kind, table, new Map()).subarray(0, 12);
  return [findingsTable(kind, table, [...rows], 'Clusters that need a look first'), table.length > rows.length && make('p', link('#/clusters', 'All of them'))];
}

function reachPart(report) {
  const { admins } = report;
  const active = admins.test('status', status => status === 'active');
  const [names, powers] = ['principal', 'power'].map(path => admins.column(path));
  const reach = new Map();
  for (let at = 0; at < names.length; at++) if (active[at] && powers[at] === 'admin') reach.set(names[at], (reach.get(names[at]) || 0) + 1);
  const top = [...reach].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 8);
  if (!top.length) return make('p', 'No admin route is active.');
  const most = top[0][1];
  return list(top.map(([name, n]) => {
    const bar = make('span', null, { class: 'length', 'aria-hidden': 'true', hidden: most === 1 });
    bar.style.width = `${Math.max(100 * n / most, 1)}%`;
    return [make('span', [link(to(['admins'], { q: name, status: 'active', power: 'admin' }), principal(name)), ` ${plural(n, 'cluster')}`]), bar];
  }), { class: 'bars' });
}
