'use strict';
// Where the reader is: the part after `#` holds the view, what is searched and chosen, and the order, so that it can be shared.

// `#/denials?q=prod&layer=authn` gives {path: ['denials'], query: Map}. What cannot be read leads to the summary.
function address() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  try {
    return { path: path.split('/').map(decodeURIComponent), query: new Map(new URLSearchParams(query || '')) };
  } catch {
    return { path: ['?'], query: new Map() };
  }
}
const part = text => encodeURIComponent(String(text === null || text === undefined ? '' : text).replace(/[\ud800-\udfff]/gu, '\ufffd'));
const to = (path, query) => {
  const pairs = new URLSearchParams(Object.entries(query || {}).filter(([, value]) => value !== '' && value !== null && value !== undefined));
  return '#/' + path.map(part).join('/') + (pairs.size ? '?' + pairs : '');
};
const toCluster = (cluster, section) => to(['cluster', cluster.account, cluster.region, cluster.name].concat(section || []));
// A cluster as one value of a query, and back.
const clusterKey = cluster => [cluster.account, cluster.region, cluster.name].map(part).join('/');
const clusterOfKey = key => {
  const [account, region, name] = key.split('/').map(text => decodeURIComponent(text) || null);
  return { account, region, name };
};
const clusterName = cluster => cluster ? cluster.name || '(no name)' : 'no cluster';
const clusterCell = cluster => cluster
  ? [link(toCluster(cluster), clusterName(cluster), { class: 'name' }), ' ', make('span', [cluster.account, cluster.region].filter(Boolean).map(text => [make('span', text, { class: text.length < 20 && 'whole' }), ' ']), { class: 'soft place' })]
  : make('span', 'no cluster', { class: 'soft' });

const read = (row, path) => path.split('.').reduce((value, name) => value === null || value === undefined ? null : value[name] === undefined ? null : value[name], row);
// A finding is called by its fingerprint; what is no finding, by what tells its rows apart.
const identity = (kind, row) => row.fingerprint || kind.identity.map(path => part(read(row, path))).join('~');
const toFinding = (kind, row) => to([kind.id, identity(kind, row)]);

// The row that a link names, or -1. Every row is looked at, once for each link that is opened.
function find(kind, table, name) {
  const fingerprints = kind.identity ? null : table.column('fingerprint');
  const columns = (kind.identity || []).map(path => table.column(path));
  for (let at = 0; at < table.length; at++) {
    if ((fingerprints ? fingerprints[at] : columns.map(column => part(column[at])).join('~')) === name) return at;
  }
  return -1;
}
