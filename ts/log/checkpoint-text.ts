import { SeglogError } from '../errors/seglog-error.js'

/** Kafka's checkpoint files: a version line `0`, a line with the number of entries, then one entry per line. */
export function serializeCheckpoint(lines: readonly string[]): Buffer {
  return Buffer.from(`0\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`, 'utf8')
}

/** The groups of `entry` for each line. Throws CORRUPT_LOG naming `path` where version, count or a line is wrong. */
export function parseCheckpoint(bytes: Buffer, path: string, entry: RegExp): string[][] {
  const lines = bytes.toString('utf8').split('\n')
  if (lines.at(-1) === '') lines.pop()
  const [version, count, ...entries] = lines
  const wrong = (what: string, line: number): SeglogError =>
    new SeglogError('CORRUPT_LOG', `checkpoint ${path}: ${what} in line ${line}; restore or remove the file`, { path })
  if (version !== '0') throw wrong(`unknown version '${version ?? ''}'`, 1)
  if (count === undefined || !/^\d+$/.test(count)) throw wrong('no entry count', 2)
  if (Number(count) !== entries.length) throw wrong(`${count} entries announced, ${entries.length} there`, 2)
  return entries.map((line, index) => {
    const match = entry.exec(line)
    if (match === null) throw wrong(`malformed entry '${line}'`, index + 3)
    return match.slice(1)
  })
}
