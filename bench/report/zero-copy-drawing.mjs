/**
 * The two pictures of how a file gets into a socket, with the figures of this machine in them: the traditional path by
 * read and write, with four copies and four changes between user and kernel mode, and sendfile, with two and two.
 */
const chunk = '1 MiB'

const colours = { user: '#eef4fb', kernel: '#f6f1e4', cpu: '#c44e52', device: '#4c72b0', text: '#222' }

function text(x, y, content, { size = 13, anchor = 'middle', weight = 'normal', fill = colours.text } = {}) {
  const style = `font-size="${size}" text-anchor="${anchor}" font-weight="${weight}" fill="${fill}"`
  return `<text x="${x}" y="${y}" ${style}>${content}</text>`
}

function box(x, y, label) {
  return [
    `<rect x="${x - 62}" y="${y - 19}" width="124" height="38" rx="5" fill="white" stroke="#555"/>`,
    text(x, y + 5, label),
  ].join('')
}

/** An arrow of a copy: red where the CPU makes it, blue where a device does. */
function arrow(from, to, label, by, [labelX, labelY]) {
  const colour = colours[by]
  const line = `<line x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}" stroke="${colour}" stroke-width="2.5" marker-end="url(#${by})"/>`
  return line + text(labelX, labelY, label, { size: 12, fill: colour })
}

function panel(x, title, parts, facts) {
  return [
    `<g transform="translate(${x},0)">`,
    text(220, 34, title, { size: 17, weight: 'bold' }),
    `<rect x="10" y="54" width="420" height="96" fill="${colours.user}"/>`,
    text(18, 72, 'user mode', { size: 11, anchor: 'start', fill: '#666' }),
    `<rect x="10" y="150" width="420" height="100" fill="${colours.kernel}"/>`,
    text(18, 168, 'kernel mode', { size: 11, anchor: 'start', fill: '#666' }),
    text(18, 274, 'devices', { size: 11, anchor: 'start', fill: '#666' }),
    ...parts,
    ...facts.map((fact, i) => text(18, 352 + i * 20, fact, { anchor: 'start' })),
    '</g>',
  ].join('\n')
}

function factsOf(rows, way) {
  const value = (row) => rows.find(({ name }) => name === `${way} ${chunk}: ${row}`).value
  const number = (amount) => amount.toLocaleString('en-US', { maximumSignificantDigits: 3 })
  return [
    `${value('copies by the CPU') + 2} copies, ${value('copies by the CPU')} of them by the CPU`,
    `${number(value('mode switches a chunk'))} changes of mode for each chunk of ${chunk}`,
    `${number(value('system calls/GB'))} system calls a GB`,
    `${number(value('CPU-s/GB'))} CPU seconds a GB, ${number(value('MB/s'))} MB/s on loopback`,
  ]
}

export function drawZeroCopy({ rows, cpu, date }) {
  const disk = box(82, 300, 'disk')
  const card = box(358, 300, 'network card')
  const cache = box(82, 200, 'page cache')
  const socket = box(358, 200, 'socket buffer')
  const traditional = [
    ...[disk, card, cache, socket, box(220, 110, 'application')],
    arrow([82, 281], [82, 221], '1 by DMA', 'device', [122, 255]),
    arrow([95, 181], [165, 130], '2 by the CPU', 'cpu', [78, 140]),
    arrow([275, 130], [345, 181], '3 by the CPU', 'cpu', [362, 140]),
    arrow([358, 219], [358, 279], '4 by DMA', 'device', [316, 255]),
    text(220, 84, 'read() in and out, write() in and out', { size: 12, fill: '#444' }),
  ]
  const zero = [
    ...[disk, card, cache, socket, box(220, 110, 'application')],
    arrow([82, 281], [82, 221], '1 by DMA', 'device', [122, 255]),
    `<line x1="144" y1="200" x2="292" y2="200" stroke="#777" stroke-width="1.5" stroke-dasharray="5 4" marker-end="url(#pointer)"/>`,
    text(220, 192, 'pages by reference', { size: 11, fill: '#666' }),
    arrow([144, 214], [330, 280], '2 by DMA', 'device', [205, 268]),
    text(220, 84, 'sendfile() in and out', { size: 12, fill: '#444' }),
  ]
  const head = (id, colour) =>
    `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="${colour}"/></marker>`
  const [copies, ...others] = factsOf(rows, 'mapped write')
  return `${[
    '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="506" viewBox="0 0 900 506" font-family="sans-serif" role="img">',
    '<title>From a file to a socket: read and write, and sendfile</title>',
    `<defs>${head('cpu', colours.cpu)}${head('device', colours.device)}${head('pointer', '#777')}</defs>`,
    '<rect width="900" height="506" fill="white"/>',
    panel(5, 'read + write', traditional, factsOf(rows, 'read + write')),
    panel(455, 'sendfile', zero, factsOf(rows, 'sendfile')),
    text(23, 446, `In between, the write of a mapping: ${copies},`, { size: 12, anchor: 'start' }),
    text(23, 464, `${others.join(', ')}.`, { size: 12, anchor: 'start' }),
    text(23, 490, `Measured by npm run bench -- zero-copy, ${date}, ${cpu}.`, {
      size: 11,
      anchor: 'start',
      fill: '#666',
    }),
    '</svg>',
  ].join('\n')}\n`
}
