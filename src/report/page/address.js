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

// 53 bits of a text (cyrb53 by bryc, public domain): the name of a finding in a link, the same in the next report.
function nameOf(text) {
  let one = 0xdeadbeef, two = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 2654435761);
    two = Math.imul(two ^ code, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return (4294967296 * (2097151 & two) + (one >>> 0)).toString(36);
}
const read = (row, path) => path.split('.').reduce((value, name) => value === null || value === undefined ? null : value[name] === undefined ? null : value[name], row);
const identity = (kind, row) => nameOf(kind.identity.map(path => read(row, path)).join('\u0000'));
const toFinding = (kind, row) => to([kind.id, identity(kind, row)]);

// The row that a link names, or -1. Every row is looked at, once for each link that is opened.
function find(kind, table, name) {
  const columns = kind.identity.map(path => table.column(path));
  for (let at = 0; at < table.length; at++) {
    if (nameOf(columns.map(column => column[at]).join('\u0000')) === name) return at;
  }
  return -1;
}
