// Opens report pages in Chromium and holds them to their promises: nothing is fetched, nothing of the logs runs, axe finds no
// violation at AA, search and filters work, and every view is drawn in light and dark, wide and narrow.
//
//     node check.mjs PAGE.html… [--shots DIR]
//
// EKSPLAIN_NODE_MODULES may name the folder that holds playwright-core and axe-core; EKSPLAIN_CHROMIUM the browser.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';

const modules = process.env.EKSPLAIN_NODE_MODULES;
const require = createRequire(modules ? path.join(path.resolve(modules), '..', 'from.js') : import.meta.url);
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const words = process.argv.slice(2);
const at = words.indexOf('--shots');
const shots = at < 0 ? null : words.splice(at, 2)[1];
if (!words.length) {
  console.error('usage: node check.mjs PAGE.html… [--shots DIR]');
  process.exit(2);
}
if (shots) fs.mkdirSync(shots, { recursive: true });

const failed = [];
function check(what, faults) {
  const all = [faults].flat().filter(Boolean);
  console.log(`${all.length ? 'FAILED' : 'ok    '} ${what}`);
  for (const fault of all) console.log(`       ${fault}`);
  if (all.length) failed.push(what);
}

const browser = await chromium.launch({
  executablePath: process.env.EKSPLAIN_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// A page that writes down all that it must not do.
async function open(url, { width = 1440, height = 1000, dark = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', bypassCSP: false });
  const page = await context.newPage();
  const faults = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`); });
  page.on('pageerror', error => faults.push(`error: ${error.message}`));
  page.on('dialog', dialog => { faults.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', request => { if (!request.url().startsWith(url.split('#')[0])) faults.push(`asked for ${request.url()}`); });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', event => window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  await page.goto(url);
  await page.waitForSelector('html[data-ready]', { timeout: 60000 });
  return { page, faults, close: () => context.close() };
}
const settle = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))));
async function go(page, hash) {
  await page.evaluate(to => { location.hash = to; }, hash);
  await settle(page);
}
// Each view that this report has, by name.
const views = page => page.evaluate(() => {
  const cluster = [...document.querySelectorAll('main a[href^="#/cluster/"]')][0];
  const all = [...document.querySelectorAll('#nav a')].map(a => [a.textContent.split(' ')[0].toLowerCase(), a.getAttribute('href')]);
  return cluster ? [...all, ['cluster', cluster.getAttribute('href')]] : all;
});
async function openAll(page) {
  await page.evaluate(() => {
    for (const button of [...document.querySelectorAll('[aria-expanded=false]')].slice(0, 5)) button.click();
    for (const each of [...document.querySelectorAll('details')].slice(0, 60)) each.open = true;
  });
  await settle(page);
}
async function axeFaults(page) {
  // Through the debugger, so that the page's own policy stays as it is.
  await page.evaluate(`${axe}; 0`);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return found.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ')}`);
}
// What an attacker would like to see: markup that became elements, addresses that lead out, characters that hide.
const hostile = page => page.evaluate(() => {
  const faults = [];
  const main = document.getElementById('main');
  for (const node of main.querySelectorAll('script, img, iframe, object, embed, base, meta, link, [style*="url"]')) faults.push(`an element ${node.tagName}`);
  for (const node of main.querySelectorAll('*')) for (const { name } of node.attributes) if (/^on/i.test(name)) faults.push(`an attribute ${name}`);
  for (const a of document.querySelectorAll('[href], [src], [action]')) if (!(a.getAttribute('href') || '').startsWith('#')) faults.push(`an address ${a.outerHTML.slice(0, 80)}`);
  const hidden = document.body.innerText.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
  if (hidden) faults.push(`a hidden character ${hidden[0].charCodeAt(0).toString(16)}`);
  if (!/Access to Amazon EKS$/.test(document.title)) faults.push(`the title ${document.title}`);
  return faults;
});

async function everyView(url, name) {
  for (const [look, options] of Object.entries({ light: {}, dark: { dark: true }, narrow: { width: 390, height: 844 }, 'narrow-dark': { width: 390, height: 844, dark: true } })) {
    const { page, faults, close } = await open(url, options);
    for (const [view, hash] of await views(page)) {
      await go(page, hash);
      if (shots) await page.screenshot({ path: path.join(shots, `${name}-${view}-${look}.png`), fullPage: true });
      await openAll(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(`${name}: ${view}, ${look}`, [...await axeFaults(page), ...await hostile(page), ...faults.splice(0), wide > 1 && `wider than the screen by ${wide}`,
        await page.evaluate(() => document.querySelectorAll('main h1').length !== 1) && 'not one h1']);
      if (shots && view !== 'summary') await page.screenshot({ path: path.join(shots, `${name}-${view}-${look}-open.png`), fullPage: true });
    }
    check(`${name}: policy and console, ${look}`, [...await page.evaluate(() => window.violations), ...faults]);
    await close();
  }
}

async function everyUse(url, name) {
  const { page, faults, close } = await open(url);
  // What the page reads, with all its scripts beside each other, is what report.json holds.
  const document = fileURLToPath(url.split('#')[0]).replace(/html$/, 'json');
  if (fs.existsSync(document) && fs.statSync(document).size < 50_000_000) {
    const kinds = ['admins', 'creators', 'denials', 'checks'];
    const shown = await page.evaluate(async kinds => {
      const report = await openReport();
      return kinds.map(id => Array.from({ length: report[id].length }, (_, at) => report[id].row(at)));
    }, kinds);
    const held = JSON.parse(fs.readFileSync(document, 'utf8'));
    check(`${name}: the page holds the document`, kinds.filter((id, at) => !isDeepStrictEqual(shown[at], held[id])));
  }
  const lists = [];
  for (const id of ['admins', 'denials', 'creators', 'checks', 'clusters']) {
    await go(page, `#/${id}`);
    if (await page.locator('main tbody tr').count() > 0) lists.push(id);
  }
  for (const id of lists) {
    await go(page, `#/${id}`);
    const count = () => page.locator('.count').textContent();
    const all = await count();
    const word = await page.evaluate(() => document.querySelector('main tbody tr td').textContent.match(/[\w.-]{3,}/)?.[0] || 'a');
    await page.fill('#search', `${word} no-such-thing-anywhere`);
    await settle(page);
    const none = [await page.locator('main tbody tr').count(), await page.evaluate(() => location.hash)];
    await page.fill('#search', word);
    await settle(page);
    const some = await page.locator('main tbody tr').count();
    const took = Number(await page.locator('.count').getAttribute('data-took'));
    await page.fill('#search', '');
    await settle(page);
    check(`${name}: search in ${id}`, [none[0] && 'a search without a hit shows rows', !none[1].includes('no-such-thing') && 'the search is not in the address', !some && `a search for ${word} shows nothing`, took > 300 && `it took ${took} ms`, await count() !== all && 'an empty search does not show all']);

    const choice = await page.evaluate(() => [...document.querySelectorAll('main select')].map(s => [s.id, s.options[s.options.length - 1].value, s.options[s.options.length - 1].textContent])[0]);
    if (choice) {
      await page.focus(`#${choice[0]}`);
      await page.selectOption(`#${choice[0]}`, choice[1]);
      await settle(page);
      const filtered = await count(), wanted = choice[2].match(/\(([\d,]+)\)$/)?.[1];
      const kept = await page.evaluate(() => document.activeElement.id);
      await page.goBack();
      await settle(page);
      check(`${name}: filter and back in ${id}`, [!filtered.startsWith(wanted + ' ') && `${choice[2]} shows ${filtered}`, kept !== choice[0] && 'the focus was lost', await count() !== all && 'back does not undo it']);
    }
    const heads = page.locator('main thead button');
    if (await heads.count()) {
      await heads.first().click();
      await settle(page);
      const one = await page.locator('th[aria-sort=ascending], th[aria-sort=descending]').count();
      check(`${name}: order of ${id}`, [one !== 1 && `${one} columns say that they are sorted`, !/sort=/.test(await page.evaluate(() => location.hash)) && 'the order is not in the address']);
    }
    const opener = page.locator('td.opener button').first();
    if (await opener.count()) {
      await opener.focus();
      await page.keyboard.press('Enter');
      const finding = page.locator('tr.detail a[href]', { hasText: 'Link to this finding' }).first();
      const hash = await finding.getAttribute('href');
      await go(page, hash);
      check(`${name}: link to a finding of ${id}`, [await page.locator('main article.finding').count() !== 1 && `${hash} shows no finding`]);
    }
  }
  if (lists.includes('clusters')) {
    await go(page, '#/clusters');
    await page.locator('main tbody a[href^="#/cluster/"]').first().click();
    await settle(page);
    const hash = await page.evaluate(() => location.hash);
    const title = await page.locator('main h1').textContent();
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    check(`${name}: link to a cluster`, [await page.locator('main h1').textContent() !== title && `${hash} opens another page`, await page.locator('main h2').count() < 6 && 'parts are missing']);
    const copy = page.locator('.command .copy').first();
    if (await copy.count()) {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']).catch(() => {});
      await page.evaluate(() => { for (const each of document.querySelectorAll('details')) each.open = true; });
      await copy.click();
      await settle(page);
      check(`${name}: copy a command`, await copy.textContent() !== 'Copied' && 'the button says nothing');
    }
  }
  await go(page, '#/');
  const counts = await page.evaluate(() => ['#nav a[href="#/clusters"] .many', 'a.card[href="#/clusters"] strong'].map(each => document.querySelector(each).textContent));
  const green = await page.locator('.card.good').count();
  check(`${name}: counts of the summary`, [counts[0] !== counts[1] && `the head counts ${counts[0]} clusters, the card ${counts[1]}`, counts[1] === '0' && !lists.includes('clusters') && green && 'good news of an estate without a cluster']);
  for (const wrong of ['#/cluster/a/b/c', '#/denials/zzz', '#/denials?page=999&layer=nothing', '#/%E0%A4%A', '#/nothing', '#/denials?q=%5B(%5C']) {
    await go(page, wrong);
    check(`${name}: ${wrong} is answered`, [await page.locator('main h1').count() !== 1 && 'no answer']);
  }
  await go(page, '#/');
  await page.keyboard.press('Tab');
  check(`${name}: use`, [...faults, ...await page.evaluate(() => window.violations)]);
  await page.emulateMedia({ media: 'print' });
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  if (shots) await page.pdf({ path: path.join(shots, `${name}.pdf`), format: 'A4' });
  await close();
}

for (const file of words) {
  const url = pathToFileURL(path.resolve(file)).href, name = path.basename(file, '.html');
  await everyView(url, name);
  await everyUse(url, name);
}
await browser.close();
if (failed.length) {
  console.error(`${failed.length} checks failed`);
  process.exit(1);
}
