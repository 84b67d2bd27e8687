/** What was measured, by row, server and round; a row is reported as the medians and the median of the rounds' ratios. */
import { median } from '../lib/rounds.mjs'

export class Figures {
  #rows = new Map()

  note(row, kind, server, round, value) {
    if (!this.#rows.has(row)) this.#rows.set(row, { kind, rounds: [] })
    const { rounds } = this.#rows.get(row)
    rounds[round] ??= {}
    rounds[round][server] = value
  }

  /** `wanted` tells which rows are reported. */
  report(report, wanted) {
    for (const [name, { kind, rounds }] of this.#rows) if (wanted(name)) report({ name, ...figure(kind, rounds) })
  }
}

function figure({ unit, more }, rounds) {
  const of = (server) => rounds.map((round) => round?.[server]).filter((value) => value !== undefined)
  const [ours, theirs] = [of('seglog'), of('kafka')]
  if (ours.length === 0) return { value: median(theirs), unit }
  if (theirs.length === 0) return { value: median(ours), unit }
  const pairs = rounds.filter((round) => round && 'seglog' in round && 'kafka' in round)
  const ratio = median(pairs.map(({ seglog, kafka }) => (more ? seglog / kafka : kafka / seglog)))
  return { value: median(ours), unit, peer: 'kafka', peerValue: median(theirs), ratio }
}
