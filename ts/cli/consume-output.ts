import type { ConsumerMessage } from '../client/consumer-message.js'
import { formatter, jsonLine } from './format.js'
import { bytesText, count, Progress, plural, say, terminal, wantsJson, writeOut } from './terminal.js'

const onTerminal = formatter('%p:%o\t%k\t%v\n')
/** Output is gathered to this size before it is written. */
const writeBytes = 64 * 1024

/** Records on their way to stdout, as text or JSON; waits while its reader is slow. */
export class ConsumeOutput {
  records = 0
  private bytes = 0
  private parts: Buffer[] = []
  private partBytes = 0
  private readonly startMs = performance.now()
  private readonly text: (message: ConsumerMessage) => Buffer
  private readonly progress = new Progress(() => `${count(this.records)} records`)

  constructor(options: { json?: boolean; format?: (message: ConsumerMessage) => Buffer }) {
    const isJson = options.format === undefined && wantsJson(options)
    this.text = isJson ? (message) => Buffer.from(jsonLine(message)) : (options.format ?? onTerminal)
  }

  async add(message: ConsumerMessage): Promise<void> {
    const text = this.text(message)
    this.records++
    this.parts.push(text)
    this.partBytes += text.length
    if (this.partBytes >= writeBytes) await this.flush()
    if (terminal.stdout.isTTY !== true) this.progress.tick()
  }

  /** Someone watches: nothing may be held back while the log is waited for. */
  async flush(): Promise<void> {
    if (this.partBytes === 0) return
    const text = Buffer.concat(this.parts)
    this.bytes += text.length
    this.parts = []
    this.partBytes = 0
    await writeOut(text)
  }

  /** Writes what is left, and says how much it was. */
  async end(topic: string): Promise<void> {
    await this.flush()
    this.progress.end()
    const seconds = (performance.now() - this.startMs) / 1000
    say(`${plural(this.records, 'record')} of ${topic}, ${bytesText(this.bytes)} in ${seconds.toFixed(2)} s`)
  }
}
