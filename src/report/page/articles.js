'use strict';
// One finding in full: what a row opens to, and what a link to a finding shows.

// Who knows of the finding and lets it be.
const acceptedNote = row => row.accepted && make('p', [make('b', 'Accepted: '), row.accepted.why, make('span', ` (${row.accepted.owner}${row.accepted.until ? `, until ${row.accepted.until}` : ''})`, { class: 'soft' })], { class: 'note' });

function adminArticle(row) {
  return [
    acceptedNote(row),
    facts([
      ['Type', row.principal_type], ['Kubernetes user name', row.kubernetes_username],
      ['Power', row.power === 'can_become_admin' ? 'can become admin' : row.power], ['Incarnation of the cluster', row.incarnation > 1 && row.incarnation],
      ['Sessions', row.sessions.length ? row.sessions.join(', ') : null], ['Uses', number(row.uses)],
      ['First seen', moment(row.first_seen)], ['Last seen', moment(row.last_seen)],
      ['Principal deleted', row.principal_deleted_at && moment(row.principal_deleted_at)],
    ]),
    list(row.routes.map(route => [
      make('p', [make('b', route.route), ' ', badge(route.status), ' ', make('span', lasted(route), { class: 'soft' })]),
      make('p', route.detail),
      route.via.length > 0 && list(route.via, { class: 'via', 'aria-label': 'By way of' }, 'ol'),
      evidence(route.evidence),
    ]), { class: 'routes', 'aria-label': 'Routes' }),
  ];
}
function lasted(route) {
  const from = route.valid_from ? ['from ', moment(route.valid_from)] : 'from before the logs show';
  return [from, route.valid_to ? [' to ', moment(route.valid_to)] : ''];
}

function creatorArticle(row) {
  const by = row.creator;
  return [
    acceptedNote(row),
    facts([
      ['Creator', by.principal ? principal(by.principal) : 'unknown'], ['Human', by.human], ['Session', by.session], ['Type', by.type], ['Made by', by.via],
      ['Creator is', badge(row.creator_state)], ['Deleted', row.creator_deleted_at && moment(row.creator_deleted_at)], ['Recreated', row.creator_recreated_at && moment(row.creator_recreated_at)],
      ['Cluster created', moment(row.cluster.created_at)], ['Cluster deleted', row.cluster.deleted_at && moment(row.cluster.deleted_at)],
      ['Authentication mode', row.authentication_mode], ['Bootstrap admin', row.bootstrap_admin === null ? null : row.bootstrap_admin ? 'yes' : 'no'],
      ['Confidence', row.basis ? `${row.confidence}, by ${row.basis.replaceAll('_', ' ')}` : row.confidence], ['Address', by.source_ip], ['Program', by.user_agent],
      ['Other admins', row.other_admins.length ? list(row.other_admins.map(principal), { class: 'plain' }) : 'none known'],
    ]),
    recovery(row.recovery),
    evidence(row.evidence),
  ];
}
function recovery(plan) {
  return make('div', [
    make('p', [make('b', plan.needed ? 'Recovery is needed: ' : 'Recovery is not needed: '), plan.why]),
    plan.options.map(option => folded([badge(option.works, option.works === 'yes' ? 'works' : option.works === 'no' ? 'does not work' : 'depends'), ' ', option.title], [
      make('p', option.why), option.commands.map(text => command(text)),
      option.caveats.length > 0 && list(option.caveats, { class: 'plain' }),
    ], { class: 'fix', open: plan.needed && option.works === 'yes' })),
  ], { class: plan.needed ? 'note bad-note' : 'note' });
}

function denialArticle(row) {
  const request = row.request;
  return [
    acceptedNote(row),
    make('p', row.cause, { class: 'cause' }),
    row.seen_by_user_as.length > 0 && [make('p', 'What the caller saw', { class: 'label' }), row.seen_by_user_as.map(text => make('pre', visibleText(text)))],
    fixes(row.fix),
    facts([
      ['Layer', row.layer], ['Kubernetes user name', row.kubernetes_username], ['Groups', row.groups.join(', ')], ['Session', row.session], ['API group', request.api_group],
      ['Subresource', request.subresource], ['Calls', number(row.count)], ['First seen', moment(row.first_seen)], ['Last seen', moment(row.last_seen)], ['Confidence', row.confidence],
    ]),
    row.by_day && row.by_day.length > 1 && foldedLater(`Calls by day: ${plural(row.by_day.length, 'day')}`, () =>
      list(row.by_day.map(({ date, count }) => `${date}: ${number(count)}`), { class: 'days' })),
    evidence(row.evidence),
  ];
}
const visibleText = text => document.createTextNode(visibleLines(text));

function checkArticle(row) {
  return [acceptedNote(row), make('p', row.message), fixes(row.fix), evidence(row.evidence)];
}

function coverageArticle(row) {
  return [
    row.blind_spots.length ? [make('p', 'What therefore cannot be known', { class: 'label' }), list(row.blind_spots, { class: 'plain' })] : make('p', 'No blind spot is known.'),
    row.gaps.length > 0 && foldedLater(`Gaps: ${number(row.gaps.length)}`, () => list(row.gaps.slice(0, 200).map(gap => [moment(gap.from), ' to ', moment(gap.to)]), { class: 'plain' })),
  ];
}

// A link to one finding leads here.
function findingView(kind, table, name) {
  const at = find(kind, table, name);
  if (at < 0) {
    return { title: kind.title, content: [make('h1', kind.title), make('p', 'This report holds no such finding: what the link names may be gone since.'), make('p', link(to([kind.id]), `All ${kind.many}`))] };
  }
  const row = table.row(at);
  return {
    title: `One ${kind.one}`,
    content: [
      make('p', link(to([kind.id]), `All ${kind.many}`), { class: 'up' }),
      make('h1', `One ${kind.one}`),
      facts(kind.columns.map(column => [column.name, column.cell(row)])),
      make('article', kind.article(row), { class: 'finding' }),
    ],
  };
}
