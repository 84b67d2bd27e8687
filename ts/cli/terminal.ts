import { styleText } from 'node:util'

/** Where a command writes: data to stdout, everything said about it to stderr. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

export const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr }

/** One JSON object per line is wanted: asked for, or stdout is no terminal. */
export function wantsJson(options: { json?: boolean }, { stdout }: Terminal = terminal): boolean {
  return options.json === true || stdout.isTTY !== true
}

export function printJson(value: unknown): void {
  terminal.stdout.write(`${toJson(value)}\n`)
}

/** JSON with bigints as strings, as offsets may pass what a JSON number holds. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one))
}

export function say(text: string): void {
  terminal.stderr.write(`${text}\n`)
}

type Style = Parameters<typeof styleText>[0]

/** Colour where the stream shows it and the user has not said no (NO_COLOR). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = terminal.stdout): string {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' ? styleText(style, text) : text
}

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string | number | bigint
  readonly align?: 'right'
}

/** A table as lines; numbers look best on the right. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => columns.map(({ text }) => String(text(row))))
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...cells.map((line) => line[at].length)))
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => (columns[at].align === 'right' ? text.padStart(widths[at]) : text.padEnd(widths[at])))
      .join('  ')
  const [head, ...body] = [columns.map(({ title }) => title), ...cells].map((texts) => line(texts).trimEnd())
  return [styled('bold', head), ...body]
}

export function printTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
  for (const line of tableLines(columns, rows)) terminal.stdout.write(`${line}\n`)
}

/** Waits while the reader of stdout is slow, so that memory stays bounded. */
export async function writeOut(text: string | Buffer): Promise<void> {
  if (terminal.stdout.write(text)) return
  await new Promise<void>((resolve) => terminal.stdout.once('drain', resolve))
}

/** A line on stderr that is written over while work goes on; nothing where stderr is no terminal. */
export class Progress {
  private readonly isShown = terminal.stderr.isTTY === true
  private shownMs = 0

  constructor(private readonly text: () => string) {}

  /** Call as often as you like. */
  tick(): void {
    if (!this.isShown) return
    const nowMs = performance.now()
    if (nowMs - this.shownMs < 100) return
    this.shownMs = nowMs
    terminal.stderr.write(`\r\x1b[K${this.text()}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.isShown && this.shownMs > 0) terminal.stderr.write('\r\x1b[K')
  }
}

/** 1234567 as 1,234,567. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en-US')
}

/** Bytes with a unit, in powers of 1024. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let at = 0
  for (; bytes >= 1024 && at < units.length - 1; at++) bytes /= 1024
  return `${at === 0 ? bytes : bytes.toFixed(1)} ${units[at]}`
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}
