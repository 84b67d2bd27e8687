/** Rounds, medians and the small things every benchmark needs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function percentile(sorted, fraction) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))]
}

/** Runs every contender once per round, in turn, and returns the median of each one's figures. */
export async function alternate(rounds, contenders) {
  const figures = new Map(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, contender] of Object.entries(contenders)) {
      globalThis.gc?.()
      figures.get(name).push(await contender(round))
    }
  }
  return Object.fromEntries([...figures].map(([name, values]) => [name, median(values)]))
}

/** Seconds that `work` took. */
export async function seconds(work) {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

/** Calls `work` with a fresh folder, by default on the benchmark disk (SEGLOG_BENCH_DIR, else the temporary folder). */
export async function withFolder(work, parent = process.env.SEGLOG_BENCH_DIR ?? tmpdir()) {
  const folder = mkdtempSync(join(parent, 'seglog-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The best of several peers: [name, figure]; a larger figure is better. */
export function best(figures) {
  return Object.entries(figures).sort((a, b) => b[1] - a[1])[0]
}
