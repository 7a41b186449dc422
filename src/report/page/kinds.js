'use strict';
// What the report lists: for each kind its columns, what is searched and filtered, and what makes two findings the same.

const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const STATUSES = ['active', 'unproven', 'revoked'];
// A name that somebody asked for in vain is perhaps no cluster: the summary does not count it.
const ONLY_REFUSED = 'named only by refused calls';
const CLUSTER = ['cluster.account', 'cluster.region', 'cluster.name'];
const openWord = resolved => resolved ? 'resolved' : 'open';
const who = finding => finding.principal || finding.kubernetes_username;

// The request of a denial in words: `list secrets in dev`, `eks:DescribeCluster`, `log in`.
function asked(request) {
  if (request.aws_action) return request.aws_action;
  if (!request.verb) return 'log in';
  if (request.non_resource_url) return `${request.verb} ${request.non_resource_url}`;
  const resource = [request.resource, request.api_group].filter(Boolean).join('.') + (request.subresource ? '/' + request.subresource : '');
  return `${request.verb} ${resource}${request.name ? ' ' + request.name : ''}${request.namespace ? ' in ' + request.namespace : ''}`;
}

const clusterColumn = { id: 'cluster', name: 'Cluster', path: 'cluster.name', cell: row => clusterCell(row.cluster) };
const KINDS = [
  {
    id: 'clusters', title: 'Clusters', one: 'cluster', many: 'clusters', note: 'Every cluster that the logs name.',
    search: CLUSTER.concat('state'), start: '-state', identity: CLUSTER,
    columns: [
      clusterColumn,
      { id: 'state', name: 'State', path: 'state', ranks: ['locked out', 'creator gone', 'living', 'no record of its creation', ONLY_REFUSED, 'deleted'], cell: row => badge(row.state) },
      { id: 'admins', name: 'Admin grants', path: 'admins', number: true, cell: row => row.admins ? link(to(['admins'], { cluster: clusterKey(row.cluster), status: 'active', power: 'admin' }), number(row.admins)) : '0' },
      { id: 'open', name: 'Open refused calls', path: 'open', number: true, cell: row => row.open ? link(to(['denials'], { cluster: clusterKey(row.cluster), state: 'false' }), number(row.open)) : '0' },
      { id: 'serious', name: 'Serious checks', path: 'serious', number: true, cell: row => row.serious ? link(to(['checks'], { cluster: clusterKey(row.cluster), severity: 'serious' }), number(row.serious)) : '0' },
      { id: 'created', name: 'Created', path: 'created_at', cell: row => moment(row.created_at) },
    ],
    filters: [{ id: 'state', name: 'State', path: 'state' }, { id: 'account', name: 'Account', path: 'cluster.account' }, { id: 'region', name: 'Region', path: 'cluster.region' }],
  },
  {
    id: 'admins', title: 'Admins', one: 'admin', many: 'admins', note: 'Who has, or had, cluster-admin power, by which route.',
    search: CLUSTER.concat('principal', 'kubernetes_username', 'principal_type', 'route_kinds'), start: '-status',
    columns: [
      { id: 'who', name: 'Principal', path: 'principal', cell: row => principal(row.principal) },
      clusterColumn,
      { id: 'status', name: 'Status', path: 'status', ranks: STATUSES, cell: row => [badge(row.status), row.power === 'can_become_admin' && [' ', make('span', 'can become admin', { class: 'soft' })]] },
      { id: 'routes', name: 'Routes', path: 'route_kinds', sorts: false, cell: row => [...new Set(row.routes.map(route => route.route))].join(', ') },
      { id: 'principal-state', name: 'Principal is', path: 'principal_state', cell: row => badge(row.principal_state) },
      { id: 'seen', name: 'Last seen', path: 'last_seen', cell: row => moment(row.last_seen) },
    ],
    filters: [
      { id: 'status', name: 'Status', path: 'status' }, { id: 'power', name: 'Power', path: 'power' }, { id: 'route', name: 'Route', path: 'route_kinds' },
      { id: 'type', name: 'Type', path: 'principal_type' }, { id: 'is', name: 'Principal is', path: 'principal_state' },
    ],
    article: adminArticle,
  },
  {
    id: 'creators', title: 'Creators', one: 'creator', many: 'creators', note: 'Who made each cluster, whether that principal still exists, and how to get back in.',
    search: CLUSTER.concat('creator.principal', 'creator.human', 'creator.session', 'creator.via'), start: '-locked',
    columns: [
      clusterColumn,
      { id: 'creator', name: 'Creator', path: 'creator.principal', cell: row => principal(row.creator.principal) },
      { id: 'human', name: 'Human', path: 'creator.human', cell: row => row.creator.human || '-' },
      { id: 'is', name: 'Creator is', path: 'creator_state', cell: row => badge(row.creator_state) },
      { id: 'locked', name: 'Locked out', path: 'recovery.needed', cell: row => row.recovery.needed ? badge('locked out') : 'no' },
      { id: 'created', name: 'Created', path: 'cluster.created_at', cell: row => moment(row.cluster.created_at) },
    ],
    filters: [
      { id: 'locked', name: 'Locked out', path: 'recovery.needed', label: value => value ? 'yes' : 'no' }, { id: 'is', name: 'Creator is', path: 'creator_state' },
      { id: 'mode', name: 'Authentication mode', path: 'authentication_mode' }, { id: 'via', name: 'Made by', path: 'creator.via' },
    ],
    article: creatorArticle,
  },
  {
    id: 'denials', title: 'Denials', one: 'denial', many: 'denials', note: 'Why calls were refused, and the fix. Alike calls are one denial with a count.',
    search: CLUSTER.concat('principal', 'kubernetes_username', 'session', 'reason', 'cause', 'request.aws_action', 'request.verb', 'request.resource', 'request.namespace', 'request.name'),
    start: '-seen',
    columns: [
      { id: 'who', name: 'Who', path: 'principal', cell: row => principal(who(row)) },
      { id: 'asked', name: 'Asked to', path: 'request.resource', cell: row => asked(row.request) },
      { id: 'reason', name: 'Reason', path: 'reason', cell: row => make('code', row.reason) },
      clusterColumn,
      { id: 'state', name: 'State', path: 'resolved', cell: row => badge(openWord(row.resolved)) },
      { id: 'calls', name: 'Calls', path: 'count', number: true, cell: row => number(row.count) },
      { id: 'seen', name: 'Last seen', path: 'last_seen', cell: row => moment(row.last_seen) },
    ],
    filters: [
      { id: 'state', name: 'State', path: 'resolved', label: openWord }, { id: 'layer', name: 'Layer', path: 'layer' }, { id: 'reason', name: 'Reason', path: 'reason' },
      { id: 'confidence', name: 'Confidence', path: 'confidence' },
    ],
    article: denialArticle,
  },
  {
    id: 'checks', title: 'Checks', one: 'check finding', many: 'check findings', note: 'What is dangerous, broken, or a lockout waiting to happen in the access configuration.',
    search: CLUSTER.concat('rule', 'subject', 'message', 'severity'), start: '-severity',
    columns: [
      { id: 'severity', name: 'Severity', path: 'severity', ranks: SEVERITIES, cell: row => badge(row.severity) },
      { id: 'message', name: 'Message', path: 'message', cell: row => row.message },
      { id: 'subject', name: 'Subject', path: 'subject', cell: row => principal(row.subject) },
      clusterColumn,
      { id: 'rule', name: 'Rule', path: 'rule', cell: row => make('code', row.rule) },
    ],
    filters: [
      { id: 'severity', name: 'Severity', path: 'severity', groups: { serious: ['critical', 'high'] }, labels: { serious: 'critical or high' } },
      { id: 'rule', name: 'Rule', path: 'rule' },
    ],
    article: checkArticle,
  },
  {
    id: 'changes', title: 'Changes', one: 'change', many: 'changes', note: 'What is otherwise than in the report before.',
    search: CLUSTER.concat('kind', 'subject', 'was', 'is'), start: 'kind', identity: CLUSTER.concat('kind', 'subject'),
    columns: [
      { id: 'kind', name: 'Change', path: 'kind', cell: row => make('code', row.kind) },
      clusterColumn,
      { id: 'subject', name: 'Subject', path: 'subject', cell: row => principal(row.subject) },
      { id: 'was', name: 'Was', path: 'was', cell: row => row.was || '-' },
      { id: 'is', name: 'Is', path: 'is', cell: row => row.is || '-' },
    ],
    filters: [{ id: 'kind', name: 'Change', path: 'kind' }],
  },
  {
    id: 'coverage', title: 'Coverage', one: 'source', many: 'sources', note: 'What the logs hold of each cluster, where they have holes, and what therefore cannot be known.',
    search: CLUSTER.concat('source'), start: 'cluster', identity: CLUSTER.concat('source'),
    columns: [
      clusterColumn,
      { id: 'source', name: 'Source', path: 'source', cell: row => row.source },
      { id: 'first', name: 'First record', path: 'first', cell: row => moment(row.first) },
      { id: 'last', name: 'Last record', path: 'last', cell: row => moment(row.last) },
      { id: 'records', name: 'Records', path: 'records', number: true, cell: row => number(row.records) },
      { id: 'gaps', name: 'Gaps', path: 'gaps.length', number: true, cell: row => number(row.gaps.length) },
      { id: 'blind', name: 'Blind spots', path: 'blind_spots.length', number: true, cell: row => number(row.blind_spots.length) },
    ],
    filters: [{ id: 'source', name: 'Source', path: 'source' }, { id: 'account', name: 'Account', path: 'cluster.account' }, { id: 'region', name: 'Region', path: 'cluster.region' }],
    article: coverageArticle,
  },
];
const kindOf = id => KINDS.find(kind => kind.id === id);
