import { SeglogError } from '../errors/seglog-error.js'

const newline = 0x0a
const lineBytesMax = 256 * 1024 * 1024

/**
 * The lines of a stream, those of one chunk together, without their newline; a last line without one counts. The
 * buffers share the chunks' memory. Rejects with INVALID_ARGUMENT for a line above 256 MiB.
 */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer[], void> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of stream) {
    const found: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = chunk.subarray(start, end)
      found.push(rest.length === 0 ? line : Buffer.concat([...rest, line]))
      rest = []
      restBytes = 0
      start = end + 1
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start))
      restBytes += chunk.length - start
      if (restBytes > lineBytesMax)
        throw new SeglogError('INVALID_ARGUMENT', `a line is longer than ${lineBytesMax} bytes`)
    }
    if (found.length > 0) yield found
  }
  if (rest.length > 0) yield [Buffer.concat(rest)]
}
