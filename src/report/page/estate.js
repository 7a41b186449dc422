'use strict';
// The clusters of the report, and which rows of each table are theirs: worked out once, from columns.

const TABLES = ['admins', 'creators', 'denials', 'checks'];
// Active grants of admin power to IAM principals that are no longer those they were made for.
function goneGrants(admins, rows) {
  const [statuses, powers, states] = ['status', 'power', 'principal_state'].map(path => admins.column(path));
  return [...rows || statuses.keys()].filter(at => statuses[at] === 'active' && powers[at] === 'admin' && ['deleted', 'recreated'].includes(states[at]));
}
const toDeleted = count => count > 0 && `${number(count)} to ${count === 1 ? 'a deleted principal' : 'deleted principals'}`;

function estateOf(report) {
  const clusters = [];
  const known = new Map();
  const within = (map, key, make) => map.get(key) || map.set(key, make()).get(key);
  const idOf = (account, region, name) => {
    if (name === null) return -1;
    const regions = within(within(known, name, () => new Map()), region, () => new Map());
    if (!regions.has(account)) {
      regions.set(account, clusters.length);
      clusters.push({ cluster: { account, region, name }, admins: 0, open: 0, serious: 0, created_at: null, state: 'no record of its creation' });
    }
    return regions.get(account);
  };
  const owners = {};
  for (const id of TABLES) {
    const table = report[id];
    const [accounts, regions, names] = CLUSTER.map(path => table.column(path));
    owners[id] = Int32Array.from({ length: table.length }, (_, at) => idOf(accounts[at], regions[at], names[at]));
  }
  for (const { cluster } of report.coverage) if (cluster) idOf(cluster.account, cluster.region, cluster.name);
  const places = Object.fromEntries(TABLES.map(id => [id, rowsByOwner(owners[id], clusters.length)]));

  const each = (id, paths, act) => {
    const columns = paths.map(path => report[id].column(path));
    owners[id].forEach((owner, at) => { if (owner >= 0) act(clusters[owner], ...columns.map(column => column[at])); });
  };
  each('admins', ['status', 'power'], (cluster, status, power) => { cluster.admins += status === 'active' && power === 'admin' ? 1 : 0; });
  each('denials', ['resolved', 'count'], (cluster, resolved, count) => { cluster.open += resolved ? 0 : count; });
  each('checks', ['severity'], (cluster, severity) => { cluster.serious += severity === 'critical' || severity === 'high' ? 1 : 0; });
  // Incarnations come in order: the last one is what the name stands for now.
  each('creators', ['cluster.created_at', 'cluster.deleted_at', 'recovery.needed', 'creator_state'], (cluster, created, deleted, needed, state) => {
    cluster.created_at = created;
    cluster.state = deleted ? 'deleted' : needed ? 'locked out' : state === 'deleted' || state === 'recreated' ? 'creator gone' : 'living';
  });
  const logged = new Set(report.coverage.filter(({ cluster, source }) => cluster && source !== 'cloudtrail').map(({ cluster: { account, region, name } }) => idOf(account, region, name)));
  const states = new Map();
  clusters.forEach((cluster, at) => {
    const has = id => places[id](at).length > 0;
    if (has('denials') && !logged.has(at) && !['admins', 'creators', 'checks'].some(has)) cluster.state = ONLY_REFUSED;
    states.set(cluster.state, (states.get(cluster.state) || 0) + 1);
  });
  return {
    clusters: plainTable(clusters),
    // How many clusters are in each state.
    states,
    // The place of a cluster, or -1.
    at: cluster => { const id = ((known.get(cluster.name) || new Map()).get(cluster.region) || new Map()).get(cluster.account); return id === undefined ? -1 : id; },
    rows: (id, at) => places[id](at),
  };
}
// The rows of each owner, as one list of all rows and where each owner's part begins.
function rowsByOwner(owners, count) {
  const starts = new Uint32Array(count + 1);
  for (const owner of owners) if (owner >= 0) starts[owner + 1]++;
  for (let at = 0; at < count; at++) starts[at + 1] += starts[at];
  const next = starts.slice(), rows = new Uint32Array(starts[count]);
  owners.forEach((owner, at) => { if (owner >= 0) rows[next[owner]++] = at; });
  return at => rows.subarray(starts[at], starts[at + 1]);
}
