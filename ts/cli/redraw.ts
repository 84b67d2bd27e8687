/** Text at the end of a terminal that is written over by what comes next. */
export class Redraw {
  private rows = 0

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Shows these lines in place of those shown before; what does not fit is cut off, so that the place can be found again. */
  show(lines: readonly string[]): void {
    // Some terminals say 0 for what they do not know.
    const columns = this.stream.columns || 80
    const rows = this.stream.rows || 24
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => cut(line, columns))
    const back = this.rows === 0 ? '' : `\x1b[${this.rows}A\r\x1b[J`
    this.stream.write(`${back}${shown.join('\n')}\n`)
    this.rows = shown.length
  }
}

/** At most so many characters wide; styles have no width and stay whole. */
function cut(line: string, columns: number): string {
  let width = 0
  let text = ''
  for (const [part] of line.matchAll(/\p{Cc}\[[\d;]*m|[\s\S]/gu)) {
    const isStyle = part.length > 1 && part.startsWith('\x1b')
    if (!isStyle && ++width > columns) continue
    text += part
  }
  return text
}
