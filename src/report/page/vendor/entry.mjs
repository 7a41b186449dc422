// What the page draws with, and nothing more: esbuild leaves the other marks out.
export { plot, barX, rectY, ruleX, ruleY, tickX, text, axisX, axisY, gridX } from '@observablehq/plot';
export { sankey, sankeyLinkHorizontal } from 'd3-sankey';
