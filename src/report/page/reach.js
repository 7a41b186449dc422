'use strict';
// Who reaches a cluster, by which hops: principals on the left, the cluster on the right, one thread for each route.

const THREADS = 40;
function reachGraph(admins, name) {
  const routes = admins.filter(admin => admin.status !== 'revoked').flatMap(admin => admin.routes.filter(route => route.status !== 'revoked').map(route => ({ admin, route })));
  if (!routes.length) return null;
  const shown = routes.slice(0, THREADS);
  const nodes = new Map(), links = new Map();
  const node = (key, text, kind) => { if (!nodes.has(key)) nodes.set(key, { key, text, kind }); return key; };
  for (const { admin, route } of shown) {
    // A hop that repeats the principal is said once. A hop is told apart by its distance from the cluster, so that no thread turns back.
    const hops = route.via.length ? route.via : [route.route.replaceAll('_', ' ')];
    const chain = [node(`who ${admin.principal}`, ending(admin.principal), 'who'),
      ...hops.map((hop, at) => { const text = hop.replace(admin.principal, '').replace(/\s+/g, ' ').trim() || route.route; return node(`${hops.length - at} ${text}`, text, 'hop'); }),
      node('cluster', name, 'cluster')];
    for (let at = 1; at < chain.length; at++) {
      const key = chain[at - 1] + '\u0000' + chain[at];
      if (!links.has(key)) links.set(key, { source: chain[at - 1], target: chain[at], value: 0, proven: false });
      links.get(key).value += 1;
      links.get(key).proven ||= route.status === 'active';
    }
  }
  const least = 760;
  const label = `Who reaches ${name}: ${shown.map(({ admin, route }) => `${ending(admin.principal)} by ${route.via.join(', ') || route.route}`).join('; ')}`;
  return picture(label, [
    list([[make('span', null, { class: 'swatch active' }), 'active'], [make('span', null, { class: 'swatch unproven' }), 'unproven']], { class: 'legend' }),
    routes.length > THREADS && make('p', `The first ${THREADS} of ${number(routes.length)} routes; all are in the list above.`),
  ], width => drawReach([...nodes.values()], [...links.values()], width), least);
}

function drawReach(nodes, links, width) {
  const widest = Math.max(...Object.values(Object.groupBy(nodes, each => each.kind === 'who' ? 'who' : each.key.split(' ')[0])).map(column => column.length));
  const height = Math.max(widest * 46, 120);
  const layout = charts.sankey().nodeId(each => each.key).nodeWidth(10).nodePadding(32).nodeSort(null).extent([[6, 24], [width - 6, height - 4]]);
  const graph = layout({ nodes: nodes.map(each => ({ ...each })), links: links.map(each => ({ ...each })) });
  const svg = shape('svg', { width, height, viewBox: `0 0 ${width} ${height}`, class: 'plot reach' });
  const path = charts.sankeyLinkHorizontal();
  for (const each of graph.links) {
    svg.append(shape('path', { d: path(each), class: each.proven ? 'thread' : 'thread unproven', 'stroke-width': Math.max(Math.min(each.width, 14), 1.5) }));
  }
  const depth = Math.max(...graph.nodes.map(each => each.depth), 1);
  const room = (width - 12) / (depth + 0.35);
  for (const each of graph.nodes) {
    const last = each.depth === depth;
    const label = shape('text', { x: last ? each.x1 : each.x0, y: each.y0 - 7, 'text-anchor': last ? 'end' : 'start', class: each.kind === 'hop' ? '' : 'strong' });
    label.textContent = clip(visible(each.text), (last ? room * 0.8 : room - 8) * (each.kind === 'hop' ? 1 : 0.86));
    const mark = shape('rect', { x: each.x0, y: each.y0, width: each.x1 - each.x0, height: Math.max(each.y1 - each.y0, 3), rx: 2, class: each.kind });
    const whole = shape('title', {});
    whole.textContent = visible(each.text);
    mark.append(whole);
    svg.append(mark, label);
  }
  return svg;
}
function shape(tag, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
