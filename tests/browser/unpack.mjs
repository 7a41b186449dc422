// What the page reads is what report.json holds, finding by finding.
//   node unpack.mjs REPORT.html REPORT.json [REPORT.html REPORT.json …]
import { readFileSync } from 'node:fs';
import { deepStrictEqual, ok } from 'node:assert';
import vm from 'node:vm';

const script = readFileSync(new URL('../../src/report/page/unpack.js', import.meta.url), 'utf8');
const plain = value => JSON.parse(JSON.stringify(value));
const files = process.argv.slice(2);
for (let at = 0; at < files.length; at += 2) await compare(...files.slice(at, at + 2).map(path => readFileSync(path, 'utf8')));

async function compare(page, json) {
  const report = JSON.parse(json);
  const data = page.match(/<script type="application\/gzip;base64" id="data">([^<]*)<\/script>/)[1].trim();
  const world = vm.createContext({ atob, Blob, Response, DecompressionStream, Uint8Array, Uint32Array, Date, document: { getElementById: () => ({ textContent: data }) } });
  vm.runInContext(script, world);
  const opened = await vm.runInContext('openReport()', world);
  let rows = 0;
  for (const list of ['admins', 'creators', 'denials', 'checks']) {
    const table = opened[list];
    deepStrictEqual(table.length, report[list].length, list);
    for (let at = 0; at < table.length; at++, rows++) deepStrictEqual(plain(table.row(at)), report[list][at], `${list} ${at}`);
  }
  const names = opened.denials.column('cluster.name');
  const is = opened.denials.test('cluster.name', name => name === 'prod');
  report.denials.forEach((denial, at) => {
    deepStrictEqual(names[at], denial.cluster ? denial.cluster.name : null);
    deepStrictEqual(is[at], denial.cluster && denial.cluster.name === 'prod' ? 1 : 0);
  });
  for (const field of ['schema', 'version', 'at', 'selection', 'summary', 'changes', 'not_compared', 'coverage']) deepStrictEqual(plain(opened[field]), report[field], field);
  ok(rows > 0, 'the report is empty');
  console.log(`${rows} findings are the same`);
}
