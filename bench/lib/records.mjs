/** Distinct records, made before the clock starts. */

/** `count` messages in arrays of `perArray`, every value a Buffer of its own bytes. */
export function bufferArrays(count, size, perArray) {
  const arrays = []
  for (let at = 0; at < count; at += perArray) {
    arrays.push(
      Array.from({ length: perArray }, (_, i) => {
        const value = Buffer.allocUnsafeSlow(size).fill((at + i) & 0xff)
        value.writeUInt32LE(at + i, 0)
        return { value }
      }),
    )
  }
  return arrays
}

/** As bufferArrays with string keys and string values of `size` characters. */
export function stringArrays(count, size, perArray) {
  const arrays = []
  for (let at = 0; at < count; at += perArray) {
    arrays.push(
      Array.from({ length: perArray }, (_, i) => ({
        key: `customer-${(at + i) % 5000}`,
        value: `${at + i}:`.padEnd(size, 'abcdefghijklmnopqrstuvwxyz'),
      })),
    )
  }
  return arrays
}
